// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import dev.millrace.io.BufferSlice;
import dev.millrace.io.DirectMode;
import dev.millrace.io.IoFailure;
import dev.millrace.io.IoResult;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OperationFailedException;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Reads, writes, lengths and syncs of one file against an array, blocking and as futures, some of them cancelled. What a
 * failed or cancelled write has left is unknown until it is written again; all else must be exact, and after a power loss
 * at least what the last sync saw must be there where nothing was written since.
 */
public final class FileScenario {
    private static final int PAGE = 4096;
    /** Operations within which the power may go. */
    private static final int POWER_WITHIN = 60;

    private static final int BUFFERS = 3;
    private static final int SPACE = 64 << 10;
    private static final String PATH = "/d/file";

    private final FaultRates rates;

    private final Optional<PlantedFault> fault;

    /** With faults of such rates, and one below the program if it is given. */
    public FileScenario(FaultRates rates, Optional<PlantedFault> fault) {
        this.rates = rates;
        this.fault = fault;
    }

    /** The file as it must be. */
    private static final class Model {
        private final byte[] bytes = new byte[SPACE];
        private final boolean[] unknown = new boolean[SPACE];
        private int length;
        /** The same at the last sync, less what was touched since. */
        private final byte[] synced = new byte[SPACE];

        private final boolean[] syncedKnown = new boolean[SPACE];
        private int syncedLength = -1;

        void wrote(int at, byte[] data, boolean certain) {
            for (int i = 0; i < data.length; i++) {
                bytes[at + i] = data[i];
                unknown[at + i] = !certain;
                syncedKnown[at + i] = false;
            }
            if (at + data.length > length) {
                length = at + data.length;
                syncedLength = -1;
            }
        }

        void resized(int now) {
            if (now < length) {
                Arrays.fill(bytes, now, length, (byte) 0);
                Arrays.fill(unknown, now, length, false);
                Arrays.fill(syncedKnown, now, length, false);
            }
            length = now;
            syncedLength = -1;
        }

        void synced() {
            System.arraycopy(bytes, 0, synced, 0, SPACE);
            for (int i = 0; i < SPACE; i++) {
                syncedKnown[i] = !unknown[i] && i < length;
            }
            syncedLength = length;
        }
    }

    /** Runs once; throws where something does not hold. */
    public void run(SplittableRandom random, Trace trace) throws Exception {
        SimulatedDisk disk = new SimulatedDisk(random.nextBoolean() ? 512 : PAGE, 1L << 30);
        disk.makeFolders("/d");
        disk.put(PATH, new byte[0]);
        Model model = new Model();
        Simulation.Size size = new Simulation.Size(BUFFERS, 4 * PAGE, 8);
        try (Simulation simulation = new Simulation(disk, random, trace, size, rates, fault)) {
            if (rates.errors() > 0 && random.nextBoolean()) {
                simulation.driver().losePowerAt(1 + random.nextInt(POWER_WITHIN));
            }
            DirectMode direct = random.nextBoolean() ? DirectMode.PREFERRED : DirectMode.OFF;
            Optional<VirtualFile> opened = open(simulation, direct);
            if (opened.isEmpty()) {
                return;
            }
            VirtualFile file = opened.get();
            try {
                int rounds = 3 + random.nextInt(15);
                for (int i = 0; i < rounds; i++) {
                    round(simulation, file, model);
                }
            } finally {
                simulation.settle();
                try {
                    file.close();
                } catch (IoFailure failure) {
                    unexpected(trace, failure);
                }
            }
        }
        SimulatedDisk after = disk.afterPowerLoss(random.split());
        byte[] left = after.content(PATH).orElseThrow();
        if (model.syncedLength >= 0) {
            Simulation.expect("length that was synced", left.length, model.syncedLength);
        }
        for (int i = 0; i < left.length; i++) {
            if (model.syncedKnown[i] && left[i] != model.synced[i]) {
                throw new AssertionError("byte " + i + " was synced and is lost");
            }
        }
    }

    private Optional<VirtualFile> open(Simulation simulation, DirectMode direct) {
        try {
            return Optional.of(VirtualFile.open(
                    simulation.engine(), Path.of(PATH), OpenOptions.updating().withDirect(direct)));
        } catch (IoFailure failure) {
            unexpected(simulation.trace(), failure);
            return Optional.empty();
        }
    }

    private void unexpected(Trace trace, Throwable failure) {
        trace.add("failed: " + failure.getMessage());
        if (rates.errors() == 0 || !(failure instanceof IoFailure)) {
            throw new AssertionError("this error was not injected", failure);
        }
    }

    private void round(Simulation simulation, VirtualFile file, Model model) throws Exception {
        switch (simulation.random().nextInt(10)) {
            case 0 -> sync(simulation, file, model);
            case 1 -> truncate(simulation, file, model);
            case 2, 3 -> transfer(simulation, file, model);
            case 4, 5 -> vectored(simulation, file, model);
            default -> transfers(simulation, file, model);
        }
    }

