// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The platforms that libraries are built for, and which of them this JVM runs on. Safe for any thread. */
enum NativePlatform {
    X86_64("linux-x86_64", 62, "amd64|x8664|x64|em64t|ia32e"),
    AARCH_64("linux-aarch_64", 183, "aarch64|arm64|arm64v8");

    private static final Pattern PUNCTUATION = Pattern.compile("[-_ ]");
    private static final Pattern MUSL = Pattern.compile("(?m)/(ld-musl-|libc\\.musl-)[^/]*$");
    private static final Pattern GLIBC = Pattern.compile("(?m)/(ld-linux-|libc\\.so\\.6|libc-2\\.)[^/]*$");

    private final String classifier;
    private final int machine;
    private final String spellings;

    NativePlatform(String classifier, int machine, String spellings) {
        this.classifier = classifier;
        this.machine = machine;
        this.spellings = spellings;
    }

    /** Classifier of the jar that brings its libraries. */
    String classifier() {
        return classifier;
    }

    /** {@code e_machine} in the header of its libraries. */
    int machine() {
        return machine;
    }

    /**
     * The platform of this JVM.
     *
     * @throws BindingUnavailableException where nothing is built for its system, processor or C library
     */
    static NativePlatform current() throws BindingUnavailableException {
        NativePlatform platform = of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
        refuseMusl(maps(), muslIsInstalled());
        return platform;
    }

    /**
     * The platform by the names that JVMs, build tools and container registries have for it.
     *
     * @throws BindingUnavailableException where nothing is built for it
     */
    static NativePlatform of(String os, String processor) throws BindingUnavailableException {
        if (!os.toLowerCase(Locale.ROOT).contains("linux")) {
            throw new BindingUnavailableException(
                    "libmillrace exists for Linux only and this is " + os + ": the blocking engine serves here");
        }
        String plain =
                PUNCTUATION.matcher(processor.trim().toLowerCase(Locale.ROOT)).replaceAll("");
        for (NativePlatform platform : values()) {
            if (plain.matches(platform.spellings)) {
                return platform;
            }
        }
        String built = Arrays.stream(values()).map(NativePlatform::classifier).collect(Collectors.joining(" and "));
        boolean narrow = plain.matches("x86|x8632|x32|ia32|i[3-6]86|arm|arm32|armhf|armel|armv[1-8][a-z]*|aarch32");
        throw new BindingUnavailableException(
                "libmillrace is built for " + built + ", and this JVM runs on " + processor
                        + (narrow ? ", 32 bits wide: run a 64-bit JVM, or" : ":")
                        + " the blocking engine serves here");
    }

    /**
     * Refuses musl before anything is loaded: musl takes itself for the glibc that a library asks for, and what is
     * missing then shows as a crash in the middle of a call.
     *
     * @param maps text of {@code /proc/self/maps}, which says what this JVM runs on; empty where it cannot be read
     * @param installed whether musl's loader is installed, which alone proves nothing: glibc may be there too
     * @throws BindingUnavailableException where this JVM runs on musl
     */
    static void refuseMusl(String maps, boolean installed) throws BindingUnavailableException {
        boolean musl =
                MUSL.matcher(maps).find() || (installed && !GLIBC.matcher(maps).find());
        if (musl) {
            throw new BindingUnavailableException("libmillrace needs glibc and this JVM runs on musl (as on Alpine"
                    + " Linux): run it on an image with glibc, such as Debian's, Ubuntu's or Red Hat's; the blocking"
                    + " engine serves here");
        }
    }

    private static String maps() {
        try {
            // Names of files are bytes of any kind: this reads them all.
            return Files.readString(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }

    private static boolean muslIsInstalled() {
        try (DirectoryStream<Path> loaders = Files.newDirectoryStream(Path.of("/lib"), "ld-musl-*")) {
            return loaders.iterator().hasNext();
        } catch (IOException e) {
            return false;
        }
    }
}
