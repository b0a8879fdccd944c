// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.Fault;
import dev.millrace.testkit.S3Checksum;
import dev.millrace.testkit.ScriptedObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Straight and in order to a channel. */
final class StreamTest {
    private static final Content CONTENT = Content.pattern(1, 1_000_003);

    @TempDir
    Path folder;

    static List<EngineKind> engines() {
        return Engines.working().toList();
    }

    private Rig rig(EngineKind kind) throws IOException {
        return new Rig(kind, folder).put("key", ScriptedObject.of(CONTENT).withChecksum(S3Checksum.CRC64NVME));
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldResumeAndVerify(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            rig.server.onAny().inTurn(new Fault.ResetAfter(300_000), new Fault.CloseAfter(300_000));
            DownloadResult result = Rig.await(rig.downloader.stream(Rig.id("key"), Channels.newChannel(out)));
            assertThat(out.toByteArray()).isEqualTo(CONTENT.toBytes());
            assertThat(result.verified()).isEqualTo("crc64nvme");
            assertThat(result.retries()).isEqualTo(2);
            rig.put("empty", Content.of(""));
            assertThat(Rig.await(rig.downloader.stream(Rig.id("empty"), Channels.newChannel(out)))
                            .bytes())
                    .isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldFailWhereBytesThatAreOutWereWrong(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().then(new Fault.CorruptByte(3));
            assertThatThrownBy(() -> Rig.await(
                            rig.downloader.stream(Rig.id("key"), Channels.newChannel(new ByteArrayOutputStream()))))
                    .isInstanceOf(DownloadFailure.ChecksumMismatch.class)
                    .hasMessageContaining("cannot be taken back");
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldFailWhenTheChannelDoes(EngineKind kind) throws IOException {
        WritableByteChannel broken = new WritableByteChannel() {
            @Override
            public int write(ByteBuffer bytes) throws IOException {
                throw new IOException("Broken pipe");
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}
        };
        try (Rig rig = rig(kind)) {
            assertThatThrownBy(() -> Rig.await(rig.downloader.stream(Rig.id("key"), broken)))
                    .isInstanceOf(DownloadFailure.LocalDisk.class)
                    .hasMessageContaining("Broken pipe");
            assertThatThrownBy(() -> Rig.await(rig.downloader.stream(Rig.id("missing"), broken)))
                    .isInstanceOf(DownloadFailure.ObjectMissing.class);
        }
    }
}
