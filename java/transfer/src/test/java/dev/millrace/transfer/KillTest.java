// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.TemporaryFile;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.S3Checksum;
import dev.millrace.testkit.ScriptedObject;
import dev.millrace.testkit.ScriptedServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that is killed at any point leaves whole files under their names, and nothing after the next start. */
final class KillTest {
    private static final int FILES = 12;
    private static final long SIZE = 3_000_017;

    @TempDir
    Path folder;

    private static Content content(int file, int round) {
        return Content.pattern(file + 100L * round, SIZE + file);
    }

    /** The process that is killed: downloads the same files over and over, of one content and another in turn. */
    public static final class Victim {
        private Victim() {}

        /** {@code <endpoint or folder of the source> <target folder> <engine>}; prints a byte for each request. */
        public static void main(String[] arguments) throws Exception {
            Path folder = Path.of(arguments[1]);
            EngineKind kind = EngineKind.valueOf(arguments[2]);
            try (IoEngine engine = IoEngine.open(
                            IoEngineConfig.defaults().withEngine(kind).withPool(32, 256 << 10));
                    ObjectSource source = arguments[0].startsWith("http")
                            ? Rig.source(URI.create(arguments[0]))
                            : LocalFolderSource.open(Path.of(arguments[0]));
                    Downloader downloader = Downloader.open(engine, source, DownloaderConfig.defaults())) {
                for (int round = 0; round < 1_000_000; round++) {
                    List<CompletableFuture<DownloadResult>> all = new ArrayList<>();
                    for (int i = 0; i < FILES; i++) {
                        System.out.write('.');
                        System.out.flush();
                        all.add(downloader.download(DownloadRequest.of(
                                Rig.id("key" + i + "-" + round % 2), folder.resolve("sub/file" + i))));
                    }
                    for (CompletableFuture<DownloadResult> download : all) {
                        download.get();
                    }
                }
            }
        }
    }

    @Test
    void shouldLeaveOnlyWholeFilesWhenKilledTenTimes() throws Exception {
        // From a folder: without the SDK a victim lives sooner, and what it writes is the same.
        Path root = Files.createDirectories(folder.resolve("store"));
        Path bucket = Files.createDirectories(root.resolve(Rig.BUCKET));
        for (int i = 0; i < FILES; i++) {
            for (int round = 0; round < 2; round++) {
                try (InputStream bytes = content(i, round).stream()) {
                    Files.copy(bytes, bucket.resolve("key" + i + "-" + round));
                }
            }
        }
        try (LocalFolderSource source = LocalFolderSource.open(root)) {
            killed(10, root.toString(), source);
        }
    }

    @Test
    @Tag("slow")
    void shouldLeaveOnlyWholeFilesWhenKilledFiftyTimes() throws Exception {
        try (ScriptedServer server = ScriptedServer.start()) {
            for (int i = 0; i < FILES; i++) {
                for (int round = 0; round < 2; round++) {
                    server.put(
                            Rig.BUCKET,
                            "key" + i + "-" + round,
                            ScriptedObject.of(content(i, round)).withChecksum(S3Checksum.CRC64NVME));
                }
            }
            try (S3Source source = Rig.source(server.endpoint())) {
                killed(50, server.endpoint().toString(), source);
            }
        }
    }

    private void killed(int times, String place, ObjectSource source) throws Exception {
        List<EngineKind> kinds = Engines.working().toList();
        Random random = new Random(42);
        for (int i = 0; i < times; i++) {
            kill(place, kinds.get(i % kinds.size()), random);
            assertOnlyWholeFiles();
        }
        // The next start: one download to the folder cleans it.
        try (Downloader downloader = Downloader.open(Engines.open(kinds.get(0)), source, DownloaderConfig.defaults())) {
            Rig.await(downloader.download(DownloadRequest.of(Rig.id("key0-0"), folder.resolve("sub/file0"))));
        }
        try (var files = Files.list(folder.resolve("sub"))) {
            assertThat(files.map(file -> file.getFileName().toString())).noneMatch(TemporaryFile::isTemporaryName);
        }
    }

    private void kill(String place, EngineKind kind, Random random) throws Exception {
        Process process = ChildJvm.of(Victim.class, place, folder.toString(), kind.name())
                .redirectError(folder.resolve("log").toFile())
                .start();
        try (InputStream asked = process.getInputStream()) {
            for (int requests = 1 + random.nextInt(4 * FILES); requests > 0; requests--) {
                assertThat(asked.read()).as(this::log).isEqualTo('.');
            }
            Thread.sleep(random.nextInt(40));
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }

    private String log() {
        try {
            return Files.readString(folder.resolve("log"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    private void assertOnlyWholeFiles() throws IOException {
        for (int i = 0; i < FILES; i++) {
            Path file = folder.resolve("sub/file" + i);
            if (Files.exists(file)) {
                boolean whole = content(i, 0).differenceFrom(file).isEmpty()
                        || content(i, 1).differenceFrom(file).isEmpty();
                assertThat(whole).as("file" + i + " is whole").isTrue();
            }
        }
    }
}
