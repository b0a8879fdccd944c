// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.transfer.BulkItem;
import dev.millrace.transfer.BulkListener;
import dev.millrace.transfer.DownloadFailure;
import dev.millrace.transfer.DownloadResult;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Names failures on standard error and, on a terminal, draws objects, bytes and rate below them. Thread-safe. */
final class ProgressView implements BulkListener, AutoCloseable {
    private static final String CLEAR_LINE = "\r\u001b[K";
    private static final int INTERVAL_MILLIS = 200;
    /** A hint takes a request; thousands of missing objects get theirs from the first few. */
    private static final int MAX_HINTS = 8;

    private final PrintStream err;
    private final boolean stackTraces;
    private final Function<BulkItem, String> hint;
    private final Optional<ProgressBar> bar;
    private final AtomicLong found = new AtomicLong();
    private final AtomicLong foundBytes = new AtomicLong();
    private final AtomicLong done = new AtomicLong();
    private final AtomicInteger hints = new AtomicInteger();

    /**
     * @param columns width of the terminal, 0 for none
     * @param hint what to write in place of an object that is not there
     */
    ProgressView(PrintStream err, int columns, boolean stackTraces, Function<BulkItem, String> hint) {
        this.err = err;
        this.stackTraces = stackTraces;
        this.hint = hint;
        this.bar = columns <= 0
                ? Optional.empty()
                : Optional.of(new ProgressBarBuilder()
                        .setTaskName("get")
                        .setInitialMax(0)
                        .setUnit(" MiB", 1 << 20)
                        .showSpeed()
                        .hideEta()
                        .setStyle(ProgressBarStyle.ASCII)
                        .setUpdateIntervalMillis(INTERVAL_MILLIS)
                        .clearDisplayOnFinish()
                        .setConsumer(new ConsoleProgressBarConsumer(err, Math.max(20, columns - 1)))
                        .build());
    }

    @Override
    public void found(OptionalLong bytes) {
        found.incrementAndGet();
        foundBytes.addAndGet(bytes.orElse(0));
        show();
    }

    @Override
    public void advanced(long bytes) {
        bar.ifPresent(shown -> {
            shown.stepBy(bytes);
            if (shown.getMax() < shown.getCurrent()) {
                shown.maxHint(shown.getCurrent()); // sizes that no listing has told
            }
        });
    }

    @Override
    public void completed(BulkItem item, DownloadResult result) {
        done.incrementAndGet();
        show();
    }

    private void show() {
        bar.ifPresent(shown -> {
            shown.maxHint(Math.max(foundBytes.get(), shown.getCurrent()));
            shown.setExtraMessage(" " + done + "/" + found + " objects");
        });
    }

    @Override
    public void failed(BulkItem item, IOException cause) {
        String better = cause instanceof DownloadFailure.ObjectMissing && hints.getAndIncrement() < MAX_HINTS
                ? hint.apply(item)
                : "";
        say(Sentences.about(item.name(), cause) + better, cause);
    }

    /** A line of its own on standard error. */
    void say(String sentence, Throwable cause) {
        synchronized (err) {
            if (bar.isPresent()) {
                err.print(CLEAR_LINE);
            }
            err.println("millrace: " + sentence);
            if (stackTraces) {
                cause.printStackTrace(err);
            }
        }
    }

    @Override
    public void close() {
        bar.ifPresent(ProgressBar::close);
    }
}
