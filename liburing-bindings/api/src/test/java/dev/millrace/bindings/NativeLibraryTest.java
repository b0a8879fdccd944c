// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Order of the places, and what is said of a library that is missing or not what it should be. */
class NativeLibraryTest {
    private static final String FILE = NativeFixture.FILE;

    @TempDir
    Path folder;

    private final SavedProperties properties = new SavedProperties();
    private Path cache;

    @BeforeEach
    void unpackIntoAFolderOfTheTest() {
        cache = folder.resolve("cache");
        System.setProperty(NativeLibrary.CACHE_PROPERTY, cache.toString());
    }

    @AfterEach
    void restoreSettings() {
        properties.restore();
    }

    @Test
    void searchesThePlacesInTheirOrder() throws Exception {
        Path asked = withLibrary("asked");
        Path beside = withLibrary("beside");
        Path first = Files.createDirectory(folder.resolve("first"));
        Path second = withLibrary("second");
        Path own = NativeFixture.ownJar(beside.resolve("millrace-bindings-api.jar"));
        Path brought = NativeFixture.classifierJar(folder.resolve("native.jar"), NativeFixture.library());
        List<Path> classPath = List.of(own, NativeFixture.folderOf(LocateMain.class), brought);
        List<String> options = List.of(
                "-Djava.library.path=" + first + "::" + second, "-D" + NativeLibrary.CACHE_PROPERTY + "=" + cache);
        ProcessBuilder named = NativeFixture.jvm(classPath, options);
        named.environment().put(NativeLibrary.DIRECTORY_VARIABLE, asked.toString());
        assertThat(NativeFixture.output(named)).isEqualTo(asked.resolve(FILE).toString());
        assertThat(locate(classPath, options)).isEqualTo(beside.resolve(FILE).toString());
        Files.delete(beside.resolve(FILE));
        assertThat(locate(classPath, options)).isEqualTo(second.resolve(FILE).toString());
        assertThat(cache).doesNotExist();
        Files.delete(second.resolve(FILE));
        assertThat(locate(classPath, options))
                .isEqualTo(
                        NativeFixture.unpacked(cache, NativeFixture.library()).toString());
        Files.delete(asked.resolve(FILE));
        assertThat(NativeFixture.output(named))
                .startsWith("refused: " + FILE)
                .contains(asked.toString(), NativeLibrary.DIRECTORY_PROPERTY, NativeLibrary.DIRECTORY_VARIABLE);
    }

    @Test
    void goesOnBehindALibraryThatIsNoGoodAndSaysSoWhereNothingFollows() throws Exception {
        Path bad = Files.createDirectory(folder.resolve("bad"));
        Files.write(
                bad.resolve(FILE),
                NativeFixture.fabricated(NativeFixture.otherPlatform().machine()));
        Path good = withLibrary("good");
        System.setProperty("java.library.path", bad + ":" + good);
        assertThat(NativeLibrary.locate("millrace")).isEqualTo(good.resolve(FILE));
        System.setProperty("java.library.path", bad.toString());
        assertThatThrownBy(() -> NativeLibrary.locate("millrace"))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining(bad.resolve(FILE) + " is a library for another processor");
    }

    @Test
    void namesALibraryInTheFolderAskedForThatIsForAnotherProcessorOrCorrupt() throws Exception {
        System.setProperty(NativeLibrary.DIRECTORY_PROPERTY, folder.toString());
        Path library = folder.resolve(FILE);
        Files.write(
                library, NativeFixture.fabricated(NativeFixture.otherPlatform().machine()));
        assertThatThrownBy(() -> NativeLibrary.locate("millrace"))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining(library.toString())
                .hasMessageContaining("another processor")
                .hasMessageContaining(NativeLibrary.DIRECTORY_PROPERTY);
        Files.write(library, Arrays.copyOf(NativeFixture.library(), 100_000));
        assertThatThrownBy(() -> NativeLibrary.locate("millrace"))
                .hasMessageContaining(library.toString())
                .hasMessageContaining("corrupt");
        Files.write(library, new byte[1]);
        assertThatThrownBy(() -> NativeLibrary.locate("millrace")).hasMessageContaining("no shared library");
    }

    @Test
    void namesTheCoordinatesOfTheJarThatIsMissing() {
        String platform = NativeFixture.platform().classifier();
        assertThatThrownBy(() -> NativeLibrary.locate("millrace"))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining(FILE)
                .hasMessageContaining("dev.millrace:millrace-native:"
                        + NativeFixture.release().version() + ":jar:" + platform)
                .hasMessageContaining(NativeLibrary.DIRECTORY_PROPERTY)
                .hasMessageContaining("make native");
        assertThat(NativeFixture.release().version()).matches("\\d+\\.\\d+\\.\\d+.*");
    }

