// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EngineSmokeTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void copiesAStreamAndReadsItBack(EngineKind kind) throws Exception {
        try (IoEngine engine =
                IoEngine.open(IoEngineConfig.defaults().withEngine(kind).withPool(8, 1 << 20))) {
            System.out.println(engine.status());
            Path path = folder.resolve("x");
            byte[] data = new byte[5_000_001];
            new java.util.Random(1).nextBytes(data);
            try (VirtualFile file =
                    VirtualFile.open(engine, path, OpenOptions.creatingNew().withDirect(DirectMode.PREFERRED))) {
                System.out.println(file.isDirect() + " " + file.alignment() + " " + file.stat());
                System.out.println("reserved " + file.reserve(file.alignment().roundUp(data.length)));
                Object gate = new Object();
                boolean[] ready = {false};
                CopyLoop copy =
                        CopyLoop.start(file, 0, file.alignment().roundUp(data.length), 3, (b, a, l) -> {}, () -> {
                            synchronized (gate) {
                                ready[0] = true;
                                gate.notifyAll();
                            }
                        });
                ByteBuffer source = ByteBuffer.wrap(data);
                while (source.hasRemaining()) {
                    source.limit(Math.min(data.length, source.position() + 8192));
                    while (!copy.write(source)) {
                        synchronized (gate) {
                            while (!ready[0]) {
                                gate.wait();
                            }
                            ready[0] = false;
                        }
                    }
                    source.limit(data.length);
                }
                CompletableFuture<Optional<IoFailure>> done = new CompletableFuture<>();
                copy.finish(done::complete);
                assertThat(done.join()).isEmpty();
                file.sync();
                file.syncAsync().join();
            }
            engine.syncDirectory(folder);
            assertThat(Files.readAllBytes(path)).isEqualTo(data);
            System.out.println(engine.counters());
            assertThat(engine.buffers().available()).isEqualTo(8);
        }
    }
}
