// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.DirectMode;
import dev.millrace.io.IoEngine;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import software.amazon.awssdk.core.FileTransformerConfiguration;
import software.amazon.awssdk.core.FileTransformerConfiguration.FileWriteOption;

/**
 * Where a transformer's bytes go, by the SDK's options.
 *
 * @param engine that writes
 * @param path as the user gave it
 * @param option what may be there already
 * @param start where the bytes begin in a file that is there already
 */
record TransformerTarget(IoEngine engine, Path path, FileWriteOption option, long start) {
    private static final int BUFFERS = 4;

    /**
     * Reads the options, once: an append begins where the file ends now, in every attempt.
     *
     * @throws IllegalArgumentException for an option that cannot be kept
     */
    static TransformerTarget of(IoEngine engine, Path path, FileTransformerConfiguration configuration) {
        if (configuration.executorService().isPresent()) {
            throw new IllegalArgumentException("an executor service for the writes of " + path
                    + " cannot be used: the engine writes; leave the option out");
        }
        FileWriteOption option = configuration.fileWriteOption();
        long start = 0;
        if (option == FileWriteOption.CREATE_OR_APPEND_TO_EXISTING) {
            start = sizeOf(path);
        } else if (option == FileWriteOption.WRITE_TO_POSITION) {
            Long position = configuration.position();
            start = position == null ? 0 : position;
        }
        return new TransformerTarget(engine, path, option, start);
    }

    private static long sizeOf(Path path) {
        try {
            return Files.size(path);
        } catch (NoSuchFileException notThere) {
            return -1;
        } catch (IOException e) {
            throw new IllegalArgumentException("the length of " + path + " cannot be read: " + e, e);
        }
    }

    /** A place for one attempt. Blocks. */
    Sink open() throws IOException {
        return switch (option) {
            case CREATE_OR_REPLACE_EXISTING -> temporary(true);
            case CREATE_NEW -> {
                if (Files.exists(path)) {
                    throw new FileAlreadyExistsException(path.toString());
                }
                yield temporary(false);
            }
            case CREATE_OR_APPEND_TO_EXISTING ->
                start < 0 ? temporary(false) : InPlaceSink.open(engine, path, start, true, BUFFERS);
            case WRITE_TO_POSITION -> {
                if (!Files.exists(path)) {
                    throw new NoSuchFileException(path.toString());
                }
                yield InPlaceSink.open(engine, path, start, false, BUFFERS);
            }
        };
    }

    private Sink temporary(boolean mayReplace) throws IOException {
        return FileSink.open(engine, Target.of(path), mayReplace, BUFFERS, DirectMode.PREFERRED);
    }
}
