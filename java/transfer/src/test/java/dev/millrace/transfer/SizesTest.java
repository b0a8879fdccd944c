// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.Fault;
import dev.millrace.testkit.S3Checksum;
import dev.millrace.testkit.ScriptedObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sizes and chunks around every edge. */
final class SizesTest {
    private static final int B = Engines.BUFFER;

    @TempDir
    Path folder;

    static List<EngineKind> engines() {
        return Engines.working().toList();
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldDownloadEverySize(EngineKind kind) throws IOException {
        try (Rig rig = new Rig(kind, folder)) {
            for (long size : new long[] {
                0, 1, 511, 512, 513, 4095, 4096, 4097, B - 1, B, B + 1, 3L * B - 1, 3L * B, 3L * B + 1, 40L * B + 7
            }) {
                Content content = Content.pattern(size, size);
                rig.put("key", ScriptedObject.of(content).withChecksum(S3Checksum.CRC32C));
                DownloadResult result = rig.get("key");
                Rig.assertSame(result.target(), content);
                assertThat(result.verified()).isEqualTo("crc32c");
                assertThat(rig.get(rig.request("key").withExpectedLength(size)).bytes())
                        .isEqualTo(size);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldDownloadEverySizeOfUnknownLength(EngineKind kind) throws IOException {
        try (Rig rig = new Rig(kind, folder)) {
            for (int chunk : new int[] {1, 4096, B, 5 * B}) {
                for (long size : new long[] {0, 1, 4096, B - 1, B, B + 1, 3L * B + 1}) {
                    Content content = Content.pattern(size, Math.min(size, 3000L * chunk));
                    rig.put("key", content);
                    rig.server.clearRules();
                    rig.server.onAny().then(new Fault.ChunkedBody(chunk));
                    Rig.assertSame(rig.get("key").target(), content);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldBreakAndResumeAroundEveryEdge(EngineKind kind) throws IOException {
        try (Rig rig = new Rig(kind, folder)) {
            Content content = Content.pattern(3, 4L * B + 100);
            rig.put("key", ScriptedObject.of(content).withChecksum(S3Checksum.CRC64NVME));
            for (long at : new long[] {1, 511, 512, 4096, B - 1, B, B + 1, 2L * B, 4L * B, 4L * B + 99}) {
                rig.server.onAny().once().then(new Fault.CloseAfter(at));
                assertThat(rig.get("key").verified()).isEqualTo("crc64nvme");
                Rig.assertSame(rig.target("out"), content);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldDownloadManyAtOnceWithFewBuffers(EngineKind kind) throws IOException {
        try (Rig rig = new Rig(kind, folder, Rig.CONFIG.withPermits(64, 8))) {
            List<java.util.concurrent.CompletableFuture<DownloadResult>> all = new java.util.ArrayList<>();
            for (int i = 0; i < 100; i++) {
                rig.put(
                        "key" + i,
                        ScriptedObject.of(Content.pattern(i, 300_000 + i)).withChecksum(S3Checksum.CRC32));
            }
            rig.server.onAny().skip(20).times(10).then(new Fault.CloseAfter(100_000));
            for (int i = 0; i < 100; i++) {
                all.add(rig.downloader.download(DownloadRequest.of(Rig.id("key" + i), rig.target("d/out" + i))));
            }
            for (int i = 0; i < 100; i++) {
                assertThat(Rig.await(all.get(i)).verified()).isEqualTo("crc32");
                Rig.assertSame(rig.target("d/out" + i), Content.pattern(i, 300_000 + i));
            }
        }
    }
}
