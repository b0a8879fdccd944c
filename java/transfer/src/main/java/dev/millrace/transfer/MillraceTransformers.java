// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.IoEngine;
import java.nio.file.Path;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import software.amazon.awssdk.core.FileTransformerConfiguration;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.sync.ResponseTransformer;

/**
 * What stands where {@code AsyncResponseTransformer.toFile(path)} stood in a program that uses the AWS SDK: the answer's
 * body goes to disk past the page cache, is synced, and gets its name only when it is whole. Nothing else changes.
 *
 * <p><b>Options.</b> What may be there already is as the SDK documents it. An append begins, in every try, where the file
 * ended when the transformer was made, and when it fails the file ends there again; appends and writes to a position go
 * through the page cache. {@code FailureBehavior}: a file that the transformer did not make is never deleted, and half of
 * one never appears, so that after a failure both behaviours leave what was there before. An {@code executorService} is
 * refused: the engine writes.
 *
 * <p>One transformer serves one request at a time, with all the tries that the client makes of it. Under a client with
 * multipart downloads switched on it refuses to be split, and the request fails.
 */
public final class MillraceTransformers {
    private static final int MAX_WORKERS = 32;

    /** Opens, syncs and renames for all transformers: what blocks, kept off the SDK's event loops. */
    private static final ThreadPoolExecutor WORKERS = workers();

    private MillraceTransformers() {}

    private static ThreadPoolExecutor workers() {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                MAX_WORKERS, MAX_WORKERS, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "millrace-transformer-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** In place of {@link AsyncResponseTransformer#toFile(Path)}: as there, a file that exists is an error. */
    public static <R> AsyncResponseTransformer<R, R> toFile(IoEngine engine, Path path) {
        return toFile(engine, path, FileTransformerConfiguration.defaultCreateNew());
    }

    /** In place of {@link AsyncResponseTransformer#toFile(Path, FileTransformerConfiguration)}. */
    public static <R> AsyncResponseTransformer<R, R> toFile(
            IoEngine engine, Path path, FileTransformerConfiguration configuration) {
        return new FileAsyncTransformer<>(TransformerTarget.of(engine, path, configuration), WORKERS);
    }

    /** In place of {@link ResponseTransformer#toFile(Path)}: as there, a file that exists is an error. */
    public static <R> ResponseTransformer<R, R> toFileSync(IoEngine engine, Path path) {
        return toFileSync(engine, path, FileTransformerConfiguration.defaultCreateNew());
    }

    /** {@link #toFileSync(IoEngine, Path)} with the options of the asynchronous one. */
    public static <R> ResponseTransformer<R, R> toFileSync(
            IoEngine engine, Path path, FileTransformerConfiguration configuration) {
        return new FileSyncTransformer<>(TransformerTarget.of(engine, path, configuration));
    }
}
