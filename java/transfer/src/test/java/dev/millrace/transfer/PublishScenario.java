// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.DirectMode;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.TemporaryFile;
import dev.millrace.io.VirtualFile;
import dev.millrace.testkit.sim.FaultRates;
import dev.millrace.testkit.sim.PlantedFault;
import dev.millrace.testkit.sim.SimulatedDisk;
import dev.millrace.testkit.sim.Simulation;
import dev.millrace.testkit.sim.Trace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A few files published one after the other, some under a name that is there already, with the power going at some
 * operation; then the disk as the next start finds it: each name holds nothing or one whole content, what was told to be
 * published is there, and what else there is can be removed.
 */
final class PublishScenario {
    private static final int PAGE = 4096;
    private static final Path FOLDER = Path.of("/simulated");
    private static final int MOST_OPERATIONS = 120;
    /** Outcomes of one power loss that are looked at. */
    private static final int OUTCOMES = 4;

    private static final Simulation.Size SIZE = new Simulation.Size(3, 2 * PAGE, 8);

    private final Optional<PlantedFault> fault;
    private final OptionalLong lossAt;

    /** Operations that the last run carried out. */
    private long performed;

    /**
     * A scenario.
     *
     * @param lossAt the operation before which the power goes; empty leaves that to the seed
     */
    PublishScenario(Optional<PlantedFault> fault, OptionalLong lossAt) {
        this.fault = fault;
        this.lossAt = lossAt;
    }

    long performed() {
        return performed;
    }

    /** What a final name may hold. */
    private static final class Expected {
        private final List<byte[]> whole = new ArrayList<>();
        private boolean mayBeAbsent = true;

        void attempted(byte[] content) {
            whole.add(content);
        }

        /** Told to be published: what was there before is gone for good. */
        void published(byte[] content) {
            whole.clear();
            whole.add(content);
            mayBeAbsent = false;
        }
    }

    void run(SplittableRandom random, Trace trace) throws Exception {
        FaultRates rates = switch (random.nextInt(4)) {
            case 0 -> FaultRates.ERRORS;
            case 1 -> FaultRates.NONE;
            default -> FaultRates.HARMLESS;
        };
        SimulatedDisk disk = new SimulatedDisk(random.nextBoolean() ? 512 : PAGE, 1L << 30);
        disk.makeFolders(FOLDER.toString());
        Map<String, Expected> names = new HashMap<>();
        if (random.nextBoolean()) {
            byte[] old = content(random);
            disk.put(FOLDER.resolve("0").toString(), old);
            names.computeIfAbsent("0", name -> new Expected()).published(old);
        }
        boolean lossless;
        try (Simulation simulation = new Simulation(disk, random, trace, SIZE, rates, fault)) {
            // Half of the runs end well: what was told to be published must survive a later loss, too.
            long at = random.nextBoolean() ? 1 + random.nextInt(MOST_OPERATIONS) : Long.MAX_VALUE / 2;
            simulation.driver().losePowerAt(lossAt.orElse(at));
            int count = 1 + random.nextInt(3);
            for (int i = 0; i < count; i++) {
                String name = Integer.toString(random.nextInt(2));
                byte[] content = content(random);
                Expected expected = names.computeIfAbsent(name, unused -> new Expected());
                expected.attempted(content);
                if (publish(simulation, name, content)) {
                    expected.published(content);
                } else {
                    assertThat(rates.errors() > 0 || disk.isDead())
                            .as("an error without a cause")
                            .isTrue();
                }
            }
            performed = simulation.driver().performed();
            lossless = rates.errors() == 0 && !disk.isDead();
        }
        if (lossless) {
            assertThat(disk.names(FOLDER.toString())).noneMatch(TemporaryFile::isTemporaryName);
        }
        for (int i = 1; i < OUTCOMES; i++) {
            checkNames(disk.afterPowerLoss(random.split()), names);
        }
        SimulatedDisk after = disk.afterPowerLoss(random.split());
        checkNames(after, names);
        checkNextStart(after, names, random, trace);
    }

