// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import dev.millrace.io.DirectMode;
import dev.millrace.io.FatalIoException;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Several files that take turns on fewer descriptors: written, read, synced, renamed, replaced and removed. Each holds what
 * was written to it, whatever its name has become; what a sync has told to be durable is there after a power loss, also
 * where the writes were made through a descriptor that was given up meanwhile; and a file of which a sync has failed never
 * again tells that it is durable.
 */
final class DescriptorScenario {
    private static final int PAGE = 4096;
    private static final int PAGES = 4;
    private static final int FILES = 5;
    private static final int MOST_OPERATIONS = 150;

    private final FaultRates rates;
    private final boolean names;
    private final Optional<PlantedFault> fault;

    /** {@code names}: files are renamed and removed, too; then what a power loss leaves is not looked at. */
    DescriptorScenario(FaultRates rates, boolean names, Optional<PlantedFault> fault) {
        this.rates = rates;
        this.names = names;
        this.fault = fault;
    }

    private static final class Model {
        private final VirtualFile file;
        private final byte[] written = new byte[PAGES];
        private final boolean[] unsure = new boolean[PAGES];
        private final byte[] synced = new byte[PAGES];
        private final boolean[] durable = new boolean[PAGES];
        private boolean failed;
        private boolean named = true;

        Model(VirtualFile file) {
            this.file = file;
        }
    }

    void run(SplittableRandom random, Trace trace) throws Exception {
        SimulatedDisk disk = new SimulatedDisk(512, 1L << 30);
        disk.makeFolders("/d");
        Simulation.Size size = new Simulation.Size(1, PAGE, 8, 2 + random.nextInt(2));
        List<Model> models = new ArrayList<>();
        try (Simulation simulation = new Simulation(disk, random, trace, size, rates, fault)) {
            for (int i = 0; i < FILES; i++) {
                disk.put("/d/file" + i, new byte[PAGES * PAGE]);
                DirectMode direct = random.nextBoolean() ? DirectMode.PREFERRED : DirectMode.OFF;
                open(simulation, "/d/file" + i, direct).ifPresent(file -> models.add(new Model(file)));
            }
            if (!names && random.nextBoolean()) {
                simulation.driver().losePowerAt(1 + random.nextInt(MOST_OPERATIONS));
            }
            int rounds = models.isEmpty() ? 0 : 10 + random.nextInt(40);
            for (int i = 0; i < rounds; i++) {
                Model model = models.get(random.nextInt(models.size()));
                try {
                    round(simulation, models, model, i);
                } catch (IoFailure failure) {
                    unexpected(simulation, failure);
                }
            }
            for (Model model : models) {
                try {
                    model.file.close();
                } catch (IoFailure failure) {
                    unexpected(simulation, failure);
                }
            }
            Simulation.expect("descriptors kept", simulation.engine().descriptors().kept(), 0);
            if (models.size() == FILES && rates.errors() == 0) {
                boolean turns = simulation.engine().descriptors().evictions() > 0;
                Simulation.expect("files take turns", turns ? 1 : 0, 1);
            }
        }
        if (!names) {
            SimulatedDisk after = disk.afterPowerLoss(random.split());
            for (Model model : models) {
                byte[] left = after.content(model.file.path()).orElseThrow();
                for (int page = 0; page < PAGES; page++) {
                    if (model.durable[page]) {
                        expectPage(model, page, left[page * PAGE], model.synced[page], "after the power loss");
                    }
                }
            }
        }
    }

    private Optional<VirtualFile> open(Simulation simulation, String path, DirectMode direct) {
        try {
            return Optional.of(VirtualFile.open(
                    simulation.engine(), Path.of(path), OpenOptions.updating().withDirect(direct)));
        } catch (IoFailure failure) {
            unexpected(simulation, failure);
            return Optional.empty();
        }
    }

    private void unexpected(Simulation simulation, IoFailure failure) {
        simulation.trace().add("failed: " + failure.getMessage());
        if (rates.errors() == 0 && !simulation.disk().isDead()) {
            throw new AssertionError("an error without a cause", failure);
        }
    }

    private static void expectPage(Model model, int page, byte found, byte expected, String when) {
        Simulation.expect("page " + page + " of " + model.file.path() + " " + when, found, expected);
    }

    private void round(Simulation simulation, List<Model> models, Model model, int round) throws IoFailure {
        SplittableRandom random = simulation.random();
        switch (random.nextInt(names ? 10 : 8)) {
            case 0, 1 -> sync(model);
            case 2, 3, 4 -> write(simulation, model, random.nextInt(PAGES), (byte) random.nextInt());
            case 5, 6, 7 -> read(simulation, model, random.nextInt(PAGES));
            case 8 -> rename(simulation, model, "/d/renamed" + round);
            default -> loseName(simulation, models, model);
        }
    }

    private static void sync(Model model) throws IoFailure {
        try {
            model.file.sync();
        } catch (FatalIoException failure) {
            model.failed = true;
            throw failure;
        }
        Simulation.expect("syncs of " + model.file.path() + " that succeed after one has failed", model.failed ? 1 : 0, 0);
        for (int page = 0; page < PAGES; page++) {
            model.synced[page] = model.written[page];
            model.durable[page] = !model.unsure[page];
        }
    }

    private static void write(Simulation simulation, Model model, int page, byte value) throws IoFailure {
        byte[] data = new byte[PAGE];
        java.util.Arrays.fill(data, value);
        try (OwnedBuffer buffer = simulation.engine().buffers().acquire()) {
            buffer.put(0, data, 0, PAGE);
            model.durable[page] = false;
            model.unsure[page] = true;
            model.file.write(buffer, 0, PAGE, (long) page * PAGE);
            model.written[page] = value;
            model.unsure[page] = false;
        }
    }

    private static void read(Simulation simulation, Model model, int page) throws IoFailure {
        try (OwnedBuffer buffer = simulation.engine().buffers().acquire()) {
            Simulation.expect("bytes read", model.file.read(buffer, 0, PAGE, (long) page * PAGE), PAGE);
            if (!model.unsure[page]) {
                expectPage(model, page, buffer.get(PAGE - 1), model.written[page], "when it is read");
            }
        }
    }

    private static void rename(Simulation simulation, Model model, String to) throws IoFailure {
        if (model.named) {
            simulation.engine().rename(Path.of(model.file.path()), Path.of(to), true);
            if (!model.file.path().equals(to)) {
                throw new AssertionError(model.file.path() + " was renamed to " + to + " and does not know");
            }
        }
    }

    /** Only one at a time, since it keeps its descriptor. */
    private static void loseName(Simulation simulation, List<Model> models, Model model) throws IoFailure {
        if (!models.stream().allMatch(one -> one.named)) {
            return;
        }
        Path path = Path.of(model.file.path());
        Model other = models.get(simulation.random().nextInt(models.size()));
        if (other == model) {
            simulation.engine().deleteIfExists(path);
        } else {
            simulation.engine().rename(Path.of(other.file.path()), path, false);
        }
        model.named = false;
        Simulation.expect("descriptors kept", simulation.engine().descriptors().kept(), 1);
    }
}
