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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract over a folder. */
final class LocalFolderSourceTest extends SourceContract {
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
