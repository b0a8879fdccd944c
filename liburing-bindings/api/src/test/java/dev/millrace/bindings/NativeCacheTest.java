// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What may be found in the folder of unpacked libraries, and what becomes of it. */
class NativeCacheTest {
    private static final int NOBODY = 65534;

    @TempDir
    Path folder;

    private final byte[] library = NativeFixture.library();
    private final String digest = NativeFixture.digest(library);
    private Path root;
    private Path good;
    private NativeResource resource;

    @BeforeEach
    void aJarWithALibrary() throws Exception {
        root = folder.toRealPath().resolve("cache");
        good = NativeFixture.unpacked(root, library);
        Path jar = NativeFixture.classifierJar(folder.resolve("native.jar"), library);
        String entry = NativeFixture.entry(NativeFixture.release().version(), NativeFixture.platform());
        resource = new NativeResource(
                new URL("jar:" + jar.toUri() + "!/" + entry),
                NativeFixture.FILE,
                digest,
                NativeFixture.release().coordinates(NativeFixture.platform()),
                NativeFixture.platform());
    }

    @AfterEach
    void letTheFolderBeRemoved() throws Exception {
        if (Files.isDirectory(root, LinkOption.NOFOLLOW_LINKS)) {
            Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void unpacksIntoAFolderOfThisUserAlone() throws Exception {
        assertThat(unpack()).isEqualTo(good).hasBinaryContent(library);
        for (Path each : List.of(root, good.getParent().getParent(), good.getParent())) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(each)))
                    .isEqualTo("rwx------");
        }
        assertThat(NativeFixture.namesIn(good.getParent()))
                .containsExactly(good.getFileName().toString());
    }

    @Test
    void neverRewritesAGoodFile() throws Exception {
        unpack();
        Object identity = Files.getAttribute(good, "unix:ino");
        FileTime old = FileTime.from(Instant.now().minus(Duration.ofDays(9)));
        Files.setLastModifiedTime(good, old);
        FileTime changed = (FileTime) Files.getAttribute(good, "unix:ctime");
        assertThat(unpack()).isEqualTo(good);
        assertThat(Files.getAttribute(good, "unix:ino")).isEqualTo(identity);
        assertThat(Files.getAttribute(good, "unix:ctime")).isEqualTo(changed);
    }

    @Test
    void leavesTheGoodFileOfAJvmThatWasFasterInPlace() throws Exception {
        List<Object> identities = new ArrayList<>();
        NativeCache slower = cache(
                () -> {
                    try {
                        unpack();
                        identities.add(Files.getAttribute(good, "unix:ino"));
                    } catch (IOException | BindingUnavailableException e) {
                        throw new AssertionError(e);
                    }
                },
                root);
        assertThat(slower.unpack(resource)).isEqualTo(good);
        assertThat(identities).containsExactly(Files.getAttribute(good, "unix:ino"));
        assertOnlyTheGoodFile();
    }

    @Test
    void replacesAFileThatIsTruncatedOrHoldsSomethingElse() throws Exception {
        byte[] planted = library.clone();
        planted[planted.length - 1] ^= 1;
        for (byte[] bad : List.of(
                new byte[0], Arrays.copyOf(library, library.length / 2), planted, NativeFixture.fabricated(0))) {
            Files.createDirectories(root);
            unpack();
            Files.delete(good);
            Files.write(good, bad);
            assertThat(unpack()).isEqualTo(good);
            assertOnlyTheGoodFile();
        }
    }

    @Test
    void replacesALinkAndLeavesWhatItPointsTo() throws Exception {
        unpack();
        Path elsewhere = folder.resolve("elsewhere.so");
        Files.move(good, elsewhere);
        Files.createSymbolicLink(good, elsewhere);
        unpack();
        assertOnlyTheGoodFile();
        assertThat(elsewhere).isRegularFile().hasBinaryContent(library);
        Files.delete(good);
        Files.createSymbolicLink(good, folder.resolve("nowhere"));
        unpack();
        assertOnlyTheGoodFile();
        assertThat(folder.resolve("nowhere")).doesNotExist();
    }

    @Test
    void replacesAFileThatOthersMayWrite() throws Exception {
        unpack();
        Object identity = Files.getAttribute(good, "unix:ino");
        Files.setPosixFilePermissions(good, PosixFilePermissions.fromString("rw-rw----"));
        // Kept under another name, so that its number is not given to the next file.
        Files.createLink(folder.resolve("kept"), good);
        unpack();
        assertOnlyTheGoodFile();
        assertThat(Files.getAttribute(good, "unix:ino")).isNotEqualTo(identity);
    }

    @Test
    void replacesAFileOfAnotherUser() throws Exception {
        assumeTrue(NativeFolder.self() == 0, "only root can give a file away");
        unpack();
        Files.setAttribute(good, "unix:uid", NOBODY);
        unpack();
        assertOnlyTheGoodFile();
        assertThat(Files.getAttribute(good, "unix:uid")).isEqualTo(0);
    }

    @Test
    void refusesWhatItCannotReplace() throws Exception {
        unpack();
        Files.delete(good);
        Files.createDirectory(good);
        assertRefused("EISDIR", good.toString());
        assertThat(NativeFixture.namesIn(good.getParent()))
                .containsExactly(good.getFileName().toString());
    }

    @Test
    void refusesAFolderOfAnotherUserAndGoesOn() throws Exception {
        assumeTrue(NativeFolder.self() == 0, "only root can give a folder away");
        unpack();
        Files.setAttribute(root, "unix:uid", NOBODY);
        assertRefused("belongs to user " + NOBODY, "runs as user 0", root.toString());
        Path next = root.resolveSibling("next");
        assertThat(cache(() -> {}, root, next).unpack(resource)).isEqualTo(NativeFixture.unpacked(next, library));
        Files.setAttribute(root, "unix:uid", 0);
        Files.setAttribute(good.getParent(), "unix:uid", NOBODY);
        assertRefused("belongs to user " + NOBODY, good.getParent().toString());
    }

    @Test
    void refusesAFolderThatOthersMayWriteToAndGoesOn() throws Exception {
        for (String mode : List.of("rwxrwx---", "rwx----w-", "rwxrwxrwx")) {
            unpack();
            Files.setPosixFilePermissions(root, PosixFilePermissions.fromString(mode));
            assertRefused("written to by others", "chmod go-w", root.toString());
            Path next = root.resolveSibling("next");
            assertThat(cache(() -> {}, root, next).unpack(resource)).isEqualTo(NativeFixture.unpacked(next, library));
            Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx------"));
            Files.setPosixFilePermissions(good.getParent(), PosixFilePermissions.fromString(mode));
            assertRefused("written to by others", good.getParent().toString());
            Files.setPosixFilePermissions(good.getParent(), PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void refusesALinkInPlaceOfAFolder() throws Exception {
        Path real = Files.createDirectory(folder.resolve("real"));
        Files.createSymbolicLink(root, real);
        assertRefused("symbolic link", root.toString());
        assertThat(NativeFixture.namesIn(real)).isEmpty();
        Files.delete(root);
        unpack();
        Path version = good.getParent().getParent();
        Files.move(version, folder.resolve("moved"));
        Files.createSymbolicLink(version, folder.resolve("moved"));
        assertRefused("symbolic link", version.toString());
    }

    @Test
    void followsLinksAboveTheFolder() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("link"), Files.createDirectory(folder.resolve("real")));
        assertThat(cache(() -> {}, link.resolve("cache")).unpack(resource))
                .isEqualTo(NativeFixture.unpacked(folder.toRealPath().resolve("real/cache"), library));
    }

    @Test
    void refusesAFileInPlaceOfAFolder() throws Exception {
        Files.write(root, new byte[1]);
        assertRefused("no folder", root.toString());
        assertThatThrownBy(() -> cache(() -> {}, root.resolve("below")).unpack(resource))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining(root.toString());
    }

    @Test
    void removesWhatKilledJvmsLeftButNotWhatIsBeingWritten() throws Exception {
        unpack();
        Path old = Files.write(good.resolveSibling("tmp-old.so"), Arrays.copyOf(library, 1000));
        Path young = Files.write(good.resolveSibling("tmp-young.so"), Arrays.copyOf(library, 1000));
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        unpack();
        assertThat(old).doesNotExist();
        assertThat(young).exists();
        assertThat(good).hasBinaryContent(library);
    }

    @Test
    void leavesNothingWhereItFailsBetweenWritingAndPublishing() {
        NativeCache failing = cache(
                () -> {
                    throw new IllegalStateException("stop here");
                },
                root);
        assertThatThrownBy(() -> failing.unpack(resource)).hasMessage("stop here");
        assertThat(good.getParent()).isEmptyDirectory();
    }

    @Test
    void survivesAKillBetweenWritingAndPublishing() throws Exception {
        List<Path> classPath = NativeFixture.classPath(folder.resolve("native.jar"));
        List<String> options =
                List.of("-D" + NativeLibrary.CACHE_PROPERTY + "=" + root, "-Djava.library.path=/no/such/folder");
        Process process = NativeFixture.jvm(classPath, options, "hang").start();
        try {
            assertThat(process.inputReader().readLine()).isEqualTo("written");
        } finally {
            process.destroyForcibly(); // SIGKILL
            process.waitFor();
        }
        assertThat(good).doesNotExist();
        List<String> left = NativeFixture.namesIn(good.getParent());
        assertThat(left).hasSize(1);
        Path temporary = good.resolveSibling(left.get(0));
        assertThat(NativeFixture.output(NativeFixture.jvm(classPath, options))).isEqualTo(good.toString());
        assertThat(good).hasBinaryContent(library);
        assertThat(temporary).exists();
        Files.setLastModifiedTime(temporary, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        assertThat(NativeFixture.output(NativeFixture.jvm(classPath, options))).isEqualTo(good.toString());
        assertOnlyTheGoodFile();
    }

    @Test
    void serves32JvmsAtOnce() throws Exception {
        jvmsAtOnce(1);
    }

    @Test
    @Tag("slow")
    void serves32JvmsAtOnceTwentyTimes() throws Exception {
        jvmsAtOnce(20);
    }

    private void jvmsAtOnce(int rounds) throws Exception {
        for (int round = 0; round < rounds; round++) {
            Path place = root.resolve("round-" + round);
            List<String> options =
                    List.of("-D" + NativeLibrary.CACHE_PROPERTY + "=" + place, "-Djava.library.path=/no/such/folder");
            List<Process> processes = new ArrayList<>();
            List<String> answers = new ArrayList<>();
            try {
                for (int i = 0; i < 32; i++) {
                    List<String> wishes = NativeFixture.isReal() ? List.of("wait", "load") : List.of("wait");
                    processes.add(NativeFixture.jvm(
                                    NativeFixture.classPath(folder.resolve("native.jar")),
                                    options,
                                    wishes.toArray(String[]::new))
                            .start());
                }
                for (Process process : processes) {
                    assertThat(process.inputReader().readLine()).isEqualTo("ready");
                }
                for (Process process : processes) {
                    process.outputWriter().write('\n');
                    process.outputWriter().flush();
                }
                for (Process process : processes) {
                    answers.add(process.inputReader().readLine());
                    assertThat(process.waitFor()).isZero();
                }
            } finally {
                processes.forEach(Process::destroyForcibly);
            }
            Path file = NativeFixture.unpacked(place, library);
            // One path and one file's number: who came second did not replace the file of the first.
            assertThat(answers).containsOnly(file + " " + Files.getAttribute(file, "unix:ino"));
            assertThat(file).hasBinaryContent(library);
            assertThat(NativeFixture.namesIn(file.getParent()))
                    .containsExactly(file.getFileName().toString());
        }
    }

    @Test
    void keepsTheFirstCauseAndTheOthersBesideIt() throws Exception {
        Path second = folder.resolve("second");
        Files.write(root, new byte[1]);
        Files.write(second, new byte[1]);
        assertThatThrownBy(() -> cache(() -> {}, root, second).unpack(resource))
                .isInstanceOf(BindingUnavailableException.class)
                .satisfies(e -> {
                    assertThat(e.getCause()).isInstanceOf(IOException.class).hasMessageContaining(root.toString());
                    assertThat(e.getSuppressed()).hasSize(1);
                    assertThat(e.getSuppressed()[0]).hasMessageContaining(second.toString());
                });
    }

    @Test
    void triesTheUsersCacheAndThenTheTemporaryFiles() throws Exception {
        Map<String, String> properties =
                Map.of("user.home", folder.toString(), "user.name", "bob", "java.io.tmpdir", folder.toString());
        assertThat(places(Optional.empty(), properties, Map.of()).folders())
                .containsExactly(folder.resolve(".cache/millrace"), folder.resolve("millrace-bob"));
        assertThat(places(Optional.empty(), properties, Map.of("XDG_CACHE_HOME", "/xdg"))
                        .folders())
                .containsExactly(Path.of("/xdg/millrace"), folder.resolve("millrace-bob"));
        assertThat(places(Optional.empty(), properties, Map.of("XDG_CACHE_HOME", "not/absolute"))
                        .folders())
                .containsExactly(folder.resolve(".cache/millrace"), folder.resolve("millrace-bob"));
        assertThat(places(Optional.of("/only"), properties, Map.of("XDG_CACHE_HOME", "/xdg"))
                        .folders())
                .containsExactly(Path.of("/only"));
    }

    @Test
    void namesTheUserWithoutANameByNumberAndTheMissingHome() throws Exception {
        String self = Integer.toString(NativeFolder.self());
        for (String home : List.of("?", "", "/no/such/home", "no\0path")) {
            NativeCache.Places places = places(
                    Optional.empty(),
                    Map.of("user.home", home, "user.name", "?", "java.io.tmpdir", folder.toString()),
                    Map.of());
            assertThat(places.folders()).containsExactly(folder.resolve("millrace-" + self));
            assertThat(places.notes()).singleElement().asString().contains("no home folder");
        }
        NativeCache.Places none = places(Optional.empty(), Map.of("user.name", "../../x"), Map.of());
        assertThat(none.folders()).isEmpty();
        assertThatThrownBy(() -> new NativeCache(none, NativeFixture.release(), NativeFixture.platform(), () -> {})
                        .unpack(resource))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContainingAll("no home folder", "java.io.tmpdir", NativeLibrary.CACHE_PROPERTY);
        assertThat(places(
                                Optional.empty(),
                                Map.of("user.name", "../../x", "java.io.tmpdir", folder.toString()),
                                Map.of())
                        .folders())
                .containsExactly(folder.resolve("millrace-" + self));
    }

    private static NativeCache.Places places(
            Optional<String> asked, Map<String, String> properties, Map<String, String> variables)
            throws BindingUnavailableException {
        return NativeCache.Places.of(
                asked,
                name -> Optional.ofNullable(properties.get(name)),
                name -> Optional.ofNullable(variables.get(name)));
    }

    private static NativeCache cache(Runnable beforePublishing, Path... places) {
        return new NativeCache(
                new NativeCache.Places(List.of(places), List.of()),
                NativeFixture.release(),
                NativeFixture.platform(),
                beforePublishing);
    }

    private Path unpack() throws BindingUnavailableException {
        return cache(() -> {}, root).unpack(resource);
    }

    private void assertRefused(String... words) {
        assertThatThrownBy(this::unpack)
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContainingAll(words)
                .hasMessageContaining(NativeLibrary.CACHE_PROPERTY)
                .hasCauseInstanceOf(IOException.class);
    }

    private void assertOnlyTheGoodFile() throws IOException {
        assertThat(Files.isRegularFile(good, LinkOption.NOFOLLOW_LINKS)).isTrue();
        assertThat(good).hasBinaryContent(library);
        assertThat(NativeFixture.namesIn(good.getParent()))
                .containsExactly(good.getFileName().toString());
    }
}
