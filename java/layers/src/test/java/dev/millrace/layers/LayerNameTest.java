// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LayerNameTest {
    private static final String START = "000000067F00004004000060090000000000";
    private static final String END = "000000067F00004004000060090000000001";
    private static final String KEYS = START + "-" + END;
    private static final String IMAGE = KEYS + "__000000000169C3B0";
    private static final String DELTA = KEYS + "__000000000169C3B0-00000001000000FF";

    @ParameterizedTest
    @ValueSource(strings = {IMAGE, DELTA, "segment-17", "x", "a_b"})
    void meansTheSameLayerWithAndWithoutAGeneration(String name) {
        LayerName layer = LayerName.parse(name);
        assertThat(layer).hasToString(name);
        assertThat(LayerName.parse(name + "-0000002a")).isEqualTo(layer);
        assertThat(LayerName.parse(name + "-v1-0000002a")).isEqualTo(layer);
        LayerFileName file = LayerFileName.parse(name + "-v1-0000002a");
        assertThat(file.generation()).isEqualTo(Optional.of(new Generation(42)));
        assertThat(file).hasToString(name + "-0000002a");
    }

    @Test
    void saysWhatALayerHolds() {
        KeyRange keys = new KeyRange(LayerKey.parse(START), LayerKey.parse(END));
        assertThat(LayerName.parse(IMAGE)).isEqualTo(new LayerName.Image(keys, new Lsn(0x169C3B0)));
        assertThat(LayerName.parse(DELTA))
                .isEqualTo(new LayerName.Delta(keys, new LsnRange(new Lsn(0x169C3B0), new Lsn(0x1000000FFL))));
        assertThat(LayerName.parse("segment-17").kind()).isEqualTo(LayerKind.BLOB);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | it is empty",
                "a/b | no separators and no dots",
                "..  | no separators and no dots",
                "a.b | no separators and no dots",
                START + "-" + START + "__000000000169C3B0 | empty",
                END + "-" + START + "__000000000169C3B0 | reversed",
                KEYS + "__00000001000000FF-000000000169C3B0 | reversed",
                KEYS + "__000000000169C3B0-000000000169C3B0 | empty",
                KEYS + "__000000000169c3b0 | is not an LSN",
                KEYS + "__169C3B0 | is not an LSN",
                START + "__000000000169C3B0 | is not a range of keys",
                "000000067f00004004000060090000000000-" + END + "__000000000169C3B0 | is not a key",
                "a__b | is not a range of keys",
            })
    void refusesWhatIsNoNameWithTheReason(String name, String reason) {
        assertThatThrownBy(() -> LayerName.parse(name))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is not the name of a layer")
                .hasMessageContaining(reason);
    }

    @Test
    void refusesABlobWhoseNameIsTooLongOrEndsInAGeneration() {
        assertThatThrownBy(() -> LayerName.parse("x".repeat(201))).hasMessageContaining("at most 200");
        assertThatThrownBy(() -> new LayerName.Blob("x-0000002a")).hasMessageContaining("generation");
    }

    @Test
    void ordersKeysAsTheirBytes() {
        LayerKey key = LayerKey.parse("FFFFFFFFFFFFFFFF8000000000000000FFFF");
        ByteBuffer bytes = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
        key.put(bytes, 1);
        assertThat(LayerKey.get(bytes, 1)).isEqualTo(key).hasToString("FFFFFFFFFFFFFFFF8000000000000000FFFF");
        assertThat(bytes.get(1)).isEqualTo((byte) 0xff);
        assertThat(key).isGreaterThan(LayerKey.MIN).isLessThan(LayerKey.MAX);
        assertThat(key.next()).contains(LayerKey.parse("FFFFFFFFFFFFFFFF80000000000000010000"));
        assertThat(LayerKey.MAX.next()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"0, 0/0", "16B9188, 0/16B9188", "FFFFFFFFFFFFFFFF, FFFFFFFF/FFFFFFFF", "1000000FF, 1/FF"})
    void saysVersionsAsJsonDoes(String hex, String text) {
        Lsn lsn = new Lsn(Long.parseUnsignedLong(hex, 16));
        assertThat(lsn).hasToString(text);
        assertThat(Lsn.parse(text)).isEqualTo(lsn);
        assertThat(Lsn.parseName(lsn.toName())).isEqualTo(lsn);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "/", "1/", "/1", "0/G", "123456789/0", "0/-1"})
    void refusesWhatIsNoVersion(String text) {
        assertThatThrownBy(() -> Lsn.parse(text)).hasMessageContaining("is not an LSN");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "..", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdef0"})
    void refusesWhatIsNoId(String text) {
        assertThatThrownBy(() -> new TenantId(text)).hasMessageContaining("32 lower-case hex digits");
        assertThatThrownBy(() -> new TimelineId(text)).hasMessageContaining("32 lower-case hex digits");
    }
}