    private void sync(Simulation simulation, VirtualFile file, Model model) {
        try {
            if (simulation.random().nextBoolean()) {
                file.sync();
            } else {
                CompletableFuture<Void> future = file.syncAsync();
                simulation.runUntil("the end of a sync", future::isDone);
                if (future.isCompletedExceptionally()) {
                    unexpected(simulation.trace(), causeOf(future));
                    return;
                }
            }
            model.synced();
        } catch (IoFailure failure) {
            unexpected(simulation.trace(), failure);
        }
    }

    private static Throwable causeOf(CompletableFuture<?> future) {
        return future.handle((value, cause) -> cause).join();
    }

    private void truncate(Simulation simulation, VirtualFile file, Model model) {
        int length = simulation.random().nextInt(SPACE);
        try {
            file.truncate(length);
            model.resized(length);
        } catch (IoFailure failure) {
            unexpected(simulation.trace(), failure);
        }
    }

    /** A stretch of the file, as the file's alignment asks. */
    private static int[] stretch(SplittableRandom random, VirtualFile file, int from, int to) {
        int unit = file.alignment().offset();
        int units = Math.min(to - from, 4 * PAGE) / unit;
        int count = (1 + random.nextInt(units)) * unit;
        int at = from + random.nextInt((to - from - count) / unit + 1) * unit;
        return new int[] {at, count};
    }

    private void transfer(Simulation simulation, VirtualFile file, Model model) throws Exception {
        SplittableRandom random = simulation.random();
        int[] stretch = stretch(random, file, 0, SPACE);
        boolean write = random.nextBoolean();
        byte[] data = new byte[stretch[1]];
        random.nextBytes(data);
        try (OwnedBuffer buffer = simulation.engine().buffers().acquire()) {
            if (write) {
                buffer.put(0, data, 0, data.length);
            }
            try {
                if (write) {
                    file.write(buffer, 0, data.length, stretch[0]);
                    model.wrote(stretch[0], data, true);
                } else {
                    int count = file.read(buffer, 0, data.length, stretch[0]);
                    checkRead(model, buffer, stretch[0], data.length, count);
                }
            } catch (IoFailure failure) {
                unexpected(simulation.trace(), failure);
                if (write) {
                    failedWrite(simulation, file, model, stretch[0], data);
                }
            }
        }
    }

    /** Somewhere between nothing and all of it was written. */
    private static void failedWrite(Simulation simulation, VirtualFile file, Model model, int at, byte[] data) {
        model.wrote(at, data, false);
        model.length = simulation.disk().content(file.path()).orElseThrow().length;
    }

    private static void checkRead(Model model, OwnedBuffer buffer, int at, int length, int count) {
        Simulation.expect("bytes read", count, Math.max(0, Math.min(length, model.length - at)));
        byte[] found = new byte[count];
        buffer.get(0, found, 0, count);
        for (int i = 0; i < count; i++) {
            if (!model.unknown[at + i] && found[i] != model.bytes[at + i]) {
                throw new AssertionError("byte " + (at + i) + " was read wrong");
            }
        }
    }

    /** Some buffers at once; of a write that failed, what is said to be written must be. */
    private void vectored(Simulation simulation, VirtualFile file, Model model) throws Exception {
        SplittableRandom random = simulation.random();
        int unit = file.alignment().offset();
        boolean write = random.nextBoolean();
        List<BufferSlice> pieces = new ArrayList<>();
        int total = 0;
        int count = 1 + random.nextInt(BUFFERS);
        for (int i = 0; i < count; i++) {
            int length = (random.nextInt(4 * PAGE / unit) + (i == 0 ? 1 : 0)) * unit;
            pieces.add(new BufferSlice(simulation.engine().buffers().acquire(), 0, length));
            total += length;
        }
        byte[] data = new byte[total];
        random.nextBytes(data);
        int at = random.nextInt((SPACE - total) / unit + 1) * unit;
        try {
            if (write) {
                int from = 0;
                for (BufferSlice piece : pieces) {
                    piece.buffer().put(0, data, from, piece.length());
                    from += piece.length();
                }
            }
            CompletableFuture<Long> future =
                    write ? file.writeVectoredAsync(pieces, at) : file.readVectoredAsync(pieces, at);
            if (random.nextInt(6) == 0) {
                simulation.driver().together(() -> future.cancel(true));
            }
            simulation.runUntil("the end of a vectored transfer", future::isDone);
            simulation.settle();
            Simulation.expect(
                    "buffers that are back",
                    pieces.stream().filter(piece -> piece.buffer().isOwned()).count(),
                    pieces.size());
            if (!future.isCompletedExceptionally()) {
                judgeVectored(model, write, pieces, at, data, Math.toIntExact(future.join()));
            } else {
                failedVectored(simulation, file, model, write, at, data, future);
            }
        } finally {
            pieces.forEach(piece -> piece.buffer().close());
        }
    }

