// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What a web application would do: opens an engine, writes and reads a file through it, and closes. */
public final class LoaderSession {
    private LoaderSession() {}

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
}
