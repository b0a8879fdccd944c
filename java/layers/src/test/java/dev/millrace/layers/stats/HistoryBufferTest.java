// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class HistoryBufferTest {
    private static HistoryBuffer<Integer> filled(int capacity, int entries) {
        HistoryBuffer<Integer> buffer = new HistoryBuffer<>(capacity);
        for (int i = 0; i < entries; i++) {
            buffer.write(i);
        }
        return buffer;
    }

    @Test
    void dropsTheOldestOnceItIsFullAndCounts() {
        HistoryBuffer<Integer> buffer = filled(3, 2);
        buffer.write(2);
        assertThat(buffer.size()).isEqualTo(3);
        assertThat(buffer.dropCount()).isZero();
        buffer.write(3);
        assertThat(buffer.size()).as("unchanged after a write: one was dropped").isEqualTo(3);
        assertThat(buffer.dropCount()).isEqualTo(1);
        assertThat(buffer).containsExactly(1, 2, 3);
        for (int i = 4; i < 100; i++) {
            buffer.write(i);
        }
        assertThat(buffer).containsExactly(97, 98, 99);
        assertThat(buffer.dropCount()).isEqualTo(97);
    }

    @Test
    void mapsInOrderAndKeepsTheDropCount() {
        HistoryBuffer<String> mapped = filled(3, 5).map(number -> "n" + number);
        assertThat(mapped).containsExactly("n2", "n3", "n4");
        assertThat(mapped.dropCount()).isEqualTo(2);
        assertThat(mapped.capacity()).isEqualTo(3);
    }

    @Test
    void copiesAreIndependent() {
        HistoryBuffer<Integer> buffer = filled(3, 4);
        HistoryBuffer<Integer> copy = buffer.copy();
        assertThat(copy).isEqualTo(buffer).hasSameHashCodeAs(buffer);
        copy.write(7);
        assertThat(buffer).containsExactly(1, 2, 3);
        assertThat(buffer.dropCount()).isEqualTo(1);
        buffer.write(8);
        assertThat(copy).containsExactly(2, 3, 7).isNotEqualTo(buffer);
    }

    @Test
    void isEqualByCapacityEntriesOrderAndDropCount() {
        HistoryBuffer<Integer> buffer = HistoryBuffer.of(3, List.of(1, 2), 4);
        assertThat(buffer).isEqualTo(HistoryBuffer.of(3, List.of(1, 2), 4));
        assertThat(buffer).isNotEqualTo(HistoryBuffer.of(4, List.of(1, 2), 4));
        assertThat(buffer).isNotEqualTo(HistoryBuffer.of(3, List.of(2, 1), 4));
        assertThat(buffer).isNotEqualTo(HistoryBuffer.of(3, List.of(1, 2), 5));
        assertThat(HistoryBuffer.of(3, List.of(2, 3, 4), 2)).isEqualTo(filled(3, 5));
    }

    @Test
    void refusesWhatCannotBe() {
        assertThatThrownBy(() -> new HistoryBuffer<>(0)).hasMessageContaining("at least 1");
        assertThatThrownBy(() -> HistoryBuffer.of(1, List.of(1, 2), 0)).hasMessageContaining("cannot hold the 2");
        assertThatThrownBy(() -> HistoryBuffer.of(1, List.of(), -1)).hasMessageContaining("-1");
        assertThatThrownBy(() -> filled(1, 0).iterator().next()).hasMessageContaining("has 0 entries");
    }
}
