// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;

/**
 * The folder of this user where libraries from jars are unpacked, shared by all its JVMs. Safe for any thread and any
 * number of processes without a lock: each writes a file of its own and gives it the final name at once.
 */
final class NativeCache {
    private static final String TEMPORARY = "tmp-";
    private static final Duration LEFT_OVER = Duration.ofHours(1);
    private static final int DIGITS = 16;

    private final Places places;
    private final NativeRelease release;
    private final NativePlatform platform;
    private final Runnable beforePublishing;

    /**
     * With the places to try.
     *
     * @param beforePublishing runs when a file is written and checked and has no final name yet
     */
    NativeCache(Places places, NativeRelease release, NativePlatform platform, Runnable beforePublishing) {
        this.places = places;
        this.release = release;
        this.platform = platform;
        this.beforePublishing = beforePublishing;
    }

    /**
     * The cache of this JVM.
     *
     * @throws BindingUnavailableException where the place that was asked for is no path
     */
    static NativeCache ofThisJvm(NativeRelease release, NativePlatform platform) throws BindingUnavailableException {
        Places places = Places.of(
                Settings.read(NativeLibrary.CACHE_PROPERTY, NativeLibrary.CACHE_VARIABLE),
                property -> Optional.ofNullable(System.getProperty(property)),
                variable -> Optional.ofNullable(System.getenv(variable)));
        return new NativeCache(places, release, platform, () -> {});
    }

    /**
     * Folders to try, in their order.
     *
     * @param folders absolute
     * @param notes why others are not among them
     */
    record Places(List<Path> folders, List<String> notes) {
        Places {
            folders = List.copyOf(folders);
            notes = List.copyOf(notes);
        }

        /**
         * The one asked for and no other; else the user's cache and then one among the temporary files.
         *
         * @throws BindingUnavailableException where the one asked for is no path
         */
        static Places of(
                Optional<String> asked,
                Function<String, Optional<String>> property,
                Function<String, Optional<String>> variable)
                throws BindingUnavailableException {
            if (asked.isPresent()) {
                Path folder = path(asked.get())
                        .orElseThrow(() -> new BindingUnavailableException("-D" + NativeLibrary.CACHE_PROPERTY + " (or "
                                + NativeLibrary.CACHE_VARIABLE + ") names no possible folder: " + asked.get()));
                return new Places(List.of(folder.toAbsolutePath()), List.of());
            }
            List<Path> folders = new ArrayList<>();
            List<String> notes = new ArrayList<>();
            // By the XDG specification a relative path counts as not set.
            Optional<Path> cache =
                    variable.apply("XDG_CACHE_HOME").flatMap(Places::path).filter(Path::isAbsolute);
            if (cache.isPresent()) {
                folders.add(cache.get().resolve("millrace"));
            } else {
                String home = property.apply("user.home").orElse("");
                // A home that is not there is not made: its name then says that the user shall have none.
                path(home)
                        .filter(Path::isAbsolute)
                        .filter(Files::isDirectory)
                        .ifPresentOrElse(
                                folder -> folders.add(folder.resolve(".cache").resolve("millrace")),
                                () -> notes.add("this user has no home folder (user.home is '" + home + "')"));
            }
            String user = property.apply("user.name").orElse("");
            property.apply("java.io.tmpdir")
                    .flatMap(Places::path)
                    .map(Path::toAbsolutePath)
                    .filter(Files::isDirectory)
                    .ifPresentOrElse(
                            folder -> folders.add(folder.resolve("millrace-" + nameOf(user))),
                            () -> notes.add("there is no folder for temporary files (java.io.tmpdir)"));
            return new Places(folders, notes);
        }

        private static Optional<Path> path(String text) {
            try {
                return text.isBlank() ? Optional.empty() : Optional.of(Path.of(text));
            } catch (InvalidPathException e) {
                return Optional.empty();
            }
        }

        /** A user without a name, as containers have them, goes by the number. */
        private static String nameOf(String user) {
            if (user.matches("[A-Za-z0-9_][A-Za-z0-9._-]*")) {
                return user;
            }
            try {
                return Integer.toString(NativeFolder.self());
            } catch (IOException e) {
                return "user";
            }
        }
    }

    /**
     * Absolute path of a library from a jar: the good file that is there already, or a new one.
     *
     * @throws BindingUnavailableException where the jar's library is not what it should be, or no place will do; then
     *     each is named with the reason, and the property to set
     */
    Path unpack(NativeResource resource) throws BindingUnavailableException {
        String stem = resource.file().substring(0, resource.file().length() - ".so".length());
        String name = stem + "-" + resource.digest().substring(0, DIGITS) + ".so";
        return inFirstPlace(resource.file() + " from a jar", folder -> {
            Path library = folder.resolve(name);
            if (!isGood(library, resource.digest())) {
                publish(folder, library, resource.read(), resource.digest());
            }
            return library;
        });
    }

