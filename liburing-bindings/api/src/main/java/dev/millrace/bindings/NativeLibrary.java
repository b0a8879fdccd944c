// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds the shared libraries: in the folder named by the property {@value #DIRECTORY_PROPERTY} or the environment's
 * {@value #DIRECTORY_VARIABLE} (and then nowhere else), beside the jar of these classes, on {@code java.library.path},
 * in a jar {@code millrace-native} for this platform on the class path or module path.
 *
 * <p>What comes from a jar is unpacked once for each user and release, into the folder named by the property
 * {@value #CACHE_PROPERTY} or the environment's {@value #CACHE_VARIABLE} (and then nowhere else), or
 * {@code $XDG_CACHE_HOME/millrace}, or {@code ~/.cache/millrace}, or {@code millrace-<user>} among the temporary files.
 * The folder has mode 700 and is this user's; a file in it is loaded only where its digest is the jar's.
 *
 * <p>Safe for any thread: nothing is locked or kept.
 */
public final class NativeLibrary {
    /** Names the folder that holds the library. */
    public static final String DIRECTORY_PROPERTY = "millrace.native.dir";
    /** The same in the environment; the property goes first. */
    public static final String DIRECTORY_VARIABLE = "MILLRACE_NATIVE_DIR";
    /** Names the folder where libraries from jars are unpacked. */
    public static final String CACHE_PROPERTY = "millrace.native.cache";
    /** The same in the environment; the property goes first. */
    public static final String CACHE_VARIABLE = "MILLRACE_NATIVE_CACHE";

    private NativeLibrary() {}

    /**
     * Absolute path of a library, for this processor by its header.
     *
     * @param name without {@code lib} and {@code .so}
     * @throws BindingUnavailableException where there is none for this system, with the places that were tried
     */
    static Path locate(String name) throws BindingUnavailableException {
        NativePlatform platform = NativePlatform.current();
        String file = "lib" + name + ".so";
        Optional<String> asked = Settings.read(DIRECTORY_PROPERTY, DIRECTORY_VARIABLE);
        if (asked.isPresent()) {
            return inFolder(asked.get(), file, platform);
        }
        List<Path> places = new ArrayList<>();
        besideTheJar().ifPresent(places::add);
        for (String entry : System.getProperty("java.library.path", "").split(":", -1)) {
            path(entry).ifPresent(places::add);
        }
        List<String> faults = new ArrayList<>();
        for (Path place : places) {
            Path library = place.resolve(file).toAbsolutePath();
            if (Files.isRegularFile(library)) {
                Optional<String> fault = fault(library, platform);
                if (fault.isEmpty()) {
                    return library;
                }
                faults.add(library + " " + fault.get());
            }
        }
        String besides = faults.isEmpty() ? "" : "; not taken either: " + String.join("; ", faults);
        NativeRelease release = NativeRelease.read();
        try {
            Optional<NativeResource> resource = NativeResource.find(release, platform, file);
            if (resource.isPresent()) {
                return NativeCache.ofThisJvm(release, platform).unpack(resource.get());
            }
        } catch (BindingUnavailableException e) {
            throw besides.isEmpty() ? e : new BindingUnavailableException(e.getMessage() + besides, e);
        }
        throw new BindingUnavailableException(file + " (" + platform.classifier() + ") is in none of " + places
                + " and in no jar on the class path" + otherJars(release, platform, file) + ": add "
                + release.coordinates(platform) + ", or build it with `make native` and name its folder with -D"
                + DIRECTORY_PROPERTY + besides);
    }

    /**
     * Makes a copy of a library under a name of its own, so that a second class loader of this JVM can load it: the
     * JVM lets each file be loaded through JNI by one class loader only. The copy lies where libraries from jars are
     * unpacked. The caller deletes it as soon as it is loaded; one that a killed JVM left is removed later.
     *
     * @param library the library to copy
     * @return absolute path of the copy
     * @throws BindingUnavailableException where it cannot be read, or there is no place for the copy; the message names
     *     each place with the reason
     */
    public static Path privateCopy(Path library) throws BindingUnavailableException {
        return NativeCache.ofThisJvm(NativeRelease.read(), NativePlatform.current())
                .copy(library);
    }

    private static Path inFolder(String folder, String file, NativePlatform platform)
            throws BindingUnavailableException {
        String only = ", the one place to search by " + DIRECTORY_PROPERTY + " or " + DIRECTORY_VARIABLE;
        String remedy =
                ": build it with `make native`, name another folder with -D" + DIRECTORY_PROPERTY + ", or set neither";
        Optional<Path> library = path(folder).map(place -> place.resolve(file).toAbsolutePath());
        if (library.isEmpty() || !Files.isRegularFile(library.get())) {
            throw new BindingUnavailableException(
                    file + " (" + platform.classifier() + ") is not in " + folder + only + remedy);
        }
        Optional<String> fault = fault(library.get(), platform);
        if (fault.isPresent()) {
            throw new BindingUnavailableException(library.get() + only + ", " + fault.get() + remedy);
        }
        return library.get();
    }

    private static Optional<String> fault(Path library, NativePlatform platform) {
        return NativeElf.fault(library, platform).or(() -> {
            return NativeFolder.isNoexec(library)
                    ? Optional.of("lies on a mount with the option noexec, where no library can be loaded")
                    : Optional.empty();
        });
    }

    private static String otherJars(NativeRelease release, NativePlatform platform, String file) {
        for (NativePlatform other : NativePlatform.values()) {
            if (other != platform && NativeResource.isThere(release, other, file)) {
                return ", which has the one for " + other.classifier();
            }
        }
        return "";
    }

    /** A folder that cannot exist cannot hold the library. */
    private static Optional<Path> path(String entry) {
        try {
            return entry.isEmpty() ? Optional.empty() : Optional.of(Path.of(entry));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    private static Optional<Path> besideTheJar() {
        CodeSource source = NativeLibrary.class.getProtectionDomain().getCodeSource();
        if (source == null || source.getLocation() == null) {
            return Optional.empty();
        }
        try {
            URI location = source.getLocation().toURI();
            return "file".equals(location.getScheme())
                    ? Optional.ofNullable(Path.of(location).getParent())
                    : Optional.empty();
        } catch (URISyntaxException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
