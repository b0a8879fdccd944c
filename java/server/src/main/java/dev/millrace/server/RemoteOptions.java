// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options of where layers are kept, of every command that has them. */
final class RemoteOptions {
    @Option(
            names = "--remote",
            required = true,
            paramLabel = "URL",
            description = "Where the layers are: s3://bucket/prefix, or file:///folder.")
    private String remote = "";

    @Option(
            names = "--endpoint-url",
            paramLabel = "URL",
            description = "Where the bucket is; else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS itself.")
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
        return StoreAddress.of(endpoint, region, pathStyle, anonymous, connections, environment);
    }
}
