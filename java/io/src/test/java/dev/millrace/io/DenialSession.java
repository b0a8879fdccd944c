// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Probe;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/** An engine in a JVM of its own that is refused calls of io_uring while it runs; prints what came of it, a fact a line. */
final class DenialSession {
    private static final int SIZE = 16 << 10;
    private static final int BUFFERS = 32;
    /** Its number, the same on every processor (asm-generic/unistd.h). */
    private static final int IO_URING_ENTER = 426;

    private DenialSession() {}

    /** FOLDER LIBRARY: the library refuses what its environment says as soon as it is loaded. */
    @SuppressWarnings("SystemOut") // its parent reads it
    public static void main(String[] arguments) throws Exception {
        IoEngineConfig config = IoEngineConfig.defaults()
                .withEngine(EngineKind.IO_URING)
                .withSlots(64)
                .withWorkers(2)
                .withPool(BUFFERS, SIZE);
        Leaks leaks = new Leaks();
        IoEngine engine = IoEngine.open(config);
        VirtualFile file = VirtualFile.open(engine, Path.of(arguments[0], "file"), OpenOptions.creating());
        List<OwnedBuffer> buffers = new ArrayList<>();
        for (int i = 0; i < BUFFERS; i++) {
            buffers.add(engine.buffers().acquire());
            buffers.get(i).fill(0, SIZE, (byte) (i + 1));
            file.write(buffers.get(i), 0, SIZE, (long) i * SIZE);
        }
        Probe endless = new Probe(OpCode.TIMEOUT);
        endless.offset = TimeUnit.HOURS.toNanos(1);
        engine.loop().submit(endless);
        engine.counters(); // by now it is in the kernel
        awaitSleepingInRing();

        System.load(arguments[1]);

        int right = 0;
        String refused = "";
        for (int round = 0; round < 20; round++) {
            List<CompletableFuture<IoResult>> reads = new ArrayList<>();
            for (int i = 0; i < BUFFERS; i++) {
                reads.add(file.readAsync(buffers.get(i), 0, SIZE, (long) (BUFFERS - 1 - i) * SIZE));
            }
            for (int i = 0; i < BUFFERS; i++) {
                try {
                    check(reads.get(i).join().bytes() == SIZE, "a read is short");
                    check(buffers.get(i).get(SIZE - 1) == (byte) (BUFFERS - i), "a read brought other bytes");
                    right++;
                } catch (CompletionException e) {
                    check(e.getCause() instanceof EngineClosedException, "it failed otherwise: " + e.getCause());
                    refused = e.getCause().getMessage();
                }
            }
        }
        System.out.println("right " + right);
        System.out.println("refused " + refused);
        System.out.println("notes " + engine.status().notes());
        System.out.println("endless " + endless.isDone());
        // The engine, its file and its buffers are of use again as soon as another one runs.
        engine.switchTo(EngineKind.EPOLL);
        int switched = 0;
        for (int i = 0; i < BUFFERS; i++) {
            check(
                    file.readAsync(buffers.get(i), 0, SIZE, (long) i * SIZE)
                                    .join()
                                    .bytes()
                            == SIZE,
                    "a read of the other engine is short");
            switched += buffers.get(i).get(0) == (byte) (i + 1) ? 1 : 0;
        }
        System.out.println("switched " + switched + " " + engine.kind().label());
        try {
            engine.switchTo(EngineKind.IO_URING);
            System.out.println("back " + engine.kind().label());
        } catch (EngineUnavailableException e) {
            check(engine.kind() == EngineKind.EPOLL, "a refused switch has changed something");
            System.out.println("back refused: " + e.getMessage());
        }
        buffers.forEach(OwnedBuffer::close);
        check(engine.buffers().available() == BUFFERS, "a buffer is lost");
        file.close();
        engine.close();
        check(endless.outcomes() == 1, "the timer has " + endless.outcomes() + " outcomes");
        check(engine.counters().inFlight() == 0 || !refused.isEmpty(), "something is in flight");
        try (IoEngine next = IoEngine.open(config.withEngine(Optional.empty()))) {
            System.out.println("next " + next.kind().label());
        }
        leaks.check();
        System.out.println("ended");
    }

    /**
     * Until the engine thread waits in the kernel, where no filter that comes later meets it: else it could be refused before
     * there is a read, and end without any buffer.
     */
    private static void awaitSleepingInRing() throws IOException, InterruptedException {
        for (int i = 0; i < 2000; i++) {
            try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
                for (Path task : tasks) {
                    if (isInRing(task)) {
                        return;
                    }
                }
            }
            Thread.sleep(5);
        }
        throw new IllegalStateException("no thread sleeps in io_uring_enter");
    }

    private static boolean isInRing(Path task) {
        try {
            return Files.readString(task.resolve("syscall")).startsWith(IO_URING_ENTER + " ");
        } catch (IOException ended) { // ENOENT, or ESRCH in the middle
            return false;
        }
    }

    private static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}
