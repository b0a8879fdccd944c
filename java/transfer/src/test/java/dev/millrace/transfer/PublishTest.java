// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.VirtualFile;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** From temporary to final name, and what stands in the way. */
final class PublishTest {
    private static final Content CONTENT = Content.pattern(1, 300_000);

    @TempDir
    Path folder;

    static List<EngineKind> engines() {
        return Engines.working().toList();
    }

    private Rig rig(EngineKind kind) throws IOException {
        return new Rig(kind, folder).put("key", CONTENT);
    }

    private Rig rig() throws IOException {
        return rig(EngineKind.BLOCKING);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldKeepTheOldFileWholeUntilTheNewOneIs(EngineKind kind) throws Exception {
        try (Rig rig = rig(kind)) {
            Files.writeString(rig.target("out"), "old");
            Files.setPosixFilePermissions(rig.target("out"), PosixFilePermissions.fromString("rw-r-----"));
            rig.server.onAny().once().then(new Fault.HoldAfter(200_000));
            CompletableFuture<DownloadResult> download = rig.downloader.download(rig.request("key"));
            rig.awaitTemporaryFile();
            assertThat(rig.target("out")).hasContent("old");
            Path temporary = rig.temporaryFiles().get(0);
            assertThat(temporary.getParent()).isEqualTo(folder);
            assertThat(temporary.getFileName().toString()).hasSize(47);
            rig.server.release();
            Rig.await(download);
            Rig.assertSame(rig.target("out"), CONTENT);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(rig.target("out"))))
                    .isEqualTo("rw-r-----");
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldMakeMissingFoldersAndTakeThemAwayAgainWhenItFails(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            Path deep = rig.target("a/b/c/out");
            assertThatThrownBy(() -> rig.get(DownloadRequest.of(Rig.id("missing"), deep)))
                    .isInstanceOf(DownloadFailure.ObjectMissing.class);
            assertThat(rig.target("a")).doesNotExist();
            rig.get(DownloadRequest.of(Rig.id("key"), deep));
            Rig.assertSame(deep, CONTENT);
            assertThatThrownBy(() -> rig.get(DownloadRequest.of(Rig.id("missing"), rig.target("a/b/other"))))
                    .isInstanceOf(DownloadFailure.ObjectMissing.class);
            Rig.assertSame(deep, CONTENT);
        }
    }

    @Test
    void shouldNotTakeAFolderAwayThatAnotherDownloadStillNeeds() throws Exception {
        try (Rig rig = rig()) {
            rig.server.on(request -> request.path().endsWith("key")).once().then(new Fault.HoldAfter(100_000));
            CompletableFuture<DownloadResult> good =
                    rig.downloader.download(DownloadRequest.of(Rig.id("key"), rig.target("n/good")));
            CompletableFuture<DownloadResult> bad =
                    rig.downloader.download(DownloadRequest.of(Rig.id("missing"), rig.target("n/bad")));
            assertThatThrownBy(() -> Rig.await(bad)).isInstanceOf(DownloadFailure.ObjectMissing.class);
            rig.server.release();
            Rig.await(good);
            Rig.assertSame(rig.target("n/good"), CONTENT);
        }
    }

    @Test
    void shouldFollowASymbolicLinkAndReplaceItsTarget() throws IOException {
        try (Rig rig = rig()) {
            Files.createDirectories(rig.target("real"));
            Files.writeString(rig.target("real/file"), "old");
            Files.createSymbolicLink(rig.target("link"), Path.of("real/file"));
            DownloadResult result = rig.get(DownloadRequest.of(Rig.id("key"), rig.target("link")));
            assertThat(rig.target("link")).isSymbolicLink();
            Rig.assertSame(rig.target("real/file"), CONTENT);
            assertThat(result.target()).isEqualTo(rig.target("real/file"));
            Files.createSymbolicLink(rig.target("dangling"), Path.of("real/new"));
            rig.get(DownloadRequest.of(Rig.id("key"), rig.target("dangling")));
            Rig.assertSame(rig.target("real/new"), CONTENT);
            Files.createSymbolicLink(rig.target("loop"), Path.of("loop"));
            assertThatThrownBy(() -> rig.get(DownloadRequest.of(Rig.id("key"), rig.target("loop"))))
                    .isInstanceOf(DownloadFailure.BadTarget.class);
        }
    }

