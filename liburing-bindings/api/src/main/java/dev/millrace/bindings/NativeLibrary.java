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
import java.util.Locale;
import java.util.Optional;

/**
 * Finds the shared libraries: in the folder named by the property {@value #DIRECTORY_PROPERTY} or the environment's
 * {@value #DIRECTORY_VARIABLE} (and then nowhere else), beside the jar of these classes, on {@code java.library.path}.
 */
public final class NativeLibrary {
    /** Names the folder that holds the library. */
    public static final String DIRECTORY_PROPERTY = "millrace.native.dir";
    /** The same in the environment; the property goes first. */
    public static final String DIRECTORY_VARIABLE = "MILLRACE_NATIVE_DIR";

    private NativeLibrary() {}

    /**
     * Absolute path of a library.
     *
     * @param name without {@code lib} and {@code .so}
     * @throws BindingUnavailableException where there is none for this system, with the places that were tried
     */
    static Path locate(String name) throws BindingUnavailableException {
        String os = System.getProperty("os.name", "");
        if (!os.toLowerCase(Locale.ROOT).contains("linux")) {
            throw new BindingUnavailableException(
                    "libmillrace exists for Linux only and this is " + os + ": the blocking engine serves here");
        }
        String file = "lib" + name + ".so";
        Optional<String> asked = Settings.read(DIRECTORY_PROPERTY, DIRECTORY_VARIABLE);
        List<Path> places = new ArrayList<>();
        if (asked.isPresent()) {
            add(places, asked.get());
        } else {
            besideTheJar().ifPresent(places::add);
            for (String entry : System.getProperty("java.library.path", "").split(":", -1)) {
                add(places, entry);
            }
        }
        for (Path place : places) {
            Path library = place.resolve(file).toAbsolutePath();
            if (Files.isRegularFile(library)) {
                return library;
            }
        }
        throw new BindingUnavailableException(file + " (" + System.getProperty("os.arch") + ") is in none of " + places
                + ": build it with `make native`, or name its folder with -D" + DIRECTORY_PROPERTY);
    }

    private static void add(List<Path> places, String entry) {
        try {
            if (!entry.isEmpty()) {
                places.add(Path.of(entry));
            }
        } catch (InvalidPathException e) {
            // A folder that cannot exist cannot hold the library; the list in the message shows it is not there.
            return;
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
