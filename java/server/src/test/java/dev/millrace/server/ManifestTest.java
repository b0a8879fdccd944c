// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ManifestTest {
    private static Manifest read(String text) throws CommandFailure, IOException {
        return Manifest.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "m");
    }

    private static List<String> lines(Manifest manifest) {
        List<String> all = new ArrayList<>();
        manifest.forEach(line -> all.add(line.source() + "=>" + line.target()));
        return all;
    }

    @Test
    void linesAreSourcesAndTargets() throws Exception {
        Manifest manifest = read("s3://b/k\n\ns3://b/p/\tin/here/\r\n\r\ns3://b/ä ö+%2F\ta..b/c\n\n");
        assertThat(lines(manifest)).containsExactly("s3://b/k=>", "s3://b/p/=>in/here/", "s3://b/ä ö+%2F=>a..b/c");
        assertThat(manifest.size()).isEqualTo(3);
        assertThat(lines(manifest)).hasSize(3); // as often as one likes
        assertThat(lines(read("s3://b/k"))).containsExactly("s3://b/k=>");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "k|is no source",
                "s3://b/k\\t|nothing follows the tab",
                "s3://b/k\\ta\\tb|more than one tab",
                "s3://b/k\\t/etc/passwd|absolute",
                "s3://b/k\\ta/../b|'..'",
                "s3://b/k\\t..|'..'",
                "s3://b/k\\t./a|'.'",
                "s3://b/k\\ta//b|no name of a file",
                "# comment|is no source"
            })
    void aBadLineIsNamedByItsNumber(String line, String reason) {
        String text = "s3://b/good\n\n" + line.replace("\\t", "\t") + "\ns3://b/good\n";
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(CommandFailure.class)
                .hasMessageStartingWith("Line 3 of the manifest m is bad: ")
                .hasMessageContaining(reason);
    }

    @Test
    void badBytesAndLongLinesAreNamed() {
        byte[] bad = {'s', '3', ':', '/', '/', 'b', '/', (byte) 0xff, '\n'};
        assertThatThrownBy(() -> Manifest.read(new ByteArrayInputStream(bad), "m"))
                .hasMessageContaining("Line 1")
                .hasMessageContaining("not UTF-8");
        assertThatThrownBy(() -> read("s3://b/" + "x".repeat(20_000))).hasMessageContaining("longer than");
        assertThatThrownBy(() -> read("\n\r\n")).hasMessageContaining("is empty");
    }

    @Test
    void anEndlessOneIsCutOff() {
        InputStream endless = new InputStream() {
            @Override
            public int read() {
                return '\n';
            }

            @Override
            public int read(byte[] into, int at, int length) {
                Arrays.fill(into, at, at + length, (byte) '\n');
                return length;
            }
        };
        assertThatThrownBy(() -> Manifest.read(endless, "m")).hasMessageContaining("larger than 64 MiB");
    }
}
