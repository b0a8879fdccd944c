// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeyPathsTest {
    @TempDir
    Path folder;

    private Path resolve(String relative) throws KeyRefusedException {
        return new KeyPaths(folder).resolve("k/" + relative, relative, 1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a",
                "a/b/c",
                "a..b",
                "...",
                "a b",
                "a+b%2F",
                "a?b#c",
                "~",
                "-",
                "*",
                "\\",
                "ä/日本/😀",
                "a\nb",
                " ",
                ".a",
                "c:d",
                "a\u0001b",
                "..a",
                "CON"
            })
    void namesAreTheKeysOwn(String key) throws IOException {
        assertThat(folder.relativize(resolve(key)).toString()).isEqualTo(key);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "../a|'..'",
                "a/../b|'..'",
                "a/..|'..'",
                "./a|'.'",
                "a/./b|'.'",
                "/a|empty part",
                "a//b|empty part",
                "//|empty part",
                ".0123456789abcdef0123456789abcdef.millrace-part|temporary",
                "a/.0123456789abcdef0123456789abcdef.millrace-part|temporary"
            })
    void whatIsNoNameIsRefused(String key, String reason) {
        assertThatThrownBy(() -> new KeyPaths(folder).resolve("k", key, 0))
                .isInstanceOf(KeyRefusedException.class)
                .hasMessageContaining(reason.replace("'..'", "'..'"))
                .hasMessageContaining("The key k is refused");
    }

    @Test
    void nulAndBrokenUnicodeAreRefused() {
        assertThatThrownBy(() -> resolve("a\0b")).hasMessageContaining("NUL");
        assertThatThrownBy(() -> resolve("a\ud800")).hasMessageContaining("Unicode");
    }

    @Test
    void partsHave255BytesAtMost() throws IOException {
        assertThat(resolve("x".repeat(255))).isNotNull();
        assertThat(resolve("ä".repeat(127) + "x")).isNotNull();
        assertThatThrownBy(() -> resolve("x".repeat(256))).hasMessageContaining("256 bytes");
        assertThatThrownBy(() -> resolve("a/" + "ä".repeat(128) + "/b")).hasMessageContaining("256 bytes");
    }

    @Test
    void aSlashAtTheEndIsAFolderWithoutContent() throws IOException {
        KeyPaths paths = new KeyPaths(folder);
        assertThat(paths.resolve("k", "a/", 0)).isEqualTo(folder.resolve("a"));
        assertThat(paths.resolve("k", "", 0)).isEqualTo(folder);
        assertThatThrownBy(() -> paths.resolve("k", "a/", 7)).hasMessageContaining("7 bytes of content");
        assertThatThrownBy(() -> paths.resolve("k", "", 7)).hasMessageContaining("7 bytes of content");
    }

    @Test
    void noLinkLeadsOut(@TempDir Path elsewhere) throws IOException {
        KeyPaths paths = new KeyPaths(folder);
        Files.createSymbolicLink(folder.resolve("out"), elsewhere);
        Files.createSymbolicLink(folder.resolve("nowhere"), folder.resolve("missing"));
        Files.createDirectory(folder.resolve("in"));
        Files.createSymbolicLink(folder.resolve("round"), Path.of("in"));
        Files.createSymbolicLink(folder.resolve("in/up"), Path.of("../.."));
        Files.writeString(elsewhere.resolve("f"), "x");
        Files.createSymbolicLink(folder.resolve("file"), elsewhere.resolve("f"));
        assertThatThrownBy(() -> paths.checkOnDisk("k", folder.resolve("out/a"), false))
                .hasMessageContaining("out of the target");
        assertThatThrownBy(() -> paths.checkOnDisk("k", folder.resolve("out"), false))
                .hasMessageContaining("out of the target");
        assertThatThrownBy(() -> paths.checkOnDisk("k", folder.resolve("file"), false))
                .hasMessageContaining("out of the target");
        assertThatThrownBy(() -> paths.checkOnDisk("k", folder.resolve("in/up/a"), false))
                .hasMessageContaining("out of");
        assertThatThrownBy(() -> paths.checkOnDisk("k", folder.resolve("nowhere/a"), false))
                .hasMessageContaining("nowhere");
        assertThatCode(() -> paths.checkOnDisk("k", folder.resolve("round/a"), false))
                .doesNotThrowAnyException();
        assertThatCode(() -> paths.checkOnDisk("k", folder.resolve("new/a"), false))
                .doesNotThrowAnyException();
    }

    @Test
    void aFileIsNoFolder() throws IOException {
        Files.writeString(folder.resolve("a"), "x");
        assertThatThrownBy(() -> new KeyPaths(folder).checkOnDisk("k", folder.resolve("a/b"), false))
                .hasMessageContaining("is a file, and this key needs it as a folder");
    }

    @Test
    void theTryForFoldingLeavesNothing() throws IOException {
        assertThat(KeyPaths.foldsCase(folder, "0123456789abcdef0123456789abcdef"))
                .isFalse();
        assertThat(folder).isEmptyDirectory();
    }
}
