// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.nio.ByteBuffer;
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

    /** The next piece of a read: what is read, and which of it is wanted. */
    private record Piece(long start, int length, int skip, int wanted) {

        /** Of {@code got} bytes that were read, those that were wanted. */
        int useful(int got) {
            return Math.max(0, Math.min(wanted, got - skip));
        }
    }

    private Piece piece(long position, int remaining) {
        Alignment alignment = file.alignment();
        long start = alignment.roundDown(position);
        int skip = (int) (position - start);
        int wanted = Math.min(remaining, pool.bufferSize() - skip);
        return new Piece(start, (int) alignment.roundUp(skip + wanted), skip, wanted);
    }

    int read(ByteBuffer target, long position) throws IoFailure {
        VirtualFile.checkPlace(position, target.remaining());
        int moved = 0;
        boolean more = target.hasRemaining();
        while (more) {
            Piece piece = piece(position + moved, target.remaining());
            try (OwnedBuffer buffer = pool.acquire()) {
                int useful = piece.useful(file.read(buffer, 0, piece.length, piece.start));
                take(buffer, piece, useful, target);
                moved += useful;
                more = useful == piece.wanted && target.hasRemaining();
            }
        }
        return moved;
    }

    private static void take(OwnedBuffer buffer, Piece piece, int useful, ByteBuffer target) {
        ByteBuffer part = target.slice();
        part.limit(useful);
        buffer.get(piece.skip, part);
        target.position(target.position() + useful);
    }

    /** {@link #read} as a future: the target belongs to it until it is complete, also where it was cancelled. */
    CompletableFuture<Integer> readAsync(ByteBuffer target, long position) {
        VirtualFile.checkPlace(position, target.remaining());
        CompletableFuture<Integer> whole = new CompletableFuture<>();
        step(target, position, 0, whole);
        return whole;
    }

    private void step(ByteBuffer target, long position, int moved, CompletableFuture<Integer> whole) {
        if (!target.hasRemaining()) {
            whole.complete(moved);
            return;
        }
        pool.acquireThen(acquired -> {
            if (acquired.isEmpty()) {
                fail(whole, file.engine().closedException("read", file.path()));
                return;
            }
            Piece piece = piece(position + moved, target.remaining());
            try {
                file.readAsync(acquired.get(), 0, piece.length, piece.start)
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
            Piece piece,
            Optional<IoResult> result,
            Optional<Throwable> failure,
            ByteBuffer target,
            long position,
            int moved,
            CompletableFuture<Integer> whole) {
        int useful = 0;
        try (buffer) {
            if (result.isPresent()) {
                useful = piece.useful(result.get().bytes());
                take(buffer, piece, useful, target);
            }
        } catch (RuntimeException e) {
            fail(whole, e);
            return;
        }
        if (failure.isPresent()) {
            fail(whole, failure.get());
        } else if (useful < piece.wanted || whole.isCancelled()) {
            whole.complete(moved + useful);
        } else {
            step(target, position, moved + useful, whole);
        }
    }

    private void fail(CompletableFuture<Integer> whole, Throwable cause) {
        file.engine().completeLater(() -> whole.completeExceptionally(cause));
    }

    void write(ByteBuffer source, long position) throws IoFailure {
        VirtualFile.checkPlace(position, source.remaining());
        long at = position;
        while (source.hasRemaining()) {
            try (OwnedBuffer buffer = pool.acquire()) {
                int length = Math.min(source.remaining(), buffer.capacity());
                ByteBuffer part = source.slice();
                part.limit(length);
                buffer.put(0, part);
                file.write(buffer, 0, length, at);
                source.position(source.position() + length);
                at += length;
            }
        }
    }
}
