// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Transfers between a file and memory that is not of the pool, through one buffer of the pool at a time. This is the one
 * place for offsets that direct I/O cannot take: a read is widened to the alignment on both sides and the bytes that
 * were wanted are copied out; a write is not, since what lies beside it could change between the read and the write.
 */
final class BouncedTransfer {
    private final VirtualFile file;
    private final BufferPool pool;

    BouncedTransfer(VirtualFile file, BufferPool pool) {
        this.file = file;
        this.pool = pool;
    }

    private WidenedRead next(long position, long remaining) {
        return WidenedRead.of(position, remaining, pool.bufferSize(), file.alignment());
    }

    long read(MemoryList target, long position) throws IoFailure {
        file.checkPlace(false, position, target.remaining());
        long moved = 0;
        boolean more = target.hasRemaining();
        while (more) {
            WidenedRead piece = next(position + moved, target.remaining());
            try (OwnedBuffer buffer = pool.acquire()) {
                int useful = piece.useful(file.read(buffer, 0, piece.length(), piece.start()));
                target.fillFrom(buffer, piece.skip(), useful);
                moved += useful;
                more = useful == piece.wanted() && target.hasRemaining();
            }
        }
        return moved;
    }

    /** {@link #read} as a future: the target belongs to it until it is complete, also where it was cancelled. */
    CompletableFuture<Integer> readAsync(MemoryList target, long position) {
        file.checkPlace(false, position, target.remaining());
        CompletableFuture<Integer> whole = new CompletableFuture<>();
        step(target, position, 0, whole);
        return whole;
    }

    private void step(MemoryList target, long position, int moved, CompletableFuture<Integer> whole) {
        if (!target.hasRemaining()) {
            whole.complete(moved);
            return;
        }
        pool.acquireThen(acquired -> {
            if (acquired.isEmpty()) {
                fail(whole, file.engine().closedException("read", file.path()));
                return;
            }
            WidenedRead piece = next(position + moved, target.remaining());
            try {
                file.readAsync(acquired.get(), 0, piece.length(), piece.start())
                        .whenComplete((result, failure) -> end(
                                acquired.get(),
                                piece,
                                Optional.ofNullable(result),
                                Optional.ofNullable(failure),
                                target,
                                position,
                                moved,
                                whole));
            } catch (RuntimeException e) {
                acquired.get().close();
                fail(whole, e);
            }
        });
    }

    private void end(
            OwnedBuffer buffer,
            WidenedRead piece,
            Optional<IoResult> result,
            Optional<Throwable> failure,
            MemoryList target,
            long position,
            int moved,
            CompletableFuture<Integer> whole) {
        int useful = 0;
        try (buffer) {
            if (result.isPresent()) {
                useful = piece.useful(result.get().bytes());
                target.fillFrom(buffer, piece.skip(), useful);
            }
        } catch (RuntimeException e) {
            fail(whole, e);
            return;
        }
        if (failure.isPresent()) {
            fail(whole, failure.get());
        } else if (useful < piece.wanted() || whole.isCancelled()) {
            whole.complete(moved + useful);
        } else {
            step(target, position, moved + useful, whole);
        }
    }

    private void fail(CompletableFuture<Integer> whole, Throwable cause) {
        file.engine().completeLater(() -> whole.completeExceptionally(cause));
    }

    void write(MemoryList source, long position) throws IoFailure {
        file.checkPlace(true, position, source.remaining());
        long at = position;
        while (source.hasRemaining()) {
            try (OwnedBuffer buffer = pool.acquire()) {
                int length = (int) Math.min(source.remaining(), buffer.capacity());
                source.copyTo(buffer, length);
                file.write(buffer, 0, length, at);
                source.advance(length);
                at += length;
            } catch (OperationFailedException e) {
                source.advance(e.transferred());
                throw e;
            }
        }
    }
}
