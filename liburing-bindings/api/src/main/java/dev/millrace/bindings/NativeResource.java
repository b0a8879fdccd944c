// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A library in a jar on the class path or the module path. It is read as a stream and never as a file, so that it can
 * lie in a jar within a jar, in a run-time image or wherever else a class loader reads from.
 *
 * @param url where its bytes are
 * @param file its name, with {@code lib} and {@code .so}
 * @param digest its SHA-256 by the jar, 64 hexadecimal digits
 * @param coordinates of the jar that is meant to bring it
 * @param platform which it is for
 */
record NativeResource(URL url, String file, String digest, String coordinates, NativePlatform platform) {
    /** More than any library of ours has, in bytes; bounds what a jar can make us read. */
    private static final int LIMIT = 64 * 1024 * 1024;

    private static final int DIGITS = 64;

    /**
     * Searches with the class loader of these classes, and then with the thread's own.
     *
     * @throws BindingUnavailableException where the library is there and its digest is not
     */
    static Optional<NativeResource> find(NativeRelease release, NativePlatform platform, String file)
            throws BindingUnavailableException {
        String path = path(release, platform, file);
        for (ClassLoader loader : loaders()) {
            URL url = loader.getResource(path);
            if (url != null) {
                URL digest = loader.getResource(path + ".sha256");
                return Optional.of(new NativeResource(
                        url, file, digest(url, digest, release, platform), release.coordinates(platform), platform));
            }
        }
        return Optional.empty();
    }

    /** Whether a jar for a platform is there, which may be another than this JVM's. */
    static boolean isThere(NativeRelease release, NativePlatform platform, String file) {
        String path = path(release, platform, file);
        return loaders().stream().anyMatch(loader -> loader.getResource(path) != null);
    }

    private static String path(NativeRelease release, NativePlatform platform, String file) {
        return "META-INF/millrace/" + release.version() + "/" + platform.classifier() + "/" + file;
    }

    private static List<ClassLoader> loaders() {
        List<ClassLoader> loaders = new ArrayList<>();
        loaders.add(Optional.ofNullable(NativeResource.class.getClassLoader())
                .orElseGet(ClassLoader::getSystemClassLoader));
        Optional.ofNullable(Thread.currentThread().getContextClassLoader())
                .filter(loader -> !loaders.contains(loader))
                .ifPresent(loaders::add);
        return loaders;
    }

    private static String digest(URL library, URL digest, NativeRelease release, NativePlatform platform)
            throws BindingUnavailableException {
        String remedy = ": take " + release.coordinates(platform) + " again, as it was published";
        if (digest == null) {
            throw new BindingUnavailableException(library + " has no digest (.sha256) beside it" + remedy);
        }
        String text;
        try {
            text = new String(read(digest, DIGITS), StandardCharsets.US_ASCII).toLowerCase(Locale.ROOT);
        } catch (IOException e) {
            throw new BindingUnavailableException(digest + " cannot be read (" + e.getMessage() + ")" + remedy, e);
        }
        if (!text.matches("[0-9a-f]{" + DIGITS + "}")) {
            throw new BindingUnavailableException(digest + " holds no SHA-256" + remedy);
        }
        return text;
    }

    /**
     * The library's bytes, which are what the digest says and for this processor.
     *
     * @throws BindingUnavailableException where they are not
     */
    byte[] read() throws BindingUnavailableException {
        String remedy = ": take " + coordinates + " again, as it was published";
        byte[] library;
        try {
            library = read(url, LIMIT);
        } catch (IOException e) {
            throw new BindingUnavailableException(url + " cannot be read (" + e.getMessage() + ")" + remedy, e);
        }
        if (!digest.equals(HexFormat.of().formatHex(sha256().digest(library)))) {
            throw new BindingUnavailableException(url + " is corrupt: it does not have the digest beside it" + remedy);
        }
        Optional<String> fault = NativeElf.fault(library, platform);
        if (fault.isPresent()) {
            throw new BindingUnavailableException(url + " " + fault.get() + remedy);
        }
        return library;
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256, and this one says: " + e.getMessage(), e);
        }
    }

    private static byte[] read(URL url, int limit) throws IOException {
        URLConnection connection = url.openConnection();
        // A cached connection would keep the jar open after the class loader that it belongs to was closed.
        connection.setUseCaches(false);
        try (InputStream in = connection.getInputStream()) {
            return in.readNBytes(limit);
        }
    }
}