    @Test
    void shouldRefuseFoldersDevicesAndNamesOfTemporaryFiles() throws IOException {
        try (Rig rig = rig()) {
            assertThatThrownBy(() -> rig.get(DownloadRequest.of(Rig.id("key"), folder)))
                    .isInstanceOf(DownloadFailure.BadTarget.class)
                    .hasMessageContaining("is a folder");
            assertThatThrownBy(() -> rig.get(DownloadRequest.of(Rig.id("key"), Path.of("/dev/null"))))
                    .isInstanceOf(DownloadFailure.BadTarget.class)
                    .hasMessageContaining("stream");
            String name = "." + "0123456789abcdef".repeat(2) + ".millrace-part";
            assertThatThrownBy(() -> rig.get(DownloadRequest.of(Rig.id("x/" + name), rig.target("out"))))
                    .isInstanceOf(DownloadFailure.BadTarget.class)
                    .hasMessageContaining(name);
            assertThatThrownBy(() -> rig.get(DownloadRequest.of(Rig.id("key"), rig.target(name))))
                    .isInstanceOf(DownloadFailure.BadTarget.class);
            Files.writeString(rig.target("file"), "x");
            assertThatThrownBy(() -> rig.get(DownloadRequest.of(Rig.id("key"), rig.target("file/below"))))
                    .isInstanceOf(DownloadFailure.class)
                    .hasMessageContaining("file");
            assertThat(rig.server.requestCount()).isZero();
        }
    }

    @Test
    void shouldTakeNamesOf255Bytes() throws IOException {
        try (Rig rig = rig()) {
            String name = "n".repeat(255);
            rig.get(DownloadRequest.of(Rig.id("key"), rig.target(name)));
            Rig.assertSame(rig.target(name), CONTENT);
            assertThatThrownBy(() -> rig.get(DownloadRequest.of(Rig.id("key"), rig.target(name + "n"))))
                    .isInstanceOf(DownloadFailure.class);
        }
    }

    @Test
    void shouldRemoveWhatACrashHasLeftAndNothingElse() throws IOException {
        Path left = folder.resolve("." + "ab".repeat(16) + ".millrace-part");
        Path lived = folder.resolve("." + "cd".repeat(16) + ".millrace-part");
        Path other = folder.resolve("." + "XY".repeat(16) + ".millrace-part");
        for (Path file : List.of(left, lived, other)) {
            Files.writeString(file, "left");
        }
        try (Rig rig = rig();
                VirtualFile locked = VirtualFile.open(rig.engine, lived, OpenOptions.updating())) {
            assertThat(locked.tryLock()).isTrue();
            rig.get("key");
            assertThat(left).doesNotExist();
            assertThat(lived).exists();
            assertThat(other).exists();
            Files.delete(lived);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldSayHowMuchIsFreeWhenThereIsNotEnough(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.put("huge", Content.zeros(1L << 45));
            long before = rig.server.requestCount();
            assertThatThrownBy(() -> rig.get("huge"))
                    .isInstanceOfSatisfying(
                            DownloadFailure.LocalDisk.class,
                            failure -> assertThat(failure.isFull()).isTrue())
                    .hasMessageContaining(Long.toString(1L << 45))
                    .hasMessageContaining("free");
            assertThat(rig.server.requestCount()).isEqualTo(before + 1);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldFailWhenTheFolderGoesAway(EngineKind kind) throws Exception {
        try (Rig rig = rig(kind)) {
            for (boolean renamed : new boolean[] {true, false}) {
                Path there = Files.createDirectories(rig.target("there"));
                rig.server.onAny().once().then(new Fault.HoldAfter(200_000));
                CompletableFuture<DownloadResult> download =
                        rig.downloader.download(DownloadRequest.of(Rig.id("key"), there.resolve("out")));
                rig.awaitTemporaryFile();
                if (renamed) {
                    Files.move(there, rig.target("elsewhere"));
                } else {
                    try (Stream<Path> files = Files.list(there)) {
                        for (Path file : files.toList()) {
                            Files.delete(file);
                        }
                    }
                    Files.delete(there);
                }
                rig.server.release();
                assertThatThrownBy(() -> Rig.await(download))
                        .isInstanceOf(DownloadFailure.class)
                        .hasMessageContaining("there");
                assertThat(rig.temporaryFiles()).isEmpty();
            }
        }
    }

    @Test
    void shouldLetTheLastOfTwoWritersOfOneNameWin() throws IOException {
        try (Rig rig = rig()) {
            rig.put("other", Content.pattern(2, 200_000));
            CompletableFuture<DownloadResult> first = rig.downloader.download(rig.request("key"));
            CompletableFuture<DownloadResult> second = rig.downloader.download(rig.request("other"));
            Rig.await(first);
            Rig.await(second);
            assertThat(Set.of(300_000L, 200_000L)).contains(Files.size(rig.target("out")));
            Rig.assertSame(
                    rig.target("out"),
                    Files.size(rig.target("out")) == 300_000 ? CONTENT : Content.pattern(2, 200_000));
        }
    }
}
