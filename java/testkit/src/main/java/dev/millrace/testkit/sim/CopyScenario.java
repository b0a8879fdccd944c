// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import dev.millrace.io.CopyLoop;
import dev.millrace.io.DirectMode;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.VirtualFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** One to three copy loops at once on a pool that is too small for them, each fed in chunks of any size. */
public final class CopyScenario {
    private static final int PAGE = 4096;
    /** Operations within which the power may go. */
    private static final int POWER_WITHIN = 40;

    private final FaultRates rates;
    private final Optional<PlantedFault> fault;

    /** With faults of such rates, and one below the program if it is given. */
    public CopyScenario(FaultRates rates, Optional<PlantedFault> fault) {
        this.rates = rates;
        this.fault = fault;
    }

    /** A producer and its loop. */
    private final class Copy {
        private final Simulation simulation;
        private final SplittableRandom random;
        private final VirtualFile file;
        private final byte[] data;
        private final int start;
        private final ByteBuffer source;
        private final CopyLoop loop;
        private final boolean gives;
        private final int givesUpAt;
        private int chunkEnd;
        private volatile boolean ready = true;
        private boolean ended;
        private boolean aborted;
        private long observed;
        private volatile Optional<Optional<IoFailure>> outcome = Optional.empty();

        Copy(Simulation simulation, int number) throws IoFailure {
            this.simulation = simulation;
            this.random = simulation.random().split();
            int buffer = simulation.engine().buffers().bufferSize();
            String path = "/d/file" + number;
            start = random.nextInt(3) == 0 ? random.nextInt(2 * buffer) : 0;
            data = new byte[start + random.nextInt(6 * buffer)];
            random.nextBytes(data);
            simulation.disk().put(path, Arrays.copyOf(data, start));
            DirectMode direct = random.nextBoolean() ? DirectMode.PREFERRED : DirectMode.OFF;
            file = VirtualFile.open(
                    simulation.engine(), Path.of(path), OpenOptions.updating().withDirect(direct));
            source = ByteBuffer.wrap(data, start, data.length - start);
            gives = random.nextInt(8) == 0;
            givesUpAt = start + random.nextInt(data.length - start + 1);
            long reservedTo = 0;
            try {
                boolean reserves = random.nextBoolean();
                reservedTo = reserves && file.reserve(data.length) ? data.length : 0;
                reservedTo = random.nextInt(4) == 0 ? Long.MAX_VALUE : reservedTo;
            } catch (IoFailure refused) {
                reservedTo = 0;
            }
            loop = CopyLoop.start(
                    file, start, reservedTo, 1 + random.nextInt(3), (bytes, at, length) -> observed += length, () -> {
                        ready = true;
                    });
        }

        boolean isOver() {
            return outcome.isPresent();
        }

        /** Hands in a chunk where there is room; at the end finishes or gives up. False where it has to wait. */
        boolean work() {
            if (!ready || ended) {
                return false;
            }
            try {
                while (source.hasRemaining()) {
                    if (gives && source.position() >= givesUpAt) {
                        end(true);
                        return true;
                    }
                    if (chunkEnd <= source.position()) {
                        chunkEnd = Math.min(data.length, source.position() + 1 + random.nextInt(2 * PAGE));
                    }
                    source.limit(chunkEnd);
                    ready = false; // before the call, which may call back before it returns
                    boolean taken = loop.write(source);
                    source.limit(data.length);
                    if (!taken) {
                        return true;
                    }
                    ready = true;
                    if (random.nextInt(4) == 0) {
                        return true; // the next chunk comes later
                    }
                }
                end(false);
            } catch (IoFailure failure) {
                simulation.trace().add("the producer hears: " + failure.getMessage());
                end(true);
            }
            return true;
        }

        private void end(boolean abort) {
            ended = true;
            if (abort) {
                aborted = true;
                loop.abort(() -> outcome = Optional.of(Optional.empty()));
            } else {
                loop.finish(problem -> outcome = Optional.of(problem));
            }
        }

        void check() {
            Optional<IoFailure> failure = outcome.orElseThrow();
            if (rates.errors() == 0 && (failure.isPresent() || (aborted && !gives))) {
                throw new AssertionError("no error was injected, and a copy failed: " + failure);
            }
            if (failure.isEmpty() && !aborted) {
                Simulation.expect("bytes observed", observed, data.length - start);
                byte[] found = simulation.disk().content(file.path()).orElseThrow();
                Simulation.expect("length of " + file.path(), found.length, data.length);
                int differs = Arrays.mismatch(found, data);
                Simulation.expect("first byte that differs in " + file.path(), differs, -1);
            }
        }

        void close() {
            try {
                file.close();
            } catch (IoFailure failure) {
                simulation.trace().add(failure.getMessage());
            }
        }
    }

    /** Runs once; throws where something does not hold. */
    public void run(SplittableRandom random, Trace trace) throws Exception {
        int buffers = 1 + random.nextInt(4);
        int size = PAGE << random.nextInt(3);
        SimulatedDisk disk = new SimulatedDisk(random.nextBoolean() ? 512 : PAGE, roomIn(random));
        disk.makeFolders("/d");
        try (Simulation simulation =
                new Simulation(disk, random, trace, new Simulation.Size(buffers, size, 8), rates, fault)) {
            if (rates.errors() > 0 && random.nextInt(8) == 0) {
                simulation.driver().losePowerAt(1 + random.nextInt(POWER_WITHIN));
            }
            List<Copy> copies = new ArrayList<>();
            try {
                int count = 1 + random.nextInt(3);
                for (int i = 0; i < count; i++) {
                    open(simulation, i).ifPresent(copies::add);
                }
                while (!copies.stream().allMatch(Copy::isOver)) {
                    boolean worked = false;
                    for (Copy copy : copies) {
                        worked |= copy.work();
                    }
                    if (!simulation.step() && !worked) {
                        throw new AssertionError("a producer is never told to go on, and nothing is in flight");
                    }
                }
                copies.forEach(Copy::check);
            } finally {
                // Where a check has failed a loop may still be at it.
                simulation.settle();
                copies.forEach(Copy::close);
            }
        }
    }

    /** Rarely less than the copies need. */
    private long roomIn(SplittableRandom random) {
        return rates.errors() > 0 && random.nextInt(4) == 0 ? random.nextInt(64 << 10) : 1L << 30;
    }

    private Optional<Copy> open(Simulation simulation, int number) {
        try {
            return Optional.of(new Copy(simulation, number));
        } catch (IoFailure failure) {
            simulation.trace().add(failure.getMessage());
            if (rates.errors() == 0) {
                throw new AssertionError("no error was injected", failure);
            }
            return Optional.empty();
        }
    }
}
