// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import dev.millrace.benchmarks.soak.Counts.Kind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Makes, opens, renames and removes small files; opens are cancelled, too. Runs on a virtual thread. */
final class ChurnWorker extends Worker {
    private static final int MOST_FILES = 24;
    private static final int CANCEL_ONE_IN = 4;

    /** A file of one block of the first version. */
    private record Small(Path path, FileModel model) {}

    private final List<Small> files = new ArrayList<>();
    private boolean inTheMiddle;
    private int number;

    ChurnWorker(String name, long seed, Path parent, Counts counts) throws IOException {
        super(name, seed, parent, counts);
    }

    @Override
    boolean isVirtual() {
        return true;
    }

    @Override
    void begin(IoEngine engine) throws Exception {
        if (!inTheMiddle) {
            return; // what the engine before has left is read by this one
        }
        files.clear();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            for (Path path : stream) {
                engine.deleteIfExists(path);
            }
        }
        inTheMiddle = false;
    }

    @Override
    void end() {
        // Nothing stays open between steps.
    }

    @Override
    void step(IoEngine engine) throws Exception {
        inTheMiddle = true;
        if (files.isEmpty() || (files.size() < MOST_FILES && random.nextInt(4) == 0)) {
            make(engine);
        } else {
            int which = random.nextInt(files.size());
            Small small = files.get(which);
            switch (random.nextInt(4)) {
                case 0 -> files.set(which, rename(engine, small));
                case 1 -> remove(engine, which);
                case 2 -> openAndThinkBetter(engine, small);
                default -> read(engine, small);
            }
        }
        inTheMiddle = false;
    }

    private void make(IoEngine engine) throws Exception {
        Path path = folder.resolve("small-" + number++);
        FileModel model = new FileModel(random.nextLong(), 1, counts);
        try (VirtualFile file = VirtualFile.open(engine, path, OpenOptions.creatingNew());
                OwnedBuffer buffer = engine.buffers().acquire()) {
            int version = model.begin(0, 1);
            model.fill(buffer, 0, 1, version);
            file.write(buffer, 0, FileModel.BLOCK, 0);
            model.wrote(0, 1, version);
        }
        counts.add(Kind.OPEN);
        counts.add(Kind.WRITE);
        counts.add(Kind.CLOSE);
        files.add(new Small(path, model));
    }

    private void read(IoEngine engine, Small small) throws Exception {
        try (VirtualFile file = VirtualFile.open(engine, small.path, OpenOptions.reading());
                OwnedBuffer buffer = engine.buffers().acquire()) {
            small.model.check(buffer, 0, 1, file.read(buffer, 0, FileModel.BLOCK, 0));
        }
        counts.add(Kind.OPEN);
        counts.add(Kind.READ);
        counts.add(Kind.CLOSE);
    }

    private Small rename(IoEngine engine, Small small) throws IoFailure {
        Path to = folder.resolve("small-" + number++);
        engine.rename(small.path, to, random.nextBoolean());
        counts.add(Kind.RENAME);
        return new Small(to, small.model);
    }

    private void remove(IoEngine engine, int which) throws Exception {
        Small small = files.remove(which);
        if (!engine.deleteIfExists(small.path) || engine.deleteIfExists(small.path)) {
            throw new MismatchException(small.path + " was not removed once");
        }
        counts.add(Kind.UNLINK, 2);
    }

    /** Nobody gets what a cancelled open has opened: it must be closed by itself. */
    private void openAndThinkBetter(IoEngine engine, Small small) throws Exception {
        CompletableFuture<VirtualFile> opening = VirtualFile.openAsync(engine, small.path, OpenOptions.reading());
        counts.add(Kind.OPEN);
        counts.add(Kind.CLOSE);
        if (random.nextInt(CANCEL_ONE_IN) == 0) {
            counts.add(Kind.CANCELS);
            if (opening.cancel(true)) {
                counts.add(Kind.CANCELS_THAT_WON);
                return;
            }
        }
        await("an open of " + small.path, opening).close();
    }
}
