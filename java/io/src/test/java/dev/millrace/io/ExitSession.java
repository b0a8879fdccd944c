// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.OpenFlag;
import dev.millrace.io.engine.Probe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A JVM of its own that ends with a thousand operations pending, or works on while it is stopped and continued. */
final class ExitSession {
    private static final int PENDING = 1000;
    private static final int SIZE = 4096;
    private static final int POLLIN = 1;

    private ExitSession() {}

    /** FOLDER ENGINE, and {@code return}, {@code exit}, {@code hook}, {@code wait} or {@code work}. */
    @SuppressWarnings("SystemOut") // its parent reads it
    public static void main(String[] arguments) throws Exception {
        IoEngine engine = IoEngine.open(IoEngineConfig.defaults()
                .withEngine(EngineKind.parse(arguments[1]))
                .withSlots(1024)
                .withWorkers(4)
                .withPool(PENDING, SIZE));
        if (arguments[2].equals("work")) {
            System.out.println("right " + workUntilTold(engine, Path.of(arguments[0], "work")));
            return;
        }
        leavePending(engine, Path.of(arguments[0]));
        System.out.println("pending " + engine.loop().pendingFromCallers());
        switch (arguments[2]) {
            case "exit" -> System.exit(7);
            case "hook" -> {
                Runtime.getRuntime().addShutdownHook(new Thread(engine::close));
                System.exit(8);
            }
            case "wait" -> Thread.sleep(TimeUnit.HOURS.toMillis(1));
            default -> {}
        }
    }

    /** Operations that never end: timers, polls and reads of an empty pipe, and reads of a file that begin anew each time. */
    private static void leavePending(IoEngine engine, Path folder) throws Exception {
        VirtualFile file = VirtualFile.open(engine, folder.resolve("file"), OpenOptions.creating());
        file.truncate(SIZE);
        boolean waits = engine.kind() != EngineKind.BLOCKING;
        int pipe = waits
                ? engine.loop()
                        .driver()
                        .syscalls()
                        .open(folder.resolve("fifo").toString(), OpenFlag.READ | OpenFlag.WRITE, 0)
                : -1;
        for (int i = 0; i < PENDING; i++) {
            switch (waits ? i % 4 : 3) {
                case 0 -> {
                    Probe timer = new Probe(OpCode.TIMEOUT);
                    timer.offset = TimeUnit.HOURS.toNanos(1);
                    engine.loop().submit(timer);
                }
                case 1 -> {
                    Probe poll = new Probe(OpCode.POLL);
                    poll.fd = pipe;
                    poll.arg = POLLIN;
                    engine.loop().submit(poll);
                }
                case 2 -> read(engine, pipe, false);
                default -> read(engine, file.descriptor(), true);
            }
        }
    }

    private static void read(IoEngine engine, int descriptor, boolean again) throws IoFailure {
        OwnedBuffer buffer = engine.buffers().acquire();
        new RawRead(engine.seat(0)) {
            @Override
            void ended(OwnedBuffer owned, int moved, int error) {
                if (again && error == 0) {
                    start(descriptor, owned, SIZE);
                }
            }
        }.start(descriptor, buffer, SIZE);
    }

    @SuppressWarnings("SystemOut") // its parent reads it
    private static int workUntilTold(IoEngine engine, Path path) throws Exception {
        int files = 64;
        int right = 0;
        List<OwnedBuffer> buffers = new ArrayList<>();
        for (int i = 0; i < files; i++) {
            buffers.add(engine.buffers().acquire());
        }
        try (VirtualFile file = VirtualFile.open(engine, path, OpenOptions.creating())) {
            for (int round = 0; round == 0 || System.in.available() == 0; round++) {
                for (int step = 0; step < 2; step++) {
                    List<CompletableFuture<IoResult>> all = new ArrayList<>();
                    for (int i = 0; i < files; i++) {
                        if (step == 0) {
                            buffers.get(i).fill(0, SIZE, (byte) (round + i));
                            all.add(file.writeAsync(buffers.get(i), 0, SIZE, (long) i * SIZE));
                        } else {
                            all.add(file.readAsync(buffers.get(i), 0, SIZE, (long) (files - 1 - i) * SIZE));
                        }
                    }
                    for (int i = 0; i < files; i++) {
                        int expected = step == 0 ? round + i : round + files - 1 - i;
                        if (all.get(i).join().bytes() != SIZE || buffers.get(i).get(SIZE - 1) != (byte) expected) {
                            throw new IllegalStateException("other bytes were read than written");
                        }
                        right++;
                    }
                }
                file.sync();
                if (round == 0) {
                    System.out.println("working");
                }
            }
        }
        buffers.forEach(OwnedBuffer::close);
        engine.close();
        return right;
    }
}
