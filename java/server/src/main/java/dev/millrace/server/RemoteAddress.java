// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.layers.store.LayerStore;
import dev.millrace.transfer.LocalFolderSource;
import dev.millrace.transfer.ObjectSource;
import dev.millrace.transfer.ObjectWriter;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A place for layers: {@code s3://bucket/prefix}, or {@code file:///folder}.
 *
 * @param folder of {@code file:}; empty for a bucket
 * @param bucket the bucket; of a folder its last name, below its parent
 * @param prefix of all keys: empty, or ending in a slash
 */
record RemoteAddress(Optional<Path> folder, String bucket, String prefix) {
    private static final String FILE = "file:";

    /**
     * Reads the text.
     *
     * @throws IllegalArgumentException with a sentence
     */
    static RemoteAddress parse(String text) {
        if (text.startsWith(FILE)) {
            return ofFolder(text);
        }
        if (!text.startsWith("s3://")) {
            throw new IllegalArgumentException("--remote is '" + Sentences.oneLine(text)
                    + "': write s3://bucket/prefix, or file:///folder for a local folder");
        }
        SourceSpec spec = SourceSpec.parse(text);
        return new RemoteAddress(Optional.empty(), spec.bucket(), spec.isPrefix() ? spec.key() : spec.key() + "/");
    }

    private static RemoteAddress ofFolder(String text) {
        Path folder;
        try {
            URI uri = new URI(text);
            if (uri.getPath() == null || uri.getAuthority() != null) {
                throw new URISyntaxException(text, "no path");
            }
            folder = Path.of(uri.getPath()).toAbsolutePath().normalize();
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(
                    "--remote is '" + Sentences.oneLine(text) + "', which names no folder: write file:///folder", e);
        }
        Path name = folder.getFileName();
        if (name == null) {
            throw new IllegalArgumentException("--remote is the root of the file system: name a folder in it");
        }
        return new RemoteAddress(Optional.of(folder), name.toString(), "");
    }

    /**
     * Opens it.
     *
     * @param address how a bucket is spoken to
     * @param make a folder that is missing is made
     */
    LayerStore.Remote open(StoreAddress address, boolean make) throws CommandFailure {
        if (folder.isPresent()) {
            return openFolder(folder.get(), make);
        }
        ObjectSource source = address.open();
        Optional<ObjectWriter> writer = source instanceof ObjectWriter both ? Optional.of(both) : Optional.empty();
        return new LayerStore.Remote(source, writer, bucket, prefix);
    }

    private LayerStore.Remote openFolder(Path path, boolean make) throws CommandFailure {
        try {
            if (make) {
                Files.createDirectories(path);
            }
        } catch (IOException e) {
            throw CommandFailure.failed("The folder of --remote cannot be made: " + Sentences.of(e), e);
        }
        if (!Files.isDirectory(path)) {
            throw CommandFailure.failed("--remote is " + path + ", which is no folder");
        }
        LocalFolderSource source = LocalFolderSource.open(path.getParent());
        return new LayerStore.Remote(source, Optional.of(source), bucket, prefix);
    }

    @Override
    public String toString() {
        return folder.map(path -> path.toUri().toString()).orElseGet(() -> "s3://" + bucket + "/" + prefix);
    }
}
