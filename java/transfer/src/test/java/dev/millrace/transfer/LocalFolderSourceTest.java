// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.testkit.Content;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract over a folder. */
final class LocalFolderSourceTest extends WriterContract {
    @TempDir
    Path root;

    @TempDir
    Path folder;

    private LocalFolderSource source;

    @BeforeEach
    void open() throws IOException {
        source = LocalFolderSource.open(root);
        put(KEY, CONTENT);
        put("empty", Content.of(""));
    }

    @AfterEach
    void close() {
        source.close();
    }

    @Override
    ObjectSource source() {
        return source;
    }

    @Override
    ObjectWriter writer() {
        return source;
    }

    @Override
    void put(String key, Content content) throws IOException {
        Path file = root.resolve("bucket").resolve(key);
        Files.createDirectories(file.getParent());
        try (InputStream bytes = content.stream()) {
            Files.copy(bytes, file);
        }
    }

    @Test
    void shouldReachNothingOutsideTheRoot() {
        for (String key : List.of("../secret", "a/../../secret", "/etc/passwd", "a//b", "./a", "a/.")) {
            assertThatThrownBy(() -> fetch(FetchRequest.of(id(key))))
                    .isInstanceOfSatisfying(
                            SourceFailure.class,
                            failure -> assertThat(failure.code()).isEqualTo("NoSuchKey"));
        }
    }

    @Test
    void shouldPutNothingOutsideTheRootAndLeaveNoTemporaryFile() throws Exception {
        for (String key : List.of("../secret", "a//b", "a/.", "." + "0".repeat(32) + ".millrace-part", "folder")) {
            assertThatThrownBy(() -> put(PutRequest.of(id(key), text("x"))))
                    .isInstanceOfSatisfying(
                            SourceFailure.class,
                            failure -> assertThat(failure.kind()).isEqualTo(SourceFailure.Kind.INVALID));
        }
        put(PutRequest.of(id("one"), text("x")));
        assertThatThrownBy(() -> put(PutRequest.of(id("one/below"), text("x")))).isInstanceOf(SourceFailure.class);
        assertThatThrownBy(() -> put(PutRequest.of(id("one"), text("y")).ifAbsent()))
                .isInstanceOf(SourceFailure.class);
        try (Stream<Path> all = Files.walk(root)) {
            assertThat(all.map(path -> path.getFileName().toString())).noneMatch(name -> name.endsWith("part"));
        }
    }

    @Test
    void shouldBeDownloadedFromAsFromAnyStore() throws Exception {
        try (Downloader downloader =
                Downloader.open(Engines.open(EngineKind.BLOCKING), source, DownloaderConfig.defaults())) {
            DownloadResult result = Rig.await(downloader.download(DownloadRequest.of(id(KEY), folder.resolve("out"))));
            Rig.assertSame(result.target(), CONTENT);
            assertThat(result.verified()).isEqualTo("not verified: no checksum");
            assertThatThrownBy(() ->
                            Rig.await(downloader.download(DownloadRequest.of(id("missing"), folder.resolve("out2")))))
                    .isInstanceOf(DownloadFailure.ObjectMissing.class);
        }
    }
}
