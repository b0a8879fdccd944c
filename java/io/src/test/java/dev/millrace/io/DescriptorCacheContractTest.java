// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.engine.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** More files than descriptors, on every engine. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class DescriptorCacheContractTest extends EngineContract {
    private static final int LIMIT = 4;

    @Override
    IoEngineConfig config() {
        return super.config().withDescriptors(LIMIT);
    }

    private VirtualFile open(String name, OpenOptions options) throws IoFailure {
        return VirtualFile.open(engine, folder.resolve(name), options);
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text, StandardCharsets.UTF_8);
    }

    private static String text(VirtualFile file) throws IoFailure {
        ByteBuffer target = ByteBuffer.allocate(64);
        file.read(target, 0);
        return StandardCharsets.UTF_8.decode(target.flip()).toString();
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Closes the descriptors of all files that can do without, by using others. */
    private void evictOthers() throws IOException {
        List<VirtualFile> others = new ArrayList<>();
        int room = LIMIT - engine.descriptors().kept();
        for (int i = 0; i < 2 * room; i++) {
            write("other" + i, "");
            others.add(open("other" + i, OpenOptions.reading()));
        }
        for (VirtualFile other : others) {
            other.close();
        }
    }

    private boolean isOpen(Path path) throws IOException {
        try (var links = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path link : links) {
                if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(path)) {
                    return true;
                }
            }
        }
        return false;
    }

    // ------------------------------------------------------------------ many files

    @Test
    void servesManyMoreFilesThanThereAreDescriptors() throws Exception {
        serve(400, 50, 64);
    }

    @Test
    @Tag("slow")
    void servesAHundredThousandFilesOn64Descriptors() throws Exception {
        serve(100_000, 200, 64);
    }

    private void serve(int count, int distinct, int limit) throws Exception {
        for (int i = 0; i < distinct; i++) {
            write("file" + i, "content " + i);
        }
        try (IoEngine many = TestEngines.open(super.config().withDescriptors(limit))) {
            List<VirtualFile> files = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                files.add(VirtualFile.open(many, folder.resolve("file" + i % distinct), OpenOptions.reading()));
            }
            Random random = new Random(count);
            for (int round = 0; round < 20; round++) {
                List<Integer> chosen = random.ints(20, 0, count).boxed().toList();
                List<ByteBuffer> targets = new ArrayList<>();
                List<CompletableFuture<Integer>> reads = new ArrayList<>();
                for (int i : chosen) {
                    ByteBuffer target = ByteBuffer.allocate(64);
                    targets.add(target);
                    reads.add(files.get(i).readAsync(target, 0));
                }
                int own = random.nextInt(count);
                assertThat(text(files.get(own))).isEqualTo("content " + own % distinct);
                for (int i = 0; i < chosen.size(); i++) {
                    reads.get(i).join();
                    assertThat(StandardCharsets.UTF_8
                                    .decode(targets.get(i).flip())
                                    .toString())
                            .isEqualTo("content " + chosen.get(i) % distinct);
                }
            }
            DescriptorCounters counted = many.descriptors();
            assertThat(counted.mostOpen()).isEqualTo(limit);
            assertThat(counted.evictions()).isGreaterThanOrEqualTo(count - limit);
            assertThat(counted.reopens()).isPositive();
            assertThat(counted.kept()).isZero();
            for (VirtualFile file : files) {
                file.close();
            }
            assertThat(many.descriptors().open()).isZero();
        }
    }

    @Test
    void keepsWhatWasWrittenInFilesThatTakeTurns() throws Exception {
        List<VirtualFile> files = new ArrayList<>();
        for (int i = 0; i < 3 * LIMIT; i++) {
            files.add(open("turn" + i, i % 2 == 0 ? OpenOptions.creating() : OpenOptions.creatingNew()));
        }
        for (int round = 0; round < 3; round++) {
            for (VirtualFile file : files) {
                file.writeAll(bytes(String.valueOf(round)), round);
            }
        }
        for (int i = 0; i < files.size(); i++) {
            assertThat(files.get(i).stat().size()).isEqualTo(3);
            files.get(i).sync();
            files.get(i).close();
            assertThat(folder.resolve("turn" + i)).hasContent("012");
        }
        assertThat(engine.descriptors().reopens()).isGreaterThanOrEqualTo(2L * files.size());
    }

    @Test
    void opensAgainInTheModeItHad() throws Exception {
        Path path = write("mode", "kept");
        try (VirtualFile reading = open("mode", OpenOptions.reading());
                VirtualFile direct = open("direct", OpenOptions.creating().withDirect(DirectMode.REQUIRED));
                OwnedBuffer buffer = engine.buffers().acquire()) {
            evictOthers();
            OperationFailedException refused =
                    thrownBy(OperationFailedException.class, () -> reading.writeAll(bytes("no"), 0));
            assertThat(refused.errno()).isEqualTo(Errno.EBADF);
            assertThat(path).hasContent("kept");
            int step = direct.alignment().offset();
            direct.write(buffer, 0, step, 0);
            direct.sync(); // a dirty one would stay as long as there are clean ones
            evictOthers();
            assertThat(direct.readAsync(buffer, 0, step, 0).join().bytes()).isEqualTo(step);
            assertThat(engine.descriptors().reopens()).isGreaterThanOrEqualTo(3);
        }
    }

    @Test
    void servesManyThreadsAtOnceOnFewDescriptors() throws Exception {
        ExecutorService threads = TestEngines.virtualThreads().orElseGet(() -> Executors.newFixedThreadPool(16));
        List<VirtualFile> files = new ArrayList<>();
        for (int i = 0; i < 4 * LIMIT; i++) {
            files.add(open("shared" + i, OpenOptions.creating()));
        }
        List<Future<Optional<String>>> ends = new ArrayList<>();
        for (int thread = 0; thread < 16; thread++) {
            int number = thread;
            ends.add(threads.submit(() -> use(files, number)));
        }
        for (Future<Optional<String>> end : ends) {
            assertThat(end.get()).isEmpty();
        }
        threads.shutdown();
        for (int i = 0; i < files.size(); i++) {
            assertThat(files.get(i).path())
                    .isEqualTo(folder.resolve("shared" + i).toString());
            files.get(i).close();
        }
        assertThat(engine.descriptors().mostOpen()).isEqualTo(LIMIT);
    }

    /** Writes to a place of its own in every file, each time in another way, and reads it back in another. */
    private Optional<String> use(List<VirtualFile> files, int number) throws Exception {
        Random random = new Random(number);
        try (OwnedBuffer buffer = engine.buffers().acquire()) {
            for (int i = 0; i < 20; i++) {
                VirtualFile file = files.get(random.nextInt(files.size()));
                byte value = (byte) random.nextInt();
                put(buffer, value);
                switch (random.nextInt(3)) {
                    case 0 -> file.write(buffer, 0, 1, number);
                    case 1 -> file.writeAsync(buffer, 0, 1, number).get();
                    default -> file.writeVectored(List.of(new BufferSlice(buffer, 0, 1)), number);
                }
                put(buffer, (byte) ~value);
                if (random.nextBoolean()) {
                    file.readVectored(List.of(new BufferSlice(buffer, 0, 1)), number);
                } else {
                    file.read(buffer, 0, 1, number);
                }
                if (buffer.get(0) != value) {
                    return Optional.of(file.path() + " has another byte at " + number);
                }
            }
        }
        return Optional.empty();
    }

    @Test
    void copiesAndReadsMoreFilesAtOnceThanThereAreDescriptors() throws Exception {
        List<VirtualFile> files = new ArrayList<>();
        List<byte[]> contents = new ArrayList<>();
        List<Feeder> feeders = new ArrayList<>();
        for (int i = 0; i < 2 * LIMIT; i++) {
            contents.add(bytes(2 * TestEngines.BUFFER + 17 * i, i));
            files.add(open("copy" + i, OpenOptions.creating().withDirect(DirectMode.PREFERRED)));
            feeders.add(new Feeder(files.get(i), 0, 0, 1));
        }
        int chunk = 30_000;
        for (int from = 0; from < contents.get(feeders.size() - 1).length; from += chunk) {
            for (int i = 0; i < feeders.size(); i++) {
                byte[] content = contents.get(i);
                int start = Math.min(from, content.length);
                ByteBuffer piece = ByteBuffer.wrap(content, start, Math.min(chunk, content.length - start));
                while (!feeders.get(i).offer(piece)) {
                    feeders.get(i).awaitReady();
                }
            }
        }
        for (Feeder feeder : feeders) {
            assertThat(feeder.finish().outcome()).isEmpty();
        }
        for (int i = 0; i < files.size(); i++) {
            byte[] read = new byte[contents.get(i).length];
            try (SequentialReader reader = SequentialReader.start(files.get(i), 0, Long.MAX_VALUE, 2)) {
                int at = 0;
                for (Optional<BufferSlice> next = reader.next(); next.isPresent(); next = reader.next()) {
                    BufferSlice slice = next.get();
                    slice.buffer().get(slice.at(), read, at, slice.length());
                    at += slice.length();
                    slice.buffer().close();
                }
                assertThat(at).isEqualTo(read.length);
            }
            assertThat(read).isEqualTo(contents.get(i));
            files.get(i).close();
            assertThat(folder.resolve("copy" + i)).hasBinaryContent(contents.get(i));
        }
        assertThat(engine.descriptors().evictions()).isPositive();
    }

    private static void put(OwnedBuffer buffer, byte value) {
        buffer.put(0, new byte[] {value}, 0, 1);
    }

    // ------------------------------------------------------------------ names

    @Test
    void followsFilesThatTheEngineRenames() throws Exception {
        write("before", "moved");
        Files.createSymbolicLink(folder.resolve("link"), folder.resolve("before"));
        Files.createLink(folder.resolve("hard"), folder.resolve("before"));
        try (VirtualFile file = open("before", OpenOptions.updating());
                VirtualFile linked = open("link", OpenOptions.reading());
                VirtualFile hard = open("hard", OpenOptions.reading())) {
            evictOthers();
            engine.rename(folder.resolve("before"), folder.resolve("after"), false);
            write("before", "another");
            assertThat(file.path()).isEqualTo(folder.resolve("after").toString());
            assertThat(linked.path()).isEqualTo(folder.resolve("after").toString());
            assertThat(hard.path()).isEqualTo(folder.resolve("hard").toString());
            for (VirtualFile one : List.of(file, linked, hard)) {
                assertThat(text(one)).isEqualTo("moved");
            }
            file.truncate(2);
            assertThat(folder.resolve("after")).hasContent("mo");
            // The blocking engine has nothing but the path for this.
            file.setPermissions(0700);
            assertThat(Files.getPosixFilePermissions(folder.resolve("after")))
                    .isEqualTo(PosixFilePermissions.fromString("rwx------"));
            assertThat(Files.getPosixFilePermissions(folder.resolve("before")))
                    .as("another file")
                    .doesNotContain(PosixFilePermission.OWNER_EXECUTE);
            assertThat(engine.descriptors().kept()).isZero();
        }
    }

    @Test
    void followsFilesBelowAFolderThatTheEngineRenames() throws Exception {
        Files.createDirectories(folder.resolve("old/deep"));
        Files.createSymbolicLink(folder.resolve("shortcut"), folder.resolve("old"));
        write("old/deep/file", "below");
        try (VirtualFile file = open("old/deep/file", OpenOptions.reading());
                VirtualFile other = open("shortcut/deep/file", OpenOptions.reading());
                VirtualFile beside = VirtualFile.open(engine, write("older", "beside"), OpenOptions.reading())) {
            evictOthers();
            engine.rename(folder.resolve("old"), folder.resolve("new"), true);
            assertThat(file.path()).isEqualTo(folder.resolve("new/deep/file").toString());
            assertThat(text(file)).isEqualTo("below");
            assertThat(text(other)).isEqualTo("below");
            assertThat(text(beside)).isEqualTo("beside");
        }
    }

    @Test
    void keepsTheDescriptorOfAFileThatTheEngineRemoves() throws Exception {
        write("gone", "there still");
        try (VirtualFile file = open("gone", OpenOptions.updating())) {
            evictOthers();
            assertThat(engine.deleteIfExists(folder.resolve("gone"))).isTrue();
            assertThat(engine.descriptors().kept()).isEqualTo(1);
            evictOthers();
            assertThat(folder.resolve("gone")).doesNotExist();
            assertThat(text(file)).isEqualTo("there still");
            file.truncate(5);
            assertThat(file.stat().size()).isEqualTo(5);
            write("gone", "another");
            if (kind == EngineKind.BLOCKING) {
                OperationFailedException stale =
                        thrownBy(OperationFailedException.class, () -> file.setPermissions(0700));
                assertThat(stale.errno()).isEqualTo(Errno.ESTALE);
            } else {
                file.setPermissions(0700);
                assertThat(file.stat().permissions()).isEqualTo(0700);
            }
            assertThat(Files.getPosixFilePermissions(folder.resolve("gone")))
                    .as("another file")
                    .doesNotContain(PosixFilePermission.OWNER_EXECUTE);
            file.sync();
        }
        assertThat(engine.descriptors().kept()).isZero();
    }

    @Test
    void keepsTheDescriptorOfAFileThatTheEngineReplaces() throws Exception {
        write("target", "old");
        write("source", "new");
        try (VirtualFile old = open("target", OpenOptions.reading());
                VirtualFile fresh = open("source", OpenOptions.reading())) {
            evictOthers();
            engine.rename(folder.resolve("source"), folder.resolve("target"), false);
            evictOthers();
            assertThat(text(old)).isEqualTo("old");
            assertThat(text(fresh)).isEqualTo("new");
            AtomicFile.replace(engine, folder.resolve("target"), bytes("newest"));
            assertThat(text(old)).isEqualTo("old");
            assertThat(text(fresh)).isEqualTo("new");
            assertThat(engine.descriptors().kept()).isEqualTo(2);
            thrownBy(
                    OperationFailedException.class,
                    () -> engine.rename(folder.resolve("other0"), folder.resolve("target"), true));
            assertThat(engine.descriptors().kept())
                    .as("what cannot be replaced needs nothing kept")
                    .isEqualTo(2);
        }
    }

    @Test
    void namesThePathWhereAnotherHasPutAnotherFile() throws Exception {
        Path path = write("place", "mine");
        try (VirtualFile file = open("place", OpenOptions.updating())) {
            evictOthers();
            Path aside = Files.move(path, folder.resolve("aside"));
            FileReplacedException none = thrownBy(FileReplacedException.class, () -> text(file));
            assertThat(none.path()).isEqualTo(path.toString());
            assertThat(none)
                    .hasMessageStartingWith("read of " + path + " is not possible")
                    .hasMessageContaining("nothing lies under its path now");
            write("place", "another's");
            FileReplacedException other =
                    thrownBy(FileReplacedException.class, () -> file.syncAsync().get());
            assertThat(other).hasMessageContaining("another file lies under its path now");
            try (OwnedBuffer buffer = engine.buffers().acquire()) {
                thrownBy(
                        FileReplacedException.class,
                        () -> file.writeAsync(buffer, 0, 1, 0).get());
                thrownBy(
                        FileReplacedException.class,
                        () -> file.writeVectored(List.of(new BufferSlice(buffer, 0, 1)), 0));
            }
            assertThat(path).hasContent("another's");
            Files.delete(path);
            Files.createDirectory(path);
            thrownBy(FileReplacedException.class, file::stat);
            Files.delete(path);
            Files.move(aside, path);
            assertThat(text(file)).as("it is there again").isEqualTo("mine");
        }
    }

    // ------------------------------------------------------------------ those that keep theirs

    @Test
    void keepsTheDescriptorOfALockedFile() throws Exception {
        try (VirtualFile locked = open("locked", OpenOptions.creating())) {
            assertThat(locked.tryLock()).isTrue();
            evictOthers();
            assertThat(engine.descriptors().kept()).isEqualTo(1);
            assertThat(isOpen(folder.resolve("locked").toRealPath())).isTrue();
        }
        assertThat(engine.descriptors().kept()).isZero();
    }

    @Test
    void keepsTheDescriptorOfAFileWhosePermissionsWouldNotLetItBeOpened() throws Exception {
        try (VirtualFile made = open("made", OpenOptions.creatingNew().withMode(0444));
                VirtualFile changed = open("changed", OpenOptions.creating())) {
            changed.setPermissions(0);
            evictOthers();
            made.writeAll(bytes("made"), 0);
            changed.writeAll(bytes("changed"), 0);
            assertThat(text(changed)).isEqualTo("changed");
            assertThat(engine.descriptors().kept()).isEqualTo(2);
        }
    }

    @Test
    void refusesWhatCouldOnlyWaitForeverAndWorksAgainLater() throws Exception {
        write("one", "one");
        VirtualFile one = open("one", OpenOptions.updating());
        List<TemporaryFile> all = new ArrayList<>();
        for (int i = 0; i < LIMIT; i++) {
            all.add(TemporaryFile.create(engine, folder, DirectMode.OFF));
        }
        for (OperationFailedException none : List.of(
                thrownBy(OperationFailedException.class, () -> open("more", OpenOptions.creating())),
                thrownBy(
                        OperationFailedException.class,
                        () -> VirtualFile.openAsync(engine, folder.resolve("more"), OpenOptions.creating())
                                .get()),
                thrownBy(OperationFailedException.class, () -> text(one)),
                thrownBy(OperationFailedException.class, () -> one.syncAsync().get()),
                thrownBy(OperationFailedException.class, () -> engine.deleteIfExists(folder.resolve("one"))))) {
            assertThat(none.errno()).isEqualTo(Errno.EMFILE);
            assertThat(none.retryCanHelp()).isTrue();
            assertThat(none)
                    .hasMessageContaining("all " + LIMIT + " descriptors of this engine")
                    .hasMessageContaining("withDescriptors");
        }
        assertThat(folder.resolve("more")).doesNotExist();
        assertThat(folder.resolve("one")).as("not lost").hasContent("one");
        all.get(0).close();
        assertThat(text(one)).isEqualTo("one");
        all.forEach(TemporaryFile::close);
        one.close();
    }
}
