// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * Real files that are found wherever this can be built: the JDK's {@code lib/modules} and the jars of the local Maven
 * repository; where these are too few, the JDK's other large files, the same of other JDKs beside it, and in the end the
 * same files once more under other keys.
 */
final class RealFiles {
    private static final long MIB = 1 << 20;
    /** Smaller ones would make a thousand objects of nothing but requests. */
    private static final long LEAST = MIB / 2;

    private final long wanted;
    private final long most;
    private final int leastObjects;
    private final List<Sample> samples = new ArrayList<>();
    private final Set<Path> taken = new LinkedHashSet<>();
    private long bytes;

    /** A file and the key that it goes to. */
    record Sample(Path file, String key, long size) {}

    private RealFiles(long wanted, int leastObjects) {
        this.wanted = wanted;
        this.most = wanted + 188 * MIB;
        this.leastObjects = leastObjects;
    }

    /** At least so many bytes in at least so many objects. */
    static List<Sample> collect(Path javaHome, Path repository, long wanted, int leastObjects) throws IOException {
        RealFiles files = new RealFiles(wanted, leastObjects);
        files.take(javaHome.resolve("lib/modules"), "jdk/lib/modules");
        files.takeAll(repository, "maven/", path -> path.toString().endsWith(".jar"));
        files.takeAll(javaHome, "jdk/", path -> true);
        try (Stream<Path> others = Files.list(javaHome.toRealPath().getParent())) {
            for (Path other : others.filter(Files::isDirectory).sorted().toList()) {
                files.takeAll(other, "jdk-" + other.getFileName() + "/", path -> true);
            }
        }
        List<Sample> once = List.copyOf(files.samples);
        if (once.isEmpty()) {
            throw new IOException("There are no files of more than " + LEAST / 1024 + " KiB in " + javaHome + " and "
                    + repository + ".");
        }
        for (int copy = 2; !files.enough() && copy < 100; copy++) {
            for (Sample sample : once) {
                files.add(new Sample(sample.file(), "copy-" + copy + "/" + sample.key(), sample.size()));
            }
        }
        return List.copyOf(files.samples);
    }

    private boolean enough() {
        return bytes >= wanted && samples.size() >= leastObjects;
    }

    private void takeAll(Path root, String prefix, Predicate<Path> kind) throws IOException {
        if (enough() || !Files.isDirectory(root)) {
            return;
        }
        List<Path> found;
        try (Stream<Path> walk = Files.walk(root)) {
            found = walk.filter(path -> kind.test(path) && Files.isRegularFile(path) && Files.isReadable(path))
                    // What is being built meanwhile changes.
                    .filter(path -> !path.toString().contains("SNAPSHOT"))
                    .sorted(Comparator.comparing(Path::toString))
                    .toList();
        }
        for (Path file : found) {
            take(file, prefix + root.relativize(file));
        }
    }

    private void take(Path file, String key) throws IOException {
        if (!enough() && Files.isRegularFile(file) && Files.size(file) >= LEAST && taken.add(file.toRealPath())) {
            add(new Sample(file, key, Files.size(file)));
        }
    }

    private void add(Sample sample) {
        if (!enough() && bytes + sample.size() <= most) {
            samples.add(sample);
            bytes += sample.size();
        }
    }

    static String sha256(Path file) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every JDK has SHA-256.", e);
        }
        eachBuffer(file, digest::update);
        return HexFormat.of().formatHex(digest.digest());
    }

    /** As S3 writes it: the four bytes in Base64. */
    static String crc32c(Path file) throws IOException {
        CRC32C crc = new CRC32C();
        eachBuffer(file, crc::update);
        return Base64.getEncoder()
                .encodeToString(ByteBuffer.allocate(Integer.BYTES)
                        .putInt((int) crc.getValue())
                        .array());
    }

    private static void eachBuffer(Path file, Consumer<ByteBuffer> sink) throws IOException {
        byte[] buffer = new byte[1 << 20];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                sink.accept(ByteBuffer.wrap(buffer, 0, count));
            }
        }
    }
}
