// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.NativeConstants;
import dev.millrace.bindings.NativeIo;
import dev.millrace.io.engine.EngineCounters;
import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.NativeDriver;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.OpenFlag;
import dev.millrace.io.engine.Operation;
import dev.millrace.io.engine.PoolMemory;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The Java side of {@code make bench-loop}: downloads over plain sockets by handlers on one engine thread, recv straight
 * into the registered buffer that a fixed direct write puts on disk. It does what {@code limit/limit.c} does, so that
 * the ratio of the two is the price of Java, the ABI and the engine thread; a benchmark, not a client (no TLS, no chunked
 * bodies, no retry, any error ends it).
 *
 * <p>One object goes through: next → sent → head → (received → written)... → tail → synced → closed → next. The files of a
 * round are removed before the next one, outside the measured window, since a file system that discards freed blocks would
 * otherwise be measured too.
 */
public final class IngestLoop {
    private static final int BLOCK = 4096;
    private static final int HEAD_BYTES = 4096;

    private final Options options;
    private final NativeConstants constants;
    private final EngineLoop loop;
    private final NativeDriver driver;
    private final PoolMemory buffers;
    private final PoolMemory scratch;
    private final int bufferSize;
    private int nextObject;
    private int active;
    private long bytes;
    private CompletableFuture<Void> roundDone = new CompletableFuture<>();

    /** What the command line says. */
    record Options(
            String host,
            int port,
            int connections,
            int objects,
            int bufferKib,
            int rounds,
            String folder,
            List<String> paths) {

        static Options parse(String[] args) {
            if (args.length < 8) {
                throw new IllegalArgumentException(
                        "usage: IngestLoop HOST PORT CONNECTIONS OBJECTS BUFFER_KIB ROUNDS FOLDER PATH...");
            }
            return new Options(
                    args[0],
                    Integer.parseInt(args[1]),
                    Integer.parseInt(args[2]),
                    Integer.parseInt(args[3]),
                    Integer.parseInt(args[4]),
                    Integer.parseInt(args[5]),
                    args[6],
                    List.of(args).subList(7, args.length));
        }
    }

    private IngestLoop(Options options, NativeIo nativeIo, Bindings bindings) {
        this.options = options;
        this.bufferSize = options.bufferKib() * 1024;
        constants = bindings.constants().orElseThrow();
        int slots = Math.max(64, 4 * options.connections());
        NativeLoop engine = NativeLoop.start(
                "ingest",
                nativeIo,
                constants,
                NativeDriver.IO_URING,
                new NativeLoop.Size(slots, 4, 4, 2 * options.connections(), bufferSize));
        loop = engine.loop();
        driver = engine.driver();
        buffers = engine.buffers();
        if (engine.registration().buffers() < 2 * options.connections()) {
            throw new IllegalStateException("the loop measures registered buffers only: "
                    + engine.registration().note().orElse(""));
        }
        // Requests and the server's address, which the kernel reads; mapped apart so that no data buffer is spent.
        long address = nativeIo.memoryMap((long) HEAD_BYTES * (options.connections() + 1), 0);
        ByteBuffer view = nativeIo.view(address, HEAD_BYTES * (options.connections() + 1));
        scratch = new PoolMemory(List.of(view), List.of(address), 0, buffers.checksum(), () -> {});
    }

    /** Runs. */
    public static void main(String[] args) throws Exception {
        Options options = Options.parse(args);
        Bindings bindings = Bindings.load(Optional.empty());
        NativeIo nativeIo = bindings.nativeIo()
                .orElseThrow(
                        () -> new IllegalStateException("the loop needs the native library: " + bindings.reasons()));
        IngestLoop ingest = new IngestLoop(options, nativeIo, bindings);
        byte[] address = InetAddress.getByName(options.host()).getAddress();
        ByteBuffer sockaddr = ingest.scratch.pieces().get(0);
        sockaddr.putShort(0, (short) ingest.constants.afInet);
        sockaddr.duplicate().order(ByteOrder.BIG_ENDIAN).putShort(2, (short) options.port());
        sockaddr.put(4, address);
        for (int round = 0; round < options.rounds(); round++) {
            ingest.removeFiles();
            ingest.round(round);
        }
        ingest.removeFiles();
        ingest.loop.close();
    }

    private void removeFiles() throws IOException, InterruptedException {
        for (int i = 0; i < options.objects(); i++) {
            Files.deleteIfExists(Path.of(options.folder(), "loop-" + i));
        }
        new ProcessBuilder("sync", "-f", options.folder()).inheritIO().start().waitFor();
    }

