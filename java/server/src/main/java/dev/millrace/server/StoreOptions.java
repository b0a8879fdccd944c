// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options of how an object store is spoken to, of every command that speaks to one. */
final class StoreOptions {
    @Option(
            names = "--endpoint-url",
            paramLabel = "URL",
            description =
                    "Where the store is; else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS itself. file:///folder for a"
                            + " local folder with a folder for each bucket.")
    private Optional<String> endpoint = Optional.empty();

    @Option(names = "--path-style", description = "The bucket in the path of URLs, not in the host name.")
    private boolean pathStyle;

    @Option(
            names = "--region",
            paramLabel = "NAME",
            description = "Region to sign for; else by the SDK's default chain.")
    private Optional<String> region = Optional.empty();

    @Option(names = "--no-sign-request", description = "Anonymous: signs nothing, needs no credentials.")
    private boolean anonymous;

    /**
     * The store.
     *
     * @param connections at once
     * @throws IllegalArgumentException with a sentence
     */
    StoreAddress address(int connections, Map<String, String> environment) {
        return StoreAddress.of(endpoint, region, pathStyle, anonymous, connections, environment);
    }
}
