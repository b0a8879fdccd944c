// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/** Libraries, jars that bring them, and JVMs that look for them. */
final class NativeFixture {
    static final String FILE = "libmillrace.so";

    private static final Optional<Path> BUILT = Settings.read(
                    NativeLibrary.DIRECTORY_PROPERTY, NativeLibrary.DIRECTORY_VARIABLE)
            .map(folder -> Path.of(folder).resolve(FILE))
            .filter(Files::isRegularFile);

    private NativeFixture() {}

    /** The library that the build made, else what looks like one. */
    static byte[] library() {
        try {
            return BUILT.isPresent() ? Files.readAllBytes(BUILT.get()) : fabricated();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether {@link #library} can really be loaded. */
    static boolean isReal() {
        return BUILT.isPresent();
    }

    /** A header for this processor and as many bytes as a library has. */
    static byte[] fabricated() {
        return fabricated(platform().machine());
    }

    static byte[] fabricated(int machine) {
        ByteBuffer elf = ByteBuffer.allocate(300_000).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
        elf.putShort(16, (short) 3).putShort(18, (short) machine);
        elf.putLong(32, 64).putShort(54, (short) 56).putShort(56, (short) 1);
        elf.putLong(64 + 8, 0).putLong(64 + 32, 300_000);
        return elf.array();
    }

    static NativePlatform platform() {
        try {
            return NativePlatform.current();
        } catch (BindingUnavailableException e) {
            throw new AssertionError(e);
        }
    }

    static NativePlatform otherPlatform() {
        return platform() == NativePlatform.X86_64 ? NativePlatform.AARCH_64 : NativePlatform.X86_64;
    }

    static NativeRelease release() {
        try {
            return NativeRelease.read();
        } catch (BindingUnavailableException e) {
            throw new AssertionError(e);
        }
    }

    static String entry(String version, NativePlatform platform) {
        return "META-INF/millrace/" + version + "/" + platform.classifier() + "/" + FILE;
    }

    static String digest(byte[] library) {
        return HexFormat.of().formatHex(NativeResource.sha256().digest(library));
    }

    /** Where the library from a jar comes to lie in a cache. */
    static Path unpacked(Path cache, byte[] library) {
        return cache.resolve(release().version())
                .resolve(platform().classifier())
                .resolve("libmillrace-" + digest(library).substring(0, 16) + ".so");
    }

    /** The jar of this platform's libraries, with one in it. */
    static Path classifierJar(Path jar, byte[] library) throws IOException {
        return classifierJar(jar, entry(release().version(), platform()), library, digest(library));
    }

    static Path classifierJar(Path jar, String entry, byte[] library, String digest) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put(entry, library);
        entries.put(entry + ".sha256", digest.getBytes(StandardCharsets.US_ASCII));
        return jar(jar, entries);
    }

    static Path jar(Path jar, Map<String, byte[]> entries) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                out.putNextEntry(new JarEntry(entry.getKey()));
                out.write(entry.getValue());
                out.closeEntry();
            }
        }
        return jar;
    }

    /** The jar of the classes under test, as users have them. */
    static Path ownJar(Path jar) throws IOException {
        Path classes = folderOf(NativeLibrary.class);
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                entries.put(classes.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return jar(jar, entries);
    }

    static Path folderOf(Class<?> type) {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath());
    }

    /** A small JVM that runs {@link LocateMain} with none of this one's settings. */
    static ProcessBuilder jvm(List<Path> classPath, List<String> options, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx32m"));
        command.addAll(options);
        command.add("-cp");
        command.add(String.join(":", classPath.stream().map(Path::toString).toList()));
        command.add(LocateMain.class.getName());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment()
                .keySet()
                .removeAll(List.of(NativeLibrary.DIRECTORY_VARIABLE, NativeLibrary.CACHE_VARIABLE, "XDG_CACHE_HOME"));
        return builder;
    }

    /** Class path of a JVM that has the classes under test and a jar of libraries. */
    static List<Path> classPath(Path... jars) {
        List<Path> classPath = new ArrayList<>(List.of(folderOf(NativeLibrary.class), folderOf(LocateMain.class)));
        classPath.addAll(List.of(jars));
        return classPath;
    }

    /** What a JVM prints, which must end well. */
    static String output(ProcessBuilder builder) throws Exception {
        Process process = builder.start();
        String output;
        try {
            process.getOutputStream().close();
            output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
            assertThat(process.waitFor()).as(output).isZero();
        } finally {
            process.destroyForcibly();
        }
        return output;
    }

    static List<String> namesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
