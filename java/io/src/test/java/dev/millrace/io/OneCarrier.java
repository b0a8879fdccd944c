// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.ScriptedDriver.Flight;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * The main class of a JVM with one carrier: virtual threads that wait for a buffer, for an operation that is held, and for
 * data read ahead, and one that gives them what they wait for. Were one of them to hold the carrier, that one would never
 * run. Whatever goes wrong ends it with another status than 0.
 */
final class OneCarrier {
    private static final int READERS = 10;
    private static final int SECONDS = 60;

    private OneCarrier() {}

    public static void main(String[] arguments) throws Exception {
        Thread watchdog = new Thread(
                () -> {
                    try {
                        TimeUnit.SECONDS.sleep(SECONDS);
                    } catch (InterruptedException e) {
                        return;
                    }
                    System.out.println("a virtual thread holds the only carrier");
                    Runtime.getRuntime().halt(3);
                },
                "watchdog");
        watchdog.setDaemon(true);
        watchdog.start();
        ExecutorService threads = TestEngines.virtualThreads().orElseThrow();
        Path file = Files.write(Path.of(arguments[0], "file"), new byte[1 << 20]);
        waitForBuffers(threads, file);
        waitForHeldReads(threads, file);
        threads.shutdown();
        System.out.println("all went on");
    }

    /** One buffer: who has it gives it back only when all the others are in line. */
    private static void waitForBuffers(ExecutorService threads, Path path) throws Exception {
        for (EngineKind kind : EngineKind.values()) {
            try (IoEngine engine = IoEngine.open(TestEngines.config(kind).withPool(1, 4096));
                    VirtualFile file = VirtualFile.open(engine, path, OpenOptions.reading())) {
                CountDownLatch begun = new CountDownLatch(READERS);
                List<Future<?>> all = new ArrayList<>();
                OwnedBuffer only = engine.buffers().acquire();
                for (int i = 0; i < READERS; i++) {
                    all.add(threads.submit(() -> {
                        begun.countDown();
                        try (OwnedBuffer buffer = engine.buffers().acquire()) {
                            return file.read(buffer, 0, 4096, 0);
                        }
                    }));
                }
                all.add(threads.submit(() -> {
                    begun.await();
                    only.close();
                    return null;
                }));
                for (Future<?> one : all) {
                    one.get();
                }
            } catch (EngineUnavailableException e) {
                System.out.println("left out: " + e.getMessage());
            }
        }
    }

    /** Reads that are held, as those of a pipe would be, until all readers are in them. */
    private static void waitForHeldReads(ExecutorService threads, Path path) throws Exception {
        try (ScriptedFiles files = new ScriptedFiles(2 * READERS, 4096)) {
            files.hold(OpCode.READ);
            try (VirtualFile file = VirtualFile.open(files.engine, path, OpenOptions.reading())) {
                List<Future<?>> all = new ArrayList<>();
                for (int i = 0; i < READERS; i++) {
                    all.add(threads.submit(() -> {
                        try (OwnedBuffer buffer = files.engine.buffers().acquire()) {
                            return file.read(buffer, 0, 100, 0);
                        }
                    }));
                    all.add(threads.submit(() -> {
                        try (SequentialReader reader = SequentialReader.start(file, 0, 100, 1)) {
                            reader.next().orElseThrow().buffer().close();
                        }
                        return null;
                    }));
                }
                all.add(threads.submit(() -> {
                    for (Flight flight : files.driver.awaitInFlight(2 * READERS)) {
                        files.release(flight);
                    }
                    return null;
                }));
                for (Future<?> one : all) {
                    one.get();
                }
            }
        }
    }
}
