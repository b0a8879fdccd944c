// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Optional;

/** All entries of a layer as text, a line each, for people. */
public final class LayerDump {
    /** Bytes of each value that are shown. */
    private static final int SHOWN = 16;

    private LayerDump() {}

    /**
     * Writes a layer's lines: key, LSN, bytes, {@code init} or {@code -}, how it is stored, and its first bytes.
     *
     * @param out takes the text as it comes
     * @throws IOException where a block cannot be had, after the lines before it, or {@code out} throws it
     */
    public static void write(LayerReader reader, Appendable out) throws IOException {
        LayerSummary summary = reader.summary();
        out.append("# ").append(summary.name().kind().label()).append(' ');
        out.append(summary.name().toString())
                .append(" of tenant ")
                .append(summary.tenant().text());
        out.append(", timeline ").append(summary.timeline().text()).append(", ");
        out.append(Long.toString(summary.entries())).append(" entries\n");
        try (EntryCursor entries = reader.entries();
                RecordCursor records = reader.records()) {
            for (Optional<LayerEntry> next = entries.next(); next.isPresent(); next = entries.next()) {
                LayerEntry entry = next.get();
                LayerRecord record = records.next().orElseThrow();
                out.append(entry.key().toString())
                        .append(' ')
                        .append(entry.lsn().toString());
                out.append(' ').append(Integer.toString(entry.length()));
                out.append(entry.willInit() ? " init" : " -");
                out.append(entry.compressed() ? " zstd:" + entry.storedLength() : " plain");
                out.append(" block ").append(Long.toString(entry.block())).append(' ');
                out.append(shown(record.value())).append('\n');
            }
        }
    }

    private static String shown(ByteBuffer value) {
        byte[] first = new byte[Math.min(SHOWN, value.remaining())];
        value.get(value.position(), first);
        return HexFormat.of().formatHex(first) + (value.remaining() > SHOWN ? "..." : "");
    }
}
