// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.layers.Generation;
import dev.millrace.layers.LayerFileName;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GeneratedTimelineTest {
    private static final TenantId TENANT = new TenantId("0123456789abcdef0123456789abcdef");
    private static final TimelineId TIMELINE = new TimelineId("fedcba9876543210fedcba9876543210");

    @TempDir
    Path folder;

    @Test
    void layersHaveAboutTheirSizeAndTheSameBytesEachTime() throws Exception {
        try (IoEngine engine = IoEngine.open(
                IoEngineConfig.defaults().withEngine(EngineKind.BLOCKING).withPool(4, 1 << 16))) {
            for (long size : List.of(1024L, 64L << 10, 1L << 20)) {
                GeneratedTimeline timeline = new GeneratedTimeline(7, GeneratedTimeline.Kind.MIXED, 2, size);
                for (int layer = 0; layer < 2; layer++) {
                    Path once = Files.createDirectory(folder.resolve("a-" + size + "-" + layer));
                    Path twice = Files.createDirectory(folder.resolve("b-" + size + "-" + layer));
                    Path file = timeline.write(engine, once, TENANT, TIMELINE, Generation.FIRST, layer);
                    Path again = timeline.write(engine, twice, TENANT, TIMELINE, Generation.FIRST, layer);
                    assertThat(file.getFileName())
                            .hasToString(LayerFileName.of(timeline.name(layer), Generation.FIRST)
                                    .toString());
                    assertThat(Files.mismatch(file, again)).isEqualTo(-1);
                    // The summary, the last block of values and one of the index come on top.
                    assertThat(Files.size(file)).isBetween(size * 9 / 10, size + 4 * 8192);
                    LayerReaders readers = new LayerReaders(engine, new BlockCache(1 << 20));
                    try (LayerReader reader = LayerReader.open(readers, file, timeline.name(layer), TENANT, TIMELINE)) {
                        assertThat(LayerInspection.of(reader).isSound()).isTrue();
                    }
                }
            }
        }
    }

    @Test
    void namesOfAllKindsParse() {
        for (GeneratedTimeline.Kind kind : GeneratedTimeline.Kind.values()) {
            GeneratedTimeline timeline = new GeneratedTimeline(0, kind, 9, 4096);
            for (int layer = 0; layer < 9; layer++) {
                LayerName name = timeline.name(layer);
                assertThat(LayerName.parse(name + "-00000001")).isEqualTo(name);
            }
        }
    }

    @Test
    void saysWhichVersionsAReadYields() {
        GeneratedTimeline mixed = new GeneratedTimeline(0, GeneratedTimeline.Kind.MIXED, 2, 1 << 20);
        assertThat(mixed.versions(4, new Lsn(0xf))).isEmpty();
        assertThat(mixed.versions(4, new Lsn(0x10))).containsExactly(new Lsn(0x10));
        assertThat(mixed.versions(4, new Lsn(0x14))).containsExactly(new Lsn(0x10));
        assertThat(mixed.versions(4, new Lsn(0x15))).containsExactly(new Lsn(0x15), new Lsn(0x10));
        assertThat(mixed.versions(5, Lsn.MAX)).containsExactly(new Lsn(0x16));
        assertThat(mixed.versions(mixed.keys(), Lsn.MAX)).isEmpty();
        GeneratedTimeline deltas = new GeneratedTimeline(0, GeneratedTimeline.Kind.DELTA, 1, 1 << 20);
        assertThat(deltas.versions(4, new Lsn(0x14))).isEmpty();
        assertThat(deltas.versions(4, new Lsn(0x15))).containsExactly(new Lsn(0x15));
    }

    @Test
    void refusesWhatCannotBe() {
        assertThatThrownBy(() -> new GeneratedTimeline(0, GeneratedTimeline.Kind.BLOB, 0, 4096))
                .hasMessageContaining("0 layers");
        assertThatThrownBy(() -> new GeneratedTimeline(0, GeneratedTimeline.Kind.BLOB, 1, 10))
                .hasMessageContaining("10 bytes");
        assertThatThrownBy(() -> GeneratedTimeline.Kind.parse("all")).hasMessageContaining("image, delta, mixed");
    }
}
