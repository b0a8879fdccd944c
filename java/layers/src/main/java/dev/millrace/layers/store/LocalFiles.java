// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.io.DirectMode;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OperationFailedException;
import dev.millrace.io.UnsupportedFileException;
import dev.millrace.io.VirtualFile;
import dev.millrace.io.engine.Errno;
import dev.millrace.layers.LayerKind;
import dev.millrace.layers.format.LayerFileException;
import dev.millrace.layers.format.LayerReader;
import java.io.IOException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Steps on the local files of layers. They block. */
final class LocalFiles {
    private static final Logger LOG = LoggerFactory.getLogger(LocalFiles.class);

    private LocalFiles() {}

    /** Opens a layer's file for reading, if it is what the index says. */
    static OpenFile open(StoreParts parts, Layer layer, Residence of) throws StoreFailure {
        long begun = parts.timing().nanoTime();
        try {
            return openUncounted(parts, layer, of);
        } finally {
            parts.counters().operation(IoOperation.OPEN, parts.timing().nanoTime() - begun);
        }
    }

    private static OpenFile openUncounted(StoreParts parts, Layer layer, Residence of) throws StoreFailure {
        try {
            return openFile(parts, layer, of);
        } catch (UnsupportedFileException e) {
            throw unusable(layer, LocalDefect.NOT_REGULAR, e);
        } catch (LayerFileException e) {
            // Of another layer, or no layer at all: as bad as one with a damaged block, and another one is to be had.
            throw unusable(layer, LocalDefect.ROTTEN, e);
        } catch (OperationFailedException e) {
            if (e.errno() == Errno.ENOENT) {
                throw unusable(layer, LocalDefect.MISSING, e);
            }
            throw parts.localFailure(layer + " cannot be opened", e);
        } catch (StoreFailure e) {
            throw e;
        } catch (IOException e) {
            throw parts.localFailure(layer + " cannot be opened", e);
        }
    }

    private static OpenFile openFile(StoreParts parts, Layer layer, Residence of) throws IOException {
        boolean isBlob = layer.name().kind() == LayerKind.BLOB;
        // A reader opens its file itself, which may be gone by then; this looks at it, and is all there is for a blob.
        DirectMode direct = isBlob ? parts.config().downloader().direct() : DirectMode.OFF;
        VirtualFile file =
                VirtualFile.open(parts.engine(), of.path, OpenOptions.reading().withDirect(direct));
        boolean kept = false;
        try {
            long size = file.stat().size();
            if (size != of.file.size()) {
                throw unusable(
                        layer,
                        LocalDefect.OTHER_LENGTH,
                        new IOException(of.path + " has " + size + " bytes in place of " + of.file.size()));
            }
            kept = isBlob;
            return isBlob
                    ? new OpenFile.Blob(file)
                    : new OpenFile.Keyed(LayerReader.open(
                            parts.readers(),
                            of.path,
                            layer.name(),
                            layer.place().tenant(),
                            layer.place().timeline()));
        } finally {
            if (!kept) {
                close(file);
            }
        }
    }

    private static StoreFailure unusable(Layer layer, LocalDefect defect, Throwable cause) {
        return new StoreFailure.LocalFileUnusable(
                "the file of " + layer + " " + defect.words() + ": " + cause.getMessage(), defect, cause);
    }

    private static void close(VirtualFile file) {
        try {
            file.close();
        } catch (IoFailure e) {
            LOG.debug("Closing {} failed", file.path(), e);
        }
    }

    /** Nobody reads a residence any more, and nobody will. */
    static void close(Residence of) {
        of.opened.ifPresent(opening -> opening.thenAccept(open -> {
            try {
                open.close();
            } catch (IoFailure e) {
                LOG.debug("Closing {} failed", of.path, e);
            }
        }));
    }

    /** Returns whether nothing of that name is there any more. A folder stays. */
    static boolean delete(StoreParts parts, Path path) {
        long begun = parts.timing().nanoTime();
        try {
            parts.engine().deleteIfExists(path);
            return true;
        } catch (IoFailure e) {
            LOG.warn(
                    "The file {} could not be removed: {}",
                    path,
                    parts.localFailure("removal", e).getMessage());
            return false;
        } finally {
            parts.counters().operation(IoOperation.UNLINK, parts.timing().nanoTime() - begun);
        }
    }
}
