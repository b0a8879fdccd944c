// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import dev.millrace.transfer.S3Source;
import java.net.URI;
import picocli.CommandLine.Option;

/** Where the objects are, by the same options as {@code millrace get}. */
final class S3Options {
    @Option(names = "--endpoint-url", required = true, description = "address of the store")
    URI endpoint = URI.create("http://127.0.0.1");

    @Option(names = "--region", defaultValue = "us-east-1", description = "region to sign for (${DEFAULT-VALUE})")
    String region = "";

    @Option(names = "--path-style", description = "the bucket goes into the path, not into the host's name")
    boolean pathStyle;

    @Option(names = "--no-sign-request", description = "anonymous")
    boolean anonymous;

    /** Our own client of it, which is the caller's. */
    S3Source source() {
        S3Source.Builder builder =
                S3Source.builder().endpoint(endpoint).region(region).pathStyle(pathStyle);
        return (anonymous ? builder.anonymous() : builder).build();
    }
}