    /**
     * Absolute path of a new copy of a library, which the caller deletes.
     *
     * @throws BindingUnavailableException where no place will do
     */
    Path copy(Path library) throws BindingUnavailableException {
        String name =
                Optional.ofNullable(library.getFileName()).map(Path::toString).orElse("library.so");
        return inFirstPlace("a copy of " + library, folder -> {
            Path copy = folder.resolve(TEMPORARY + UUID.randomUUID() + "-" + name);
            byte[] content;
            try {
                content = Files.readAllBytes(library);
            } catch (IOException e) {
                throw new BindingUnavailableException(library + " cannot be copied: " + NativeFolder.reason(e), e);
            }
            boolean complete = false;
            try {
                write(
                        copy,
                        content,
                        HexFormat.of().formatHex(NativeResource.sha256().digest(content)));
                complete = true;
            } finally {
                if (!complete) {
                    delete(copy);
                }
            }
            return copy;
        });
    }

    /** What is done in a folder that is fit for it. */
    private interface Step {
        Path in(Path folder) throws IOException, BindingUnavailableException;
    }

    private Path inFirstPlace(String what, Step step) throws BindingUnavailableException {
        List<String> faults = new ArrayList<>();
        List<IOException> causes = new ArrayList<>();
        for (Path place : places.folders()) {
            try {
                Path folder = NativeFolder.prepare(place, release.version(), platform.classifier());
                removeLeftOvers(folder);
                return step.in(folder);
            } catch (IOException e) {
                faults.add(place + " will not do: " + NativeFolder.reason(e));
                causes.add(e);
            }
        }
        faults.addAll(places.notes());
        String message = "there is no place for " + what + ": " + String.join("; ", faults)
                + ". Name a folder of this user alone, writable and on a mount without noexec, with -D"
                + NativeLibrary.CACHE_PROPERTY + " (or " + NativeLibrary.CACHE_VARIABLE
                + "), or one that holds the unpacked library with -D" + NativeLibrary.DIRECTORY_PROPERTY;
        if (causes.isEmpty()) {
            throw new BindingUnavailableException(message);
        }
        BindingUnavailableException refusal = new BindingUnavailableException(message, causes.get(0));
        causes.stream().skip(1).forEach(refusal::addSuppressed);
        throw refusal;
    }

    /** Whether a file can be loaded as it is: ours, not a link, and with every byte as it should be. */
    private static boolean isGood(Path library, String digest) {
        try {
            return NativeFolder.isOurFile(library) && digest.equals(digestOf(library));
        } catch (IOException e) {
            // Missing, or not readable, which is as bad: a new one takes its place, or the reason shows in trying.
            return false;
        }
    }

    private void publish(Path folder, Path library, byte[] content, String digest) throws IOException {
        Path temporary = folder.resolve(TEMPORARY + UUID.randomUUID() + ".so");
        try {
            write(temporary, content, digest);
            beforePublishing.run();
            try {
                // A second name first, since renaming would replace the good file of a JVM that was faster.
                Files.createLink(library, temporary);
            } catch (IOException | UnsupportedOperationException e) {
                // A file is there, or this file system has no second names. A bad file goes, whatever it is.
                if (!isGood(library, digest)) {
                    Files.move(temporary, library, StandardCopyOption.ATOMIC_MOVE);
                }
            }
        } finally {
            delete(temporary);
        }
    }

    private static void write(Path file, byte[] content, String digest) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-x------")))) {
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }
        if (!digest.equals(digestOf(file))) {
            throw new IOException(file + " does not hold what was written to it");
        }
    }

    private static String digestOf(Path file) throws IOException {
        MessageDigest sha256 = NativeResource.sha256();
        try (InputStream in = new DigestInputStream(Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS), sha256)) {
            in.transferTo(OutputStream.nullOutputStream());
        }
        return HexFormat.of().formatHex(sha256.digest());
    }

    /** A JVM that was killed leaves its temporary file; an hour later nobody can still be writing it. */
    private static void removeLeftOvers(Path folder) {
        Instant limit = Instant.now().minus(LEFT_OVER);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, TEMPORARY + "*")) {
            for (Path file : files) {
                if (Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS)
                        .toInstant()
                        .isBefore(limit)) {
                    delete(file);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // Another JVM removed the same, or the folder is read-only: the next one tidies up.
            return;
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // It stays as a left-over, which a later JVM removes.
            return;
        }
    }
}
