// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineCounters;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Opens an engine in a JVM of its own, uses every buffer of its pool, and prints what it got, a fact a line. */
final class PoolSession {
    private PoolSession() {}

    /**
     * FOLDER ENGINE SLOTS BUFFERS BUFFER_SIZE, and one of these: {@code wait} keeps the engine until a line comes in,
     * {@code rings=N} wants so many, {@code anew} switches to epoll and back and uses every buffer once more.
     */
    @SuppressWarnings("SystemOut") // its parent reads it
    public static void main(String[] arguments) throws Exception {
        IoEngineConfig config = IoEngineConfig.defaults()
                .withEngine(EngineKind.parse(arguments[1]))
                .withSlots(Integer.parseInt(arguments[2]))
                .withWorkers(2)
                .withPool(Integer.parseInt(arguments[3]), Integer.parseInt(arguments[4]));
        String more = arguments.length > 5 ? arguments[5] : "";
        if (more.startsWith("rings=")) {
            config = config.withRings(Integer.parseInt(more.substring("rings=".length())));
        }
        Leaks leaks = new Leaks();
        try (IoEngine engine = IoEngine.open(config)) {
            EngineStatus status = engine.status();
            System.out.println("engine " + engine.kind().label());
            System.out.println("slots " + status.slots());
            System.out.println("rings " + status.rings().size());
            System.out.println("registered " + status.registeredBuffers());
            System.out.println("huge " + status.hugePages());
            status.notes().forEach(note -> System.out.println("note " + note));
            Path path = Path.of(arguments[0], "pool-" + ProcessHandle.current().pid());
            useEveryBuffer(engine, path);
            if (more.equals("anew")) {
                engine.switchTo(EngineKind.EPOLL);
                engine.switchTo(EngineKind.IO_URING);
                awaitOneRing(engine);
                System.out.println("again " + engine.status().registeredBuffers());
                useEveryBuffer(engine, path);
            }
            EngineCounters counters = engine.counters();
            System.out.println("fixed " + counters.fixed());
            System.out.println("plain " + counters.plain());
            if (more.equals("wait")) {
                System.out.println("ready");
                if (System.in.read() < 0) {
                    System.out.println("nobody waited for it");
                }
            }
        } catch (EngineUnavailableException e) {
            System.out.println("refused " + e.getMessage());
        }
        leaks.check();
        System.out.println("ended");
    }

    /** What runs registers what it could not before, as soon as the others are gone. */
    private static void awaitOneRing(IoEngine engine) throws InterruptedException {
        for (int i = 0; i < 2000 && engine.status().rings().size() > 1; i++) {
            Thread.sleep(5);
        }
        engine.counters(); // behind the registration, on the engine thread
    }

    /** Writes each buffer at its own place, all at once, and reads each place back through another buffer. */
    private static void useEveryBuffer(IoEngine engine, Path path) throws Exception {
        int count = engine.buffers().size();
        int size = engine.buffers().bufferSize();
        List<OwnedBuffer> buffers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            buffers.add(engine.buffers().acquire());
        }
        try (VirtualFile file = VirtualFile.open(engine, path, OpenOptions.creating())) {
            List<CompletableFuture<IoResult>> writes = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                buffers.get(i).fill(0, size, (byte) (i + 1));
                writes.add(file.writeAsync(buffers.get(i), 0, size, (long) i * size));
            }
            for (CompletableFuture<IoResult> write : writes) {
                check(write.get().bytes() == size, "a write is short");
            }
            List<CompletableFuture<IoResult>> reads = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                reads.add(file.readAsync(buffers.get(i), 0, size, (long) (count - 1 - i) * size));
            }
            for (int i = 0; i < count; i++) {
                check(reads.get(i).get().bytes() == size, "a read is short");
                byte[] got = new byte[size];
                buffers.get(i).get(0, got, 0, size);
                for (byte b : got) {
                    check(b == (byte) (count - i), "other bytes were read than written");
                }
            }
        }
        engine.deleteIfExists(path);
        buffers.forEach(OwnedBuffer::close);
        check(engine.buffers().available() == count, "a buffer is lost");
    }

    private static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}