    @Test
    void saysThatTheJarOfAnotherProcessorIsThere() throws Exception {
        byte[] library = NativeFixture.fabricated(NativeFixture.otherPlatform().machine());
        String entry = NativeFixture.entry(NativeFixture.release().version(), NativeFixture.otherPlatform());
        Path jar = NativeFixture.classifierJar(folder.resolve("n.jar"), entry, library, NativeFixture.digest(library));
        try (URLClassLoader loader = contextLoader(jar)) {
            assertThat(loader.getResource(entry)).isNotNull();
            assertThatThrownBy(() -> NativeLibrary.locate("millrace"))
                    .hasMessageContaining(
                            "has the one for " + NativeFixture.otherPlatform().classifier())
                    .hasMessageContaining(":jar:" + NativeFixture.platform().classifier());
        }
    }

    @Test
    void takesNoLibraryOfAnotherRelease() throws Exception {
        byte[] library = NativeFixture.library();
        String entry = NativeFixture.entry("0.0.1", NativeFixture.platform());
        Path jar = NativeFixture.classifierJar(folder.resolve("n.jar"), entry, library, NativeFixture.digest(library));
        try (URLClassLoader loader = contextLoader(jar)) {
            assertThat(loader.getResource(entry)).isNotNull();
            assertThatThrownBy(() -> NativeLibrary.locate("millrace"))
                    .isInstanceOf(BindingUnavailableException.class)
                    .hasMessageContaining(NativeFixture.release().coordinates(NativeFixture.platform()));
        }
        assertThat(cache).doesNotExist();
    }

    @Test
    void findsTheJarOfTheThreadsClassLoader() throws Exception {
        byte[] library = NativeFixture.library();
        Path jar = NativeFixture.classifierJar(folder.resolve("n.jar"), library);
        try (URLClassLoader loader = contextLoader(jar)) {
            assertThat(loader.getURLs()).hasSize(1);
            Path found = NativeLibrary.locate("millrace");
            assertThat(found).isEqualTo(NativeFixture.unpacked(cache, library)).hasBinaryContent(library);
            assertThatThrownBy(() -> NativeLibrary.locate("millrace-jni"))
                    .isInstanceOf(BindingUnavailableException.class)
                    .hasMessageContaining("libmillrace-jni.so");
        }
        Thread.currentThread().setContextClassLoader(ClassLoader.getPlatformClassLoader());
        assertThatThrownBy(() -> NativeLibrary.locate("millrace")).isInstanceOf(BindingUnavailableException.class);
        Thread.currentThread().setContextClassLoader(null);
        assertThatThrownBy(() -> NativeLibrary.locate("millrace")).isInstanceOf(BindingUnavailableException.class);
    }

    @Test
    void refusesAJarWhoseLibraryIsNotWhatItSays() throws Exception {
        byte[] library = NativeFixture.library();
        String entry = NativeFixture.entry(NativeFixture.release().version(), NativeFixture.platform());
        String coordinates = NativeFixture.release().coordinates(NativeFixture.platform());
        byte[] other = NativeFixture.fabricated(NativeFixture.otherPlatform().machine());
        refuses(
                NativeFixture.classifierJar(folder.resolve("1.jar"), entry, library, NativeFixture.digest(other)),
                "is corrupt",
                coordinates);
        refuses(
                NativeFixture.classifierJar(folder.resolve("2.jar"), entry, library, "not a digest"),
                "no SHA-256",
                coordinates);
        refuses(NativeFixture.jar(folder.resolve("3.jar"), Map.of(entry, library)), "no digest", coordinates);
        refuses(
                NativeFixture.classifierJar(folder.resolve("4.jar"), entry, other, NativeFixture.digest(other)),
                "another processor",
                coordinates);
        byte[] half = Arrays.copyOf(library, library.length / 2);
        refuses(
                NativeFixture.classifierJar(folder.resolve("5.jar"), entry, half, NativeFixture.digest(half)),
                "corrupt",
                coordinates);
        Path platform = NativeFixture.unpacked(cache, library).getParent();
        assertThat(NativeFixture.namesIn(platform)).isEmpty();
    }

    @Test
    void refusesAPlaceToUnpackThatIsNoPath() throws Exception {
        System.setProperty(NativeLibrary.CACHE_PROPERTY, "no\0folder");
        refuses(
                NativeFixture.classifierJar(folder.resolve("n.jar"), NativeFixture.library()),
                "names no possible folder",
                NativeLibrary.CACHE_PROPERTY);
    }

    @Test
    void refusesAProcessorThatNothingIsBuiltFor() {
        System.setProperty("os.arch", "riscv64");
        assertThatThrownBy(() -> NativeLibrary.locate("millrace"))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("riscv64");
    }