    private static void judgeVectored(
            Model model, boolean write, List<BufferSlice> pieces, int at, byte[] data, int moved) {
        if (write) {
            Simulation.expect("bytes written", moved, data.length);
            model.wrote(at, data, true);
            return;
        }
        Simulation.expect("bytes read", moved, Math.max(0, Math.min(data.length, model.length - at)));
        int from = 0;
        for (BufferSlice piece : pieces) {
            int count = Math.max(0, Math.min(piece.length(), moved - from));
            checkRead(model, piece.buffer(), at + from, count, count);
            from += count;
        }
    }

    private void failedVectored(
            Simulation simulation,
            VirtualFile file,
            Model model,
            boolean write,
            int at,
            byte[] data,
            CompletableFuture<Long> future) {
        int certain = 0;
        if (!future.isCancelled()) {
            Throwable cause = causeOf(future);
            unexpected(simulation.trace(), cause);
            if (cause instanceof OperationFailedException failed) {
                certain = Math.toIntExact(failed.transferred());
            }
        }
        if (write) {
            failedWrite(simulation, file, model, at, data);
            if (certain > 0) {
                model.wrote(at, Arrays.copyOf(data, certain), true);
            }
        }
    }

    private static final class Started {
        private final boolean cancelled;
        private final int at;
        private final byte[] data;
        private final CompletableFuture<IoResult> future;
        private final OwnedBuffer buffer;

        Started(boolean cancelled, int at, byte[] data, CompletableFuture<IoResult> future, OwnedBuffer buffer) {
            this.cancelled = cancelled;
            this.at = at;
            this.data = data;
            this.future = future;
            this.buffer = buffer;
        }
    }

    /** Up to three at once, each in its own part of the file. */
    private void transfers(Simulation simulation, VirtualFile file, Model model) throws Exception {
        SplittableRandom random = simulation.random();
        List<Started> all = new ArrayList<>();
        try {
            int count = 1 + random.nextInt(3);
            boolean write = random.nextBoolean();
            for (int i = 0; i < count; i++) {
                int part = SPACE / 4;
                all.add(begin(simulation, file, write, stretch(random, file, i * part, (i + 1) * part)));
            }
            simulation.runUntil("the end of all transfers", () -> all.stream().allMatch(one -> one.future.isDone()));
            // A cancelled future is done before its operation is.
            simulation.settle();
            judge(simulation, file, model, write, all);
        } finally {
            all.forEach(one -> one.buffer.close());
        }
    }

    private static Started begin(Simulation simulation, VirtualFile file, boolean write, int[] stretch)
            throws IoFailure {
        SplittableRandom random = simulation.random();
        byte[] data = new byte[stretch[1]];
        random.nextBytes(data);
        OwnedBuffer buffer = simulation.engine().buffers().acquire();
        if (write) {
            buffer.put(0, data, 0, data.length);
        }
        AtomicReference<CompletableFuture<IoResult>> started = new AtomicReference<>();
        boolean cancels = random.nextInt(6) == 0;
        boolean atOnce = random.nextBoolean();
        simulation.driver().together(() -> {
            started.set(
                    write
                            ? file.writeAsync(buffer, 0, data.length, stretch[0])
                            : file.readAsync(buffer, 0, data.length, stretch[0]));
            if (cancels && atOnce) {
                started.get().cancel(true);
            }
        });
        CompletableFuture<IoResult> future = started.get();
        int steps = random.nextInt(3);
        for (int step = 0; step < steps; step++) {
            simulation.step();
        }
        if (cancels) {
            simulation.driver().together(() -> future.cancel(true));
        }
        boolean cancelled = future.isCancelled();
        if (cancelled || random.nextInt(4) == 0) {
            buffer.close(); // at once, which must not give it to others before its time
        }
        return new Started(cancelled, stretch[0], data, future, buffer);
    }

    private void judge(Simulation simulation, VirtualFile file, Model model, boolean write, List<Started> all) {
        boolean unsure = false;
        for (Started one : all) {
            boolean failed = one.future.isCompletedExceptionally();
            if (failed && !one.cancelled) {
                unexpected(simulation.trace(), causeOf(one.future));
            }
            if (write) {
                model.wrote(one.at, one.data, !failed);
                unsure |= failed;
            } else if (!failed && one.buffer.isOwned()) {
                checkRead(
                        model,
                        one.buffer,
                        one.at,
                        one.data.length,
                        one.future.join().bytes());
            }
        }
        if (unsure) {
            model.length = simulation.disk().content(file.path()).orElseThrow().length;
        }
    }
}
