// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * One read or write of a list of buffers at consecutive offsets: an operation a piece, handed to the engine in one turn.
 *
 * <p>Not {@code readv} and {@code writev}, for three reasons. Those cannot use registered buffers before Linux 6.15, so
 * each call would pin every page anew. A list of one call is limited to 1024 pieces and 2 147 479 552 bytes, and a short
 * result may end inside any of them. And one operation is one request after the other on a device that could serve
 * several. Here each piece is a whole transfer of its own, which goes on after short results by the rules of
 * {@link TransferProgress}, so that neither limit exists.
 *
 * <p>At most {@value #MOST_IN_FLIGHT} pieces are in flight at once, begun in order: a long list leaves the engine's other
 * callers their slots. After the first piece that is not whole no further one is begun. All buffers come back together,
 * when the kernel is done with all.
 */
final class VectoredTransfer implements PinWaiter {
    /** More do not make a device faster, and would put everyone else behind a long list. */
    static final int MOST_IN_FLIGHT = 64;

    /** What it came to: bytes from the front without a gap, and 0 or the errno that ended them. */
    private record Outcome(long moved, int error, Optional<IoFailure> refusal) {
        boolean isWhole() {
            return error == 0 && refusal.isEmpty();
        }
    }

    private final VirtualFile file;
    private final boolean write;
    private final List<BufferSlice> pieces;
    private final long position;
    private final Consumer<Outcome> then;

    /** One for the whole of it, from its start, whose thread alone touches what follows. */
    private volatile Lane lane;

    // Engine thread only, once begun.
    private final List<Part> parts = new ArrayList<>();
    private final int[] moved;
    private final int[] errors;
    private int begun;
    private long begunTo;
    private int inFlight;
    private boolean stopped;

    private VectoredTransfer(
            VirtualFile file, boolean write, List<BufferSlice> pieces, long position, Consumer<Outcome> then) {
        this.file = file;
        this.write = write;
        this.pieces = pieces;
        this.position = position;
        this.then = then;
        this.moved = new int[pieces.size()];
        this.errors = new int[pieces.size()];
    }

    /** Blocks a platform thread, parks a virtual one. */
    static long run(VirtualFile file, boolean write, List<BufferSlice> pieces, long position) throws IoFailure {
        if (EngineLoop.isAnyEngineThread()) {
            throw new IllegalStateException("a blocking call on an engine thread would stop all I/O");
        }
        CompletableFuture<Outcome> end = new CompletableFuture<>();
        new VectoredTransfer(file, write, List.copyOf(pieces), position, end::complete).start();
        Outcome outcome = end.join();
        if (!outcome.isWhole()) {
            throw failure(file, write, position, outcome);
        }
        return outcome.moved;
    }

    static CompletableFuture<Long> runAsync(VirtualFile file, boolean write, List<BufferSlice> pieces, long position) {
        VectoredFuture future = new VectoredFuture(file, write, List.copyOf(pieces), position);
        try {
            future.transfer.start();
        } catch (IoFailure e) {
            return CompletableFuture.failedFuture(e);
        }
        return future;
    }

    private static IoFailure failure(VirtualFile file, boolean write, long position, Outcome outcome) {
        return outcome.refusal.orElseGet(() -> file.engine()
                .failure(
                        VirtualFile.name(write),
                        file.path(),
                        outcome.error,
                        position + outcome.moved,
                        outcome.moved,
                        write));
    }

    private static final class VectoredFuture extends CompletableFuture<Long> {
        private final VectoredTransfer transfer;

        VectoredFuture(VirtualFile file, boolean write, List<BufferSlice> pieces, long position) {
            transfer = new VectoredTransfer(
                    file,
                    write,
                    pieces,
                    position,
                    outcome -> file.engine().completeLater(() -> {
                        if (outcome.isWhole()) {
                            complete(outcome.moved);
                        } else {
                            completeExceptionally(failure(file, write, position, outcome));
                        }
                    }));
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean cancelled = super.cancel(mayInterruptIfRunning);
            if (cancelled && !transfer.leave()) {
                transfer.lane.loop().execute(transfer::stop);
            }
            return cancelled;
        }
    }

    /** Checks all, takes all buffers or none, and begins. */
    private void start() throws IoFailure {
        long total = 0;
        for (BufferSlice piece : pieces) {
            file.checkPlace(write, position, total);
            file.check(write, piece.buffer(), piece.at(), piece.length(), position + total);
            total += piece.length();
        }
        file.checkPlace(write, position, total);
        int taken = 0;
        try {
            for (; taken < pieces.size(); taken++) {
                pieces.get(taken).buffer().handOver();
            }
            file.checkOpen(VirtualFile.name(write));
        } catch (IoFailure | IllegalStateException e) {
            for (int i = 0; i < taken; i++) {
                pieces.get(i).buffer().giveBack();
            }
            throw e;
        }
        file.enter(VirtualFile.name(write), this);
    }

    @Override
    public void pinned() {
        // One task, so that one turn carries the first pieces over together. It holds no caller's place in line: the
        // pool bounds it.
        lane = file.lanes().hold();
        lane.loop().execute(this::begin);
    }

    @Override
    public void refused(IoFailure why) {
        pieces.forEach(piece -> piece.buffer().giveBack());
        then.accept(new Outcome(0, 0, Optional.of(why)));
    }

    /** Takes it back while it waits for a descriptor; false where it no longer does. */
    private boolean leave() {
        boolean left = file.leave(this);
        if (left) {
            refused(new OperationCancelledException(VirtualFile.name(write), file.path()));
        }
        return left;
    }

    private void begin() {
        inFlight = 1; // this loop, which a piece that ends at once must not overtake
        for (int i = 0; i < MOST_IN_FLIGHT && begun < pieces.size() && !stopped; i++) {
            Part part = new Part();
            parts.add(part);
            next(part);
        }
        endedOne();
    }

    private void next(Part part) {
        while (begun < pieces.size() && !stopped) {
            int index = begun++;
            BufferSlice piece = pieces.get(index);
            long at = position + begunTo;
            begunTo += piece.length();
            if (piece.length() > 0) {
                inFlight++;
                part.index = index;
                part.prepare(write, piece.buffer(), piece.at(), piece.length(), at, file.alignment());
                part.submit(file.path(), file.descriptor());
                return;
            }
        }
    }

    private void stop() {
        stopped = true;
        parts.forEach(part -> lane.loop().cancel(part));
    }

    private void endedOne() {
        inFlight--;
        if (inFlight == 0) {
            Outcome outcome = outcome();
            pieces.forEach(piece -> piece.buffer().giveBack());
            file.exit(write);
            lane.letGo(); // each part holds it a little longer
            then.accept(outcome);
        }
    }

    private Outcome outcome() {
        long whole = 0;
        for (int i = 0; i < pieces.size(); i++) {
            whole += moved[i];
            if (errors[i] != 0) {
                return new Outcome(whole, errors[i], Optional.empty());
            }
            if (moved[i] < pieces.get(i).length()) {
                // Only a cancel keeps a piece from being begun after others that were whole.
                return new Outcome(whole, i < begun ? 0 : Errno.ECANCELED, Optional.empty());
            }
        }
        return new Outcome(whole, 0, Optional.empty());
    }

    private final class Part extends TransferOperation {
        private int index;

        Part() {
            super(lane);
        }

        @Override
        void letGo(OwnedBuffer owned) {
            // With the others, at the end of all.
        }

        @Override
        void ended(OwnedBuffer owned, int count, int error) {
            moved[index] = count;
            errors[index] = error;
            stopped |= error != 0 || count < pieces.get(index).length();
            next(this);
            endedOne();
        }
    }
}
