// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Looks for the library in a JVM of its own and prints its path, or {@code refused:} and the sentence. Arguments:
 * {@code wait} until a line comes, {@code load} it and print the file's identity too, {@code hang} before a file gets
 * its final name.
 */
final class LocateMain {
    private LocateMain() {}

    public static void main(String[] arguments) throws Exception {
        List<String> wishes = List.of(arguments);
        if (wishes.contains("hang")) {
            hang();
        }
        if (wishes.contains("wait")) {
            System.out.println("ready");
            if (System.in.read() < 0) {
                return;
            }
        }
        try {
            Path library = NativeLibrary.locate("millrace");
            if (wishes.contains("load")) {
                System.load(library.toString());
            }
            System.out.println(
                    library + (wishes.contains("wait") ? " " + Files.getAttribute(library, "unix:ino") : ""));
        } catch (BindingUnavailableException e) {
            System.out.println("refused: " + e.getMessage());
        }
    }

    private static void hang() throws Exception {
        Path cache = Path.of(System.getProperty(NativeLibrary.CACHE_PROPERTY));
        NativeRelease release = NativeRelease.read();
        NativePlatform platform = NativePlatform.current();
        NativeCache.Places places = new NativeCache.Places(List.of(cache), List.of());
        Optional<NativeResource> resource = NativeResource.find(release, platform, "libmillrace.so");
        new NativeCache(places, release, platform, () -> {
                    System.out.println("written");
                    try {
                        Thread.sleep(Long.MAX_VALUE);
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                })
                .unpack(resource.orElseThrow());
    }
}