    private void round(int number) {
        Connection[] connections = new Connection[options.connections()];
        CompletableFuture<Void> connected = new CompletableFuture<>();
        loop.execute(() -> {
            nextObject = 0;
            bytes = 0;
            active = connections.length;
            roundDone = new CompletableFuture<>();
            int[] left = {connections.length};
            for (int i = 0; i < connections.length; i++) {
                connections[i] = new Connection(i);
                connections[i].open(() -> {
                    if (--left[0] == 0) {
                        connected.complete(null);
                    }
                });
            }
        });
        connected.join();
        EngineCounters before = counters();
        long cpuBefore = cpuNanos();
        long start = System.nanoTime();
        loop.execute(() -> {
            for (Connection connection : connections) {
                connection.next();
            }
        });
        roundDone.join();
        double seconds = (System.nanoTime() - start) / 1e9;
        double cpu = (cpuNanos() - cpuBefore) / 1e9;
        EngineCounters after = counters();
        double gib = bytes / (double) (1L << 30);
        System.out.printf(
                Locale.ROOT,
                "{\"program\":\"java-loop\",\"round\":%d,\"connections\":%d,\"buffer_kib\":%d,\"bytes\":%d,\"seconds\":%.4f,"
                        + "\"mb_per_s\":%.1f,\"cpu_seconds\":%.4f,\"cpu_seconds_per_gib\":%.4f,\"turns\":%d,\"enters\":%d,"
                        + "\"operations_per_turn\":%.2f,\"fixed_writes\":%d,\"plain_writes\":%d,\"kernel_workers\":%d,"
                        + "\"huge_pages\":%b,\"engine\":\"%s\",\"binding\":\"%s\"}%n",
                number,
                options.connections(),
                options.bufferKib(),
                bytes,
                seconds,
                bytes / 1e6 / seconds,
                cpu,
                cpu / gib,
                after.turns() - before.turns(),
                after.enters() - before.enters(),
                (after.submitted() - before.submitted()) / (double) Math.max(1, after.turns() - before.turns()),
                after.fixed() - before.fixed(),
                after.plain() - before.plain(),
                after.kernelWorkers(),
                buffers.hugeBytes() > 0,
                driver.kind(),
                driver.binding());
    }

    private EngineCounters counters() {
        driver.sampleKernelWorkers();
        return EngineCounters.of(loop.stats());
    }

    private static long cpuNanos() {
        return ProcessCpu.nanos();
    }

    private static int check(String what, int result) {
        if (result < 0) {
            System.err.println("bench-loop: " + what + " failed: " + Errno.name(-result));
            Runtime.getRuntime().halt(1);
        }
        return result;
    }

    /** One keep-alive connection and the object on it. Every method runs on the engine thread. */
    private final class Connection {
        private final int number;
        private final ByteBuffer[] memory = new ByteBuffer[2];
        private final long[] address = new long[2];
        private final Step[] writes = {new Step(this::written), new Step(this::written)};
        private final boolean[] busy = new boolean[2];
        private final Step receive = new Step(this::received);
        private final Step control = new Step(this::controlled);
        private int socket;
        private int file;
        private String path = "";
        private Runnable connected = () -> {};
        private long length;
        private long got;
        private long offset;
        private int filling;
        private int filled;
        private boolean receiving;
        private boolean headPending;
        private boolean filePending;
        private boolean ending;

        Connection(int number) {
            this.number = number;
            for (int i = 0; i < 2; i++) {
                memory[i] = buffers.pieces().get(2 * number + i);
                address[i] = buffers.addresses().get(2 * number + i);
            }
        }

        void open(Runnable then) {
            connected = then;
            control.prepare(OpCode.SOCKET);
            control.arg = constants.afInet;
            control.arg2 = constants.sockStream;
            loop.submit(control);
        }

        private void controlled(Step step, int result) {
            switch (step.code) {
                case OpCode.SOCKET -> {
                    socket = check("socket", result);
                    step.prepare(OpCode.CONNECT);
                    step.fd = socket;
                    step.address = scratch.addresses().get(0);
                    step.length = 16;
                    loop.submit(step);
                }
                case OpCode.CONNECT -> {
                    check("connect", result);
                    connected.run();
                }
                case OpCode.SEND -> {
                    check("send", result);
                    step.prepare(OpCode.OPEN);
                    step.path = path;
                    step.arg = OpenFlag.WRITE | OpenFlag.CREATE | OpenFlag.TRUNCATE | OpenFlag.DIRECT;
                    step.arg2 = 0644;
                    loop.submit(step);
                }
                case OpCode.OPEN -> {
                    file = check("open", result);
                    fileReady();
                }
                case OpCode.FALLOCATE -> {
                    check("fallocate", result);
                    filePending = false;
                    goOn();
                }
                case OpCode.FTRUNCATE -> {
                    check("ftruncate", result);
                    sync();
                }
                case OpCode.FSYNC -> {
                    check("fsync", result);
                    bytes += length;
                    step.prepare(OpCode.CLOSE);
                    step.fd = file;
                    loop.submit(step);
                }
                case OpCode.CLOSE -> {
                    check("close", result);
                    if (ending) {
                        active--;
                        if (active == 0) {
                            roundDone.complete(null);
                        }
                    } else {
                        next();
                    }
                }
                default -> throw new IllegalStateException(OpCode.name(step.code));
            }
        }

