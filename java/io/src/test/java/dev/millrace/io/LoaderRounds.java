// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.io.File;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;

/** Started by {@link ClassLoadersTest}: loads these classes by loaders of their own, uses them, and drops them. */
public final class LoaderRounds {
    private static final int ROUNDS_OF_COLLECTION = 50;
    private static final int THREADS = 16;

    private record Parts(List<URL> own, ClassLoader shared) {}

    private LoaderRounds() {}

    /** ROUNDS FOLDER BINDING, where the folder {@code together} means many threads at once and no files. */
    public static void main(String[] args) throws Exception {
        List<URL> urls = new ArrayList<>();
        ClassLoader shared = ClassLoader.getPlatformClassLoader();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            URL url = Path.of(entry).toUri().toURL();
            if (Path.of(entry).getFileName().toString().startsWith("jna-")) {
                // JNA's cleaner thread holds JNA's loader for half a minute: servers keep it among what all share.
                shared = new URLClassLoader(new URL[] {url}, shared);
            } else {
                urls.add(url);
            }
        }
        Parts parts = new Parts(urls, shared);
        if (args[1].equals("together")) {
            together(Integer.parseInt(args[0]), parts, args[2]);
            return;
        }
        try (URLClassLoader one = loader(parts);
                URLClassLoader two = loader(parts)) {
            use(one, args[1], args[2]);
            use(two, args[1], args[2]);
            use(one, args[1], args[2]);
            System.out.println("two at once");
        }
        int rounds = Integer.parseInt(args[0]);
        int collected = 0;
        for (int round = 0; round < rounds; round++) {
            if (gone(useAndDrop(parts, args[1], args[2]))) {
                collected++;
            }
        }
        System.out.println("collected " + collected + " of " + rounds);
    }

    private static void together(int rounds, Parts parts, String binding) throws Exception {
        int agreed = 0;
        for (int round = 0; round < rounds; round++) {
            try (URLClassLoader loader = loader(parts)) {
                CyclicBarrier barrier = new CyclicBarrier(THREADS);
                Set<Object> seen = ConcurrentHashMap.newKeySet();
                List<Thread> threads = new ArrayList<>();
                for (int i = 0; i < THREADS; i++) {
                    Thread thread = new Thread(() -> {
                        try {
                            barrier.await();
                            seen.add(loader.loadClass("dev.millrace.io.LoaderSession")
                                    .getMethod("load", String.class)
                                    .invoke(null, binding));
                        } catch (Exception e) {
                            seen.add(e);
                        }
                    });
                    threads.add(thread);
                    thread.start();
                }
                for (Thread thread : threads) {
                    thread.join();
                }
                if (seen.size() == 1
                        && seen.iterator().next().getClass().getName().endsWith("NativeIo")) {
                    agreed++;
                } else {
                    System.out.println(seen);
                }
            }
        }
        System.out.println(agreed + " of " + rounds + " agreed");
    }

    private static URLClassLoader loader(Parts parts) {
        return new URLClassLoader(parts.own.toArray(URL[]::new), parts.shared);
    }

    private static void use(ClassLoader loader, String folder, String binding) throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            loader.loadClass("dev.millrace.io.LoaderSession")
                    .getMethod("run", String.class, String.class)
                    .invoke(null, folder, binding);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static WeakReference<ClassLoader> useAndDrop(Parts parts, String folder, String binding) throws Exception {
        try (URLClassLoader loader = loader(parts)) {
            use(loader, folder, binding);
            return new WeakReference<>(loader);
        }
    }

    private static boolean gone(WeakReference<ClassLoader> loader) throws InterruptedException {
        for (int i = 0; i < ROUNDS_OF_COLLECTION && loader.get() != null; i++) {
            System.gc();
            Thread.sleep(10);
        }
        return loader.get() == null;
    }
}
