// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.engine.EngineCounters;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.S3Checksum;
import dev.millrace.testkit.ScriptedObject;
import dev.millrace.testkit.ScriptedServer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** By counters, not clocks: every byte goes through the ring once, from registered buffers, and no kernel worker helps. */
final class CountersTest {
    private static final long SIZE = 1L << 30;
    private static final int BUFFERS = 16;

    @TempDir
    Path folder;

    /** In a process of its own: kernel workers are counted for a process, and other tests have some. */
    public static final class Counting {
        private Counting() {}

        public static void main(String[] arguments) throws Exception {
            try (S3Source source = Rig.source(URI.create(arguments[0]));
                    IoEngine engine = IoEngine.open(IoEngineConfig.defaults()
                            .withEngine(EngineKind.IO_URING)
                            .withPool(BUFFERS, 1 << 20));
                    Downloader downloader = Downloader.open(engine, source, DownloaderConfig.defaults())) {
                DownloadResult result =
                        Rig.await(downloader.download(DownloadRequest.of(Rig.id("key"), Path.of(arguments[1]))));
                assertThat(result.verified()).isEqualTo("crc64nvme");
                EngineCounters counters = engine.counters();
                assertThat(counters.bytesWritten()).isEqualTo(SIZE);
                long writes = SIZE >> 20;
                assertThat(counters.enters()).isLessThanOrEqualTo(2 * writes + 50);
                if (result.direct()) {
                    assertThat(counters.kernelWorkers()).isZero();
                }
                if (counters.registeredBuffers() == BUFFERS) {
                    assertThat(counters.fixed()).isEqualTo(writes);
                    assertThat(counters.plain()).isZero();
                }
            }
        }
    }

    @Test
    void shouldWriteEachByteOnceThroughTheRing() throws Exception {
        Assumptions.assumeTrue(
                Engines.working().anyMatch(kind -> kind == EngineKind.IO_URING), "io_uring does not work here");
        Content content = Content.zeros(SIZE);
        try (ScriptedServer server = ScriptedServer.start()) {
            server.put(Rig.BUCKET, "key", ScriptedObject.of(content).withChecksum(S3Checksum.CRC64NVME));
            Process process = ChildJvm.of(
                            Counting.class,
                            server.endpoint().toString(),
                            folder.resolve("out").toString())
                    .redirectErrorStream(true)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(said).isZero();
            Rig.assertSame(folder.resolve("out"), content);
        }
    }
}