        void next() {
            int object = nextObject++;
            if (object >= options.objects()) {
                ending = true;
                control.prepare(OpCode.CLOSE);
                control.fd = socket;
                loop.submit(control);
                return;
            }
            path = options.folder() + "/loop-" + object;
            String head = "GET " + options.paths().get(object % options.paths().size()) + " HTTP/1.1\r\nHost: "
                    + options.host() + "\r\n\r\n";
            byte[] request = head.getBytes(StandardCharsets.US_ASCII);
            scratch.pieces().get(0).put(HEAD_BYTES * (number + 1), request);
            got = 0;
            offset = 0;
            filling = 0;
            filled = 0;
            length = -1;
            filePending = true;
            headPending = true;
            control.prepare(OpCode.SEND);
            control.fd = socket;
            control.address = scratch.addresses().get(0) + (long) HEAD_BYTES * (number + 1);
            control.length = request.length;
            loop.submit(control);
            receive.prepare(OpCode.RECV);
            receive.fd = socket;
            receive.address = address[0];
            receive.length = HEAD_BYTES;
            receiving = true;
            loop.submit(receive);
        }

        private void fileReady() {
            if (headPending) {
                return; // the length is not known yet: the head comes by here again
            }
            control.prepare(OpCode.FALLOCATE);
            control.fd = file;
            control.extra = roundUp(length);
            loop.submit(control);
        }

        private void received(Step step, int result) {
            check("recv", result);
            receiving = false;
            if (result == 0) {
                check("recv before the end", -Errno.ZERO_WRITE);
            }
            if (headPending) {
                head(result);
                headPending = false;
                if (!control.isPending()) {
                    fileReady();
                }
            } else {
                filled += result;
                got += result;
            }
            goOn();
        }

        private void head(int count) {
            byte[] text = new byte[count];
            memory[0].get(0, text);
            String head = new String(text, StandardCharsets.ISO_8859_1);
            int end = head.indexOf("\r\n\r\n");
            if (end < 0 || !head.startsWith("HTTP/1.1 200")) {
                check("the answer " + head.lines().findFirst().orElse(""), -Errno.EINVAL);
            }
            int at = head.toLowerCase(Locale.ROOT).indexOf("\r\ncontent-length:");
            length = Long.parseLong(
                    head.substring(at + 17, head.indexOf('\r', at + 2)).trim());
            int rest = count - end - 4;
            memory[0].put(0, text, end + 4, rest);
            filled = rest;
            got = rest;
        }

        /** Whatever can go on now does: a full buffer to the disk, the socket into a free one. */
        private void goOn() {
            if (filePending) {
                return;
            }
            if (!receiving && filled > 0 && (filled == bufferSize || got == length)) {
                write();
            }
            if (!receiving && got < length && !busy[filling]) {
                receive.prepare(OpCode.RECV);
                receive.fd = socket;
                receive.address = address[filling] + filled;
                receive.length = (int) Math.min(bufferSize - filled, length - got);
                receive.arg = OpCode.RECV_WAITALL;
                receiving = true;
                loop.submit(receive);
            }
            if (got == length && !busy[0] && !busy[1] && !control.isPending()) {
                tail();
            }
        }

        private void write() {
            int whole = (int) roundUp(filled);
            for (int i = filled; i < whole; i++) {
                memory[filling].put(i, (byte) 0);
            }
            Step step = writes[filling];
            step.prepare(OpCode.WRITE);
            step.flags = OpCode.FLAG_FIXED_BUFFER;
            step.fd = file;
            step.address = address[filling];
            step.length = whole;
            step.offset = offset;
            step.bufferIndex = 2 * number + filling;
            busy[filling] = true;
            offset += filled;
            filled = 0;
            filling = 1 - filling;
            loop.submit(step);
        }

        private void written(Step step, int result) {
            check("write", result);
            int which = step.bufferIndex & 1;
            if (result < step.length) {
                step.address += result;
                step.offset += result;
                step.length -= result;
                loop.submit(step);
                return;
            }
            busy[which] = false;
            goOn();
        }

        private void tail() {
            if (roundUp(length) == length) {
                sync();
            } else {
                control.prepare(OpCode.FTRUNCATE);
                control.fd = file;
                control.offset = length;
                loop.submit(control);
            }
        }

        private void sync() {
            control.prepare(OpCode.FSYNC);
            control.fd = file;
            loop.submit(control);
        }
    }

    private static long roundUp(long value) {
        return (value + BLOCK - 1) & -BLOCK;
    }

    private interface Handler {
        void completed(Step step, int result);
    }

    /** A reusable operation with its handler. */
    private static final class Step extends Operation {
        private final Handler handler;

        Step(Handler handler) {
            this.handler = handler;
        }

        void prepare(int operationCode) {
            reset(operationCode);
        }

        @Override
        protected void completed(int result) {
            handler.completed(this, result);
        }
    }
}
