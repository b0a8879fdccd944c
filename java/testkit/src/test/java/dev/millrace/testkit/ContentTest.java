// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ContentTest {
    private static final Content CHECK = Content.of("123456789");

    @Test
    void checksumsHaveTheirKnownCheckValues() {
        assertThat(CHECK.crc64nvme()).isEqualTo(0xAE8B14860A799888L);
        assertThat(CHECK.crc32c()).isEqualTo(0xE3069283);
        assertThat(S3Checksum.CRC64NVME.of(CHECK)).isEqualTo("rosUhgp5mIg=");
        assertThat(S3Checksum.CRC32.of(CHECK)).isEqualTo("y/Q5Jg==");
        assertThat(CHECK.sha256()).isEqualTo("15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
        assertThat(S3Checksum.CRC64NVME.header()).isEqualTo("x-amz-checksum-crc64nvme");
    }

    @Test
    void crc64OfManyBytesIsThatOfSingleOnes() {
        byte[] bytes = Content.pattern(5, 1003).toBytes();
        Crc64Nvme together = new Crc64Nvme();
        together.update(bytes, 0, 17);
        together.update(bytes, 17, bytes.length - 17);
        Crc64Nvme single = new Crc64Nvme();
        for (byte b : bytes) {
            single.update(b & 0xFF);
        }
        assertThat(together.getValue()).isEqualTo(single.getValue());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 8, 9, 63, 4095, 65_537})
    void anyPartOfAPatternIsThatPartOfTheWhole(int offset) {
        Content content = Content.pattern(42, 70_000);
        byte[] whole = content.toBytes();
        for (int length : new int[] {0, 1, 7, 8, 9, 100, 4000}) {
            ByteBuffer part = ByteBuffer.allocate(length);
            content.fill(offset, part);
            assertThat(part.array()).isEqualTo(java.util.Arrays.copyOfRange(whole, offset, offset + length));
        }
    }

    @Test
    void theEndOfAHugePatternNeedsNoMemory() {
        Content content = Content.pattern(1, 5L << 30);
        ByteBuffer end = ByteBuffer.allocate(10);
        content.fill(content.length() - 10, end);
        assertThat(content.firstDifference(content.length() - 10, end.flip())).isEmpty();
        assertThatThrownBy(() -> content.fill(content.length() - 9, ByteBuffer.allocate(10)))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void seedsDiffer() {
        assertThat(Content.pattern(1, 100).sha256())
                .isNotEqualTo(Content.pattern(2, 100).sha256());
    }

    @Test
    void namesTheFirstWrongByte(@TempDir Path folder) throws IOException {
        Content content = Content.pattern(3, 200_001);
        Path file = folder.resolve("file");
        byte[] bytes = content.toBytes();
        Files.write(file, bytes);
        assertThat(content.differenceFrom(file)).isEmpty();
        bytes[150_000] ^= 1;
        Files.write(file, bytes);
        assertThat(content.differenceFrom(file))
                .hasValueSatisfying(d -> assertThat(d).endsWith("has a wrong byte at offset 150000."));
        Files.write(file, new byte[3]);
        assertThat(content.differenceFrom(file))
                .hasValueSatisfying(d -> assertThat(d).endsWith("has 3 bytes instead of 200001."));
        assertThat(content.firstDifference(200_000, ByteBuffer.wrap(bytes, 200_000, 1)))
                .isEmpty();
        assertThat(content.firstDifference(200_001, ByteBuffer.wrap(bytes, 0, 1)))
                .hasValue(200_001);
    }

    @Test
    void streamsSkipAndEnd() throws IOException {
        Content content = Content.of("0123456789".getBytes(StandardCharsets.US_ASCII));
        try (var in = content.stream(2, 6)) {
            assertThat(in.read()).isEqualTo('2');
            assertThat(in.skip(2)).isEqualTo(2);
            assertThat(new String(in.readAllBytes(), StandardCharsets.US_ASCII)).isEqualTo("567");
            assertThat(in.read()).isEqualTo(-1);
        }
        assertThat(Content.zeros(3).toBytes()).containsOnly(0);
    }
}
