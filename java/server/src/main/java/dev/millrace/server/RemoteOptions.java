// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of where layers are kept, of every command that has them. */
final class RemoteOptions {
    @Option(
            names = "--remote",
            required = true,
            paramLabel = "URL",
            description = "Where the layers are: s3://bucket/prefix, or file:///folder.")
    private String remote = "";

    @Mixin
    private StoreOptions store = new StoreOptions();

    /**
     * The place.
     *
     * @throws IllegalArgumentException with a sentence
     */
    RemoteAddress address() {
        return RemoteAddress.parse(remote);
    }

    /**
     * How the bucket is spoken to.
     *
     * @throws IllegalArgumentException with a sentence
     */
    StoreAddress store(int connections, Map<String, String> environment) {
        return store.address(connections, environment);
    }
}