    @Test
    void makesCopiesThatAreEachTheirOwn() throws Exception {
        Path library = withLibrary("some").resolve(FILE);
        Path one = NativeLibrary.privateCopy(library);
        Path two = NativeLibrary.privateCopy(library);
        assertThat(one).isNotEqualTo(two).isNotEqualTo(library).isAbsolute().hasSameBinaryContentAs(library);
        assertThat(two).hasSameBinaryContentAs(library);
        assertThat(one.startsWith(cache)).isTrue();
        Files.delete(one);
        Files.delete(two);
        assertThatThrownBy(() -> NativeLibrary.privateCopy(folder.resolve("missing.so")))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("missing.so")
                .hasMessageContaining("ENOENT")
                .hasCauseInstanceOf(IOException.class);
    }

    @Test
    void letsEachClassLoaderLoadACopyOfItsOwn() throws Exception {
        assumeTrue(NativeFixture.isReal(), "the C library is not built");
        Path library = withLibrary("some").resolve(FILE);
        try (URLClassLoader first = loaderOf(SystemLoad.class);
                URLClassLoader second = loaderOf(SystemLoad.class)) {
            loadBy(first, library);
            assertThatThrownBy(() -> loadBy(second, library))
                    .isInstanceOf(UnsatisfiedLinkError.class)
                    .hasMessageContaining("another classloader");
            for (URLClassLoader loader : List.of(first, second)) {
                Path copy = NativeLibrary.privateCopy(library);
                loadBy(loader, copy);
                Files.delete(copy);
            }
        }
    }

    @Test
    void serves16ThreadsAtOnce() throws Exception {
        threadsAtOnce(50);
    }

    @Test
    @Tag("slow")
    void serves16ThreadsAtOnceFiveHundredTimes() throws Exception {
        threadsAtOnce(500);
    }

    private void threadsAtOnce(int rounds) throws Exception {
        byte[] library = NativeFixture.library();
        Path jar = NativeFixture.classifierJar(folder.resolve("n.jar"), library);
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try (URLClassLoader loader = contextLoader(jar)) {
            for (int round = 0; round < rounds; round++) {
                Path place = cache.resolve("round-" + round);
                System.setProperty(NativeLibrary.CACHE_PROPERTY, place.toString());
                CyclicBarrier barrier = new CyclicBarrier(16);
                Callable<String> search = () -> {
                    Thread.currentThread().setContextClassLoader(loader);
                    barrier.await();
                    Path found = NativeLibrary.locate("millrace");
                    return found + " " + Files.getAttribute(found, "unix:ino");
                };
                List<Future<String>> answers = new ArrayList<>();
                for (int i = 0; i < 16; i++) {
                    answers.add(threads.submit(search));
                }
                Path file = NativeFixture.unpacked(place, library);
                for (Future<String> answer : answers) {
                    // One file's number: who came second did not replace the file of the first.
                    assertThat(answer.get())
                            .startsWith(file + " ")
                            .isEqualTo(answers.get(0).get());
                }
                assertThat(NativeFixture.namesIn(file.getParent()))
                        .containsExactly(file.getFileName().toString());
                Files.delete(file);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** A class loader with a class of its own, found as a service. */
    private URLClassLoader loaderOf(Class<?> type) throws IOException {
        String name = type.getName();
        String file = name.replace('.', '/') + ".class";
        Path jar = NativeFixture.jar(
                folder.resolve("service.jar"),
                Map.of(
                        file,
                        Files.readAllBytes(NativeFixture.folderOf(type).resolve(file)),
                        "META-INF/services/java.util.function.Consumer",
                        name.getBytes(StandardCharsets.UTF_8)));
        return new URLClassLoader(new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader());
    }

    @SuppressWarnings("unchecked")
    private static void loadBy(ClassLoader loader, Path library) {
        Consumer<String> service =
                ServiceLoader.load(Consumer.class, loader).findFirst().orElseThrow();
        service.accept(library.toString());
    }

    private void refuses(Path jar, String... words) throws IOException {
        try (URLClassLoader loader = contextLoader(jar)) {
            assertThat(loader.getURLs()).hasSize(1);
            assertThatThrownBy(() -> NativeLibrary.locate("millrace"))
                    .isInstanceOf(BindingUnavailableException.class)
                    .hasMessageContainingAll(words);
        }
    }

    private static URLClassLoader contextLoader(Path jar) throws IOException {
        URLClassLoader loader =
                new URLClassLoader(new URL[] {jar.toUri().toURL()}, NativeLibraryTest.class.getClassLoader());
        Thread.currentThread().setContextClassLoader(loader);
        return loader;
    }

    private Path withLibrary(String name) throws IOException {
        Path place = Files.createDirectory(folder.resolve(name));
        Files.write(place.resolve(FILE), NativeFixture.library());
        return place;
    }

    private static String locate(List<Path> classPath, List<String> options) throws Exception {
        return NativeFixture.output(NativeFixture.jvm(classPath, options));
    }
}
