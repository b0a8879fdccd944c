// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.net.URI;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * An embedded S3 server that runs as a process of its own, and how it is spoken to.
 *
 * @param endpoint its address
 * @param region to sign for
 * @param accessKey of the one user it knows
 * @param secretKey of that user
 */
record EmbeddedStore(URI endpoint, String region, String accessKey, String secretKey) {
    /** From the server's first line. */
    static EmbeddedStore parse(String line) {
        Map<String, String> fields = Arrays.stream(line.split(" ", -1))
                .map(field -> field.split("=", 2))
                .filter(field -> field.length == 2)
                .collect(Collectors.toMap(field -> field[0], field -> field[1], (a, b) -> b));
        return new EmbeddedStore(
                URI.create(fields.getOrDefault("endpoint", "")),
                fields.getOrDefault("region", ""),
                fields.getOrDefault("access_key", ""),
                fields.getOrDefault("secret_key", ""));
    }

    AwsCredentialsProvider credentials() {
        return StaticCredentialsProvider.create(AwsBasicCredentials.create(accessKey, secretKey));
    }

    S3Client client() {
        return S3Client.builder()
                .endpointOverride(endpoint)
                .region(Region.of(region))
                .forcePathStyle(true)
                .credentialsProvider(credentials())
                .build();
    }

    /** The options by which every command here is told of it. */
    List<String> options() {
        return List.of("--endpoint-url", endpoint.toString(), "--path-style", "--region", region);
    }

    /** The environment of a process that speaks to it, with nothing of the user's own settings in a folder that has none. */
    Map<String, String> environment(Path folder) {
        return Map.of(
                "AWS_ACCESS_KEY_ID",
                accessKey,
                "AWS_SECRET_ACCESS_KEY",
                secretKey,
                "AWS_EC2_METADATA_DISABLED",
                "true",
                "AWS_CONFIG_FILE",
                folder.resolve("no-config").toString(),
                "AWS_SHARED_CREDENTIALS_FILE",
                folder.resolve("no-credentials").toString());
    }
}
