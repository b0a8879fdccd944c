// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.IoEngine;
import java.nio.file.Path;
import software.amazon.awssdk.core.FileTransformerConfiguration;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.sync.ResponseTransformer;

/**
 * What stands where {@code AsyncResponseTransformer.toFile(path)} stood in a program that uses the AWS SDK: the answer's
 * body goes to disk past the page cache, is synced, and gets its name only when it is whole. Nothing else changes.
 */
public final class MillraceTransformers {
    private MillraceTransformers() {}

    /** In place of {@link AsyncResponseTransformer#toFile(Path)}: as there, a file that exists is an error. */
    public static <R> AsyncResponseTransformer<R, R> toFile(IoEngine engine, Path path) {
        return toFile(engine, path, FileTransformerConfiguration.defaultCreateNew());
    }

    /** In place of {@link AsyncResponseTransformer#toFile(Path, FileTransformerConfiguration)}. */
    public static <R> AsyncResponseTransformer<R, R> toFile(
            IoEngine engine, Path path, FileTransformerConfiguration configuration) {
        throw new UnsupportedOperationException("not there yet");
    }

    /** In place of {@link ResponseTransformer#toFile(Path)}: as there, a file that exists is an error. */
    public static <R> ResponseTransformer<R, R> toFileSync(IoEngine engine, Path path) {
        throw new UnsupportedOperationException("not there yet");
    }
}
