// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.transfer.LocalFolderSource;
import dev.millrace.transfer.ObjectSource;
import dev.millrace.transfer.S3Source;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Where the store is and how to speak to it.
 *
 * @param endpoint empty for AWS itself, by region
 * @param region empty for the SDK's default chain
 * @param pathStyle the bucket in the path
 * @param anonymous nothing is signed
 * @param connections at once
 */
record StoreAddress(
        Optional<URI> endpoint, Optional<String> region, boolean pathStyle, boolean anonymous, int connections) {
    private static final String FILE = "file";

    /**
     * From options, then environment.
     *
     * @throws IllegalArgumentException with a sentence
     */
    static StoreAddress of(
            Optional<String> url,
            Optional<String> region,
            boolean pathStyle,
            boolean anonymous,
            int connections,
            Map<String, String> environment) {
        Optional<String> text = url.or(() -> variable(environment, "AWS_ENDPOINT_URL_S3"))
                .or(() -> variable(environment, "AWS_ENDPOINT_URL"));
        return new StoreAddress(text.map(StoreAddress::parse), region, pathStyle, anonymous, connections);
    }

    private static Optional<String> variable(Map<String, String> environment, String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
    }

    private static URI parse(String text) {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("The endpoint '" + text + "' is no URL: " + e.getReason(), e);
        }
        String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
        boolean http = scheme.equals("http") || scheme.equals("https");
        if (http ? uri.getHost() == null : !scheme.equals(FILE) || uri.getPath() == null) {
            throw new IllegalArgumentException("The endpoint '" + text
                    + "' is not understood: write http://host:port, https://host or file:///folder");
        }
        return uri;
    }

    /** Opens it; asks nothing of it yet. */
    ObjectSource open() throws CommandFailure {
        if (endpoint.isPresent() && FILE.equalsIgnoreCase(endpoint.get().getScheme())) {
            return openFolder(endpoint.get());
        }
        S3Source.Builder builder = S3Source.builder().pathStyle(pathStyle).maxConnections(connections);
        endpoint.ifPresent(builder::endpoint);
        region.ifPresent(builder::region);
        if (anonymous) {
            builder.anonymous();
        }
        try {
            return builder.build();
        } catch (RuntimeException e) {
            throw CommandFailure.failed("The store cannot be addressed: " + Sentences.of(e), e);
        }
    }

    private static ObjectSource openFolder(URI uri) throws CommandFailure {
        Path root = Path.of(uri.getPath());
        if (!Files.isDirectory(root)) {
            throw CommandFailure.failed("The endpoint " + uri + " is no folder");
        }
        return LocalFolderSource.open(root);
    }
}
