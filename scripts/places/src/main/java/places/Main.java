// SPDX-License-Identifier: Apache-2.0
package places;

import dev.millrace.io.DirectMode;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;

/** A user's program for scripts/test-places: writes a file, reads it back, prints the engine and the binding. */
public final class Main implements Callable<String>, AutoCloseable {
    private static final int BYTES = 4096;

    private final IoEngine engine;
    private final Path path;

    /** Opens an engine. */
    public Main(String binding, Path path) throws EngineUnavailableException {
        IoEngineConfig config =
                IoEngineConfig.defaults().withSlots(64).withWorkers(1).withPool(2, 64 << 10);
        // "auto" is also what an absent setting means, but here the test's word must win over any setting.
        this.engine = IoEngine.open(config.withEngine(Optional.empty()).withBinding(binding));
        this.path = path;
    }

    /** Writes and reads back. */
    @Override
    public String call() throws Exception {
        try (VirtualFile file =
                        VirtualFile.open(engine, path, OpenOptions.creating().withDirect(DirectMode.PREFERRED));
                OwnedBuffer buffer = engine.buffers().acquire()) {
            buffer.fill(0, BYTES, (byte) 42);
            file.write(buffer, 0, BYTES, 0);
            buffer.fill(0, BYTES, (byte) 0);
            // On a platform thread a call runs on that thread; a future goes through the engine.
            int count = file.readAsync(buffer, 0, BYTES, 0).join().bytes();
            if (count != BYTES || buffer.get(0) != 42 || buffer.get(BYTES - 1) != 42) {
                throw new IllegalStateException("other bytes were read than written");
            }
        }
        Files.delete(path);
        return engine.kind().label() + " " + engine.status().binding();
    }

    @Override
    public void close() {
        engine.close();
    }

    /** BINDING FILE [CLASS]: the class is this one under another name, used at the same time in the same JVM. */
    public static void main(String[] args) throws Exception {
        List<AutoCloseable> open = new ArrayList<>();
        try {
            open.add(new Main(args[0], Path.of(args[1])));
            if (args.length > 2) {
                open.add((AutoCloseable) Class.forName(args[2])
                        .getConstructor(String.class, Path.class)
                        .newInstance(args[0], Path.of(args[1] + "-2")));
            }
            // Twice, and in turn, so that each is used while the other is open.
            StringBuilder first = new StringBuilder();
            for (AutoCloseable session : open) {
                first.append(((Callable<?>) session).call()).append('\n');
            }
            for (AutoCloseable session : open) {
                ((Callable<?>) session).call();
            }
            System.out.print(first);
        } catch (EngineUnavailableException e) {
            System.err.println(e.getMessage());
            System.exit(3);
        } finally {
            for (AutoCloseable session : open) {
                session.close();
            }
        }
    }
}
