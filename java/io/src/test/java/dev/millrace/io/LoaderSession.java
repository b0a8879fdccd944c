// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.bindings.Bindings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a web application would do: opens an engine, writes and reads a file through it, and closes. */
public final class LoaderSession {
    private LoaderSession() {}

    /** The binding of this loader's classes. */
    public static Object load(String binding) {
        Bindings bindings = Bindings.load(Optional.of(binding));
        return bindings.nativeIo().orElseThrow(() -> new IllegalStateException(bindings.reasons()));
    }

    /** Fails where the engine is not over the binding, or the bytes are not those that were written. */
    public static void run(String folder, String binding) throws Exception {
        Path path = Path.of(folder, "session");
        IoEngineConfig config = IoEngineConfig.defaults()
                .withEngine(Optional.empty())
                .withSlots(64)
                .withWorkers(1)
                .withPool(2, 64 << 10);
        try (IoEngine engine = IoEngine.open(config)) {
            if (!engine.status().binding().equals(binding)) {
                throw new IllegalStateException("runs over " + engine.status().binding() + ": "
                        + engine.status().notes());
            }
            OwnedBuffer buffer = engine.buffers().tryAcquire().orElseThrow();
            try (VirtualFile file = VirtualFile.open(engine, path, OpenOptions.creating())) {
                buffer.fill(0, 4096, (byte) 7);
                file.write(buffer, 0, 4096, 0);
                buffer.fill(0, 4096, (byte) 0);
                if (file.read(buffer, 0, 4096, 0) != 4096 || buffer.get(4095) != 7) {
                    throw new IllegalStateException("other bytes were read than written");
                }
            } finally {
                buffer.close();
            }
        }
        Files.delete(path);
    }

    /** FOLDER BINDING BUFFERS: the same with so many buffers of 2 MiB, each of which is written to. */
    public static void main(String[] args) throws Exception {
        run(args[0], args[1]);
        IoEngineConfig config = IoEngineConfig.defaults()
                .withEngine(Optional.empty())
                .withSlots(64)
                .withWorkers(1)
                .withPool(Integer.parseInt(args[2]), 2 << 20);
        try (IoEngine engine = IoEngine.open(config)) {
            List<OwnedBuffer> all = new ArrayList<>();
            for (int i = 0; i < engine.buffers().size(); i++) {
                OwnedBuffer buffer = engine.buffers().acquire();
                buffer.fill(0, buffer.capacity(), (byte) i);
                all.add(buffer);
            }
            all.forEach(OwnedBuffer::close);
            System.out.println(
                    "filled " + all.size() + " buffers over " + engine.status().binding());
        }
    }
}
