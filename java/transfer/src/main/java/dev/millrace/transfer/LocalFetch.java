// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One GET from a local folder: reads as far as was asked for, whenever something was. */
final class LocalFetch implements Fetch {
    private static final Logger LOG = LoggerFactory.getLogger(LocalFetch.class);
    private static final int CHUNK = 64 << 10;

    private final LocalFolderSource source;
    private final FetchRequest request;
    private final FetchListener listener;
    private final Executor readers;
    private final AtomicLong allowed = new AtomicLong();
    private final AtomicInteger visitors = new AtomicInteger();
    private volatile boolean cancelled;

    // Of the thread that reads.
    private Optional<FileChannel> channel = Optional.empty();
    private boolean begun;
    private boolean over;
    private long at;
    private long end;

    LocalFetch(LocalFolderSource source, FetchRequest request, FetchListener listener, Executor readers) {
        this.source = source;
        this.request = request;
        this.listener = listener;
        this.readers = readers;
    }

    void visit() {
        if (visitors.getAndIncrement() == 0) {
            readers.execute(this::work);
        }
    }

    @Override
    public void request(long chunks) {
        allowed.addAndGet(chunks);
        visit();
    }

    @Override
    public void cancel() {
        cancelled = true;
        visit();
    }

    private void work() {
        int seen;
        do {
            seen = visitors.get();
            try {
                step();
            } catch (SourceFailure failure) {
                fail(failure);
            } catch (IOException e) {
                fail(source.unreadable(request.object(), e));
            } catch (RuntimeException | Error e) {
                LOG.error("A listener threw; its fetch of {} is cancelled", request.object(), e);
                fail(source.unreadable(request.object(), new IOException(e)));
            }
        } while (visitors.addAndGet(-seen) != 0);
    }

    private void step() throws IOException {
        if (over) {
            return;
        }
        if (!begun) {
            begun = true;
            LocalFolderSource.Found found = source.find(request);
            channel = Optional.of(FileChannel.open(found.file(), StandardOpenOption.READ));
            at = found.first();
            end = found.end();
            listener.head(found.head());
        }
        while (!over) {
            if (cancelled) {
                throw SourceFailure.of(
                                SourceFailure.Kind.CANCELLED,
                                "GET of " + request.object() + " at " + source.name() + " was cancelled")
                        .build();
            }
            if (at == end) {
                close();
                listener.end();
                return;
            }
            if (allowed.get() == 0) {
                return;
            }
            allowed.decrementAndGet();
            ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK, end - at));
            while (chunk.hasRemaining()) {
                if (channel.orElseThrow().read(chunk, at + chunk.position()) < 0) {
                    throw source.shortened(request.object(), at + chunk.position(), end);
                }
            }
            at += chunk.capacity();
            listener.chunk(chunk.flip());
        }
    }

    private void fail(SourceFailure failure) {
        if (!over) {
            close();
            listener.failed(failure);
        }
    }

    private void close() {
        over = true;
        try {
            if (channel.isPresent()) {
                channel.get().close();
            }
        } catch (IOException e) {
            LOG.debug("Closing {} failed", request.object(), e);
        }
        source.forget(this);
    }
}