    private static byte[] content(SplittableRandom random) {
        byte[] content = new byte[random.nextInt(6 * PAGE)];
        random.nextBytes(content);
        return content;
    }

    /** As a download does it; true when it was told to be published. */
    private static boolean publish(Simulation simulation, String name, byte[] content) {
        SplittableRandom random = simulation.random();
        Optional<FileSink> opened = Optional.empty();
        AtomicReference<Optional<? extends IOException>> outcome = new AtomicReference<>();
        try {
            FileSink sink = FileSink.open(
                    simulation.engine(),
                    new Target(FOLDER.resolve(name), FOLDER),
                    true,
                    2,
                    random.nextBoolean() ? DirectMode.PREFERRED : DirectMode.OFF);
            opened = Optional.of(sink);
            AtomicBoolean ready = new AtomicBoolean();
            boolean known = random.nextBoolean();
            sink.begin(
                    known ? OptionalLong.of(content.length) : OptionalLong.empty(),
                    Digests.of(head(), false, true),
                    () -> ready.set(true));
            ByteBuffer source = ByteBuffer.wrap(content);
            while (source.hasRemaining()) {
                source.limit(Math.min(content.length, source.position() + 1 + random.nextInt(2 * PAGE)));
                ready.set(false);
                while (!sink.write(source)) {
                    simulation.runUntil("room for more", () -> ready.getAndSet(false));
                }
                source.limit(content.length);
            }
            sink.finish(outcome::set);
            simulation.runUntil("the end of all writes", () -> outcome.get() != null);
            Optional<? extends IOException> problem = outcome.get();
            if (problem.isPresent()) {
                throw problem.get();
            }
            sink.publish();
            simulation.trace().add("published " + name + ", " + content.length + " bytes");
            return true;
        } catch (IOException failure) {
            simulation.trace().add("publishing " + name + " failed: " + failure.getMessage());
            opened.ifPresent(sink -> {
                AtomicBoolean aborted = new AtomicBoolean();
                sink.abort(() -> aborted.set(true));
                simulation.runUntil("the end of an abort", aborted::get);
                sink.discard();
            });
            return false;
        }
    }

    private static ObjectHead head() {
        return new ObjectHead(
                200,
                OptionalLong.empty(),
                true,
                Optional.empty(),
                Optional.empty(),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    private static void checkNames(SimulatedDisk after, Map<String, Expected> names) {
        names.forEach((name, expected) -> {
            Optional<byte[]> found = after.content(FOLDER.resolve(name).toString());
            if (found.isEmpty()) {
                assertThat(expected.mayBeAbsent)
                        .as(name + " may be absent after the power loss")
                        .isTrue();
            } else {
                assertThat(expected.whole.stream().anyMatch(whole -> Arrays.equals(whole, found.get())))
                        .as(name + " holds a whole content after the power loss, and not other " + found.get().length
                                + " bytes")
                        .isTrue();
            }
        });
    }

    /** Nobody holds the locks of what is left, and it can go. */
    private static void checkNextStart(
            SimulatedDisk after, Map<String, Expected> names, SplittableRandom random, Trace trace) throws IOException {
        try (Simulation next = new Simulation(after, random, trace, SIZE, FaultRates.NONE, Optional.empty())) {
            for (String name : after.names(FOLDER.toString())) {
                if (!names.containsKey(name)) {
                    assertThat(TemporaryFile.isTemporaryName(name)).as(name).isTrue();
                    Path path = FOLDER.resolve(name);
                    try (VirtualFile left = VirtualFile.open(next.engine(), path, OpenOptions.updating())) {
                        assertThat(left.tryLock()).isTrue();
                        assertThat(next.engine().deleteIfExists(path)).isTrue();
                    }
                }
            }
        }
        assertThat(after.names(FOLDER.toString())).isSubsetOf(names.keySet());
    }
}
