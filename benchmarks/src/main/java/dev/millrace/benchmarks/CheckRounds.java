// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.sun.management.ThreadMXBean;
import dev.millrace.io.CopyLoop;
import dev.millrace.io.DirectMode;
import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.IoFailure;
import dev.millrace.io.IoResult;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import dev.millrace.io.engine.EngineCounters;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * What {@code make bench-check} measures without a network, in one process: the copy loop on io_uring and on the blocking
 * engine in turns, beside a plain copy of the same bytes; and reads that are there at once, to see how many operations a
 * turn carries. Prints one JSON object of what {@link Baseline} judges.
 *
 * <p>The property {@value #PLANT} plants a regression, to see that the guard sees it: {@code copy} copies each chunk once
 * more, {@code single} submits one operation a turn.
 */
@Command(name = "check-rounds", mixinStandardHelpOptions = true, description = "Measures for the regression guard.")
public final class CheckRounds implements Callable<Integer> {
    /** Read here only: nothing of the product knows it. */
    static final String PLANT = "millrace.bench.plant";

    private static final double GIB = 1L << 30;
    private static final int MIB = 1 << 20;
    private static final int CHUNK = 256 << 10;
    private static final int BUFFERS = 4;
    private static final int BATCH = 32;
    private static final int BATCHES = 500;
    private static final int PAGE = 4096;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Option(names = "--dir", required = true, description = "folder of the files; on the disk to measure")
    private Path folder = Path.of("");

    @Option(names = "--mib", defaultValue = "256", description = "a round (${DEFAULT-VALUE})")
    private int mib = 256;

    @Option(names = "--rounds", defaultValue = "14", description = "the two cold ones included (${DEFAULT-VALUE})")
    private int rounds = 14;

    private final String plant = System.getProperty(PLANT, "");
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
    private final ByteBuffer scratch = ByteBuffer.allocateDirect(CHUNK);

    /** One round of the copy loop. */
    private record Copied(double chunkNanos, double processSeconds, long allocated, EngineCounters spent) {}

    /** Takes the chunk; true where there was room for all of it at once. */
    private interface Taker {
        boolean take() throws IoFailure, InterruptedException;
    }

    @Override
    public Integer call() throws Exception {
        for (int i = 0; i < CHUNK; i++) {
            chunk.put(i, (byte) (i * 31));
        }
        List<Copied> ring = new ArrayList<>();
        List<Double> references = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        try (IoEngine uring = open(EngineKind.IO_URING);
                IoEngine blocking = open(EngineKind.BLOCKING)) {
            for (int round = 0; round < rounds; round++) {
                double reference = plainCopies(uring);
                Copied ours = copy(uring);
                Copied theirs = copy(blocking);
                if (round >= 2) {
                    ring.add(ours);
                    references.add(reference);
                    ratios.add(ours.processSeconds() / theirs.processSeconds());
                }
            }
            Map<String, Object> measures = new LinkedHashMap<>();
            double gib = mib * (double) MIB / GIB;
            // What a neighbour adds is never less than nothing: the best round of each says what the work itself costs.
            measures.put(
                    "copies_per_byte",
                    Spread.of(ring, Copied::chunkNanos).least()
                            / Spread.of(references, value -> value).least());
            measures.put(
                    "fixed_writes_per_gib",
                    Spread.of(ring, copied -> copied.spent().fixed() / gib).most());
            measures.put(
                    "plain_writes_per_gib",
                    Spread.of(ring, copied -> copied.spent().plain() / gib).most());
            measures.put(
                    "enters_per_gib",
                    Spread.of(ring, copied -> copied.spent().enters() / gib).middle());
            measures.put(
                    "allocated_bytes_per_gib",
                    Spread.of(ring, copied -> copied.allocated() / gib).middle());
            measures.put(
                    "copy_cpu_to_blocking", Spread.of(ratios, value -> value).middle());
            measures.put(
                    "copy_cpu_seconds_per_gib",
                    Spread.of(ring, copied -> copied.processSeconds() / gib).middle());
            measures.put("operations_per_turn", operationsPerTurn(uring));
            ChainedOperations.measure(uring.loop(), measures);
            System.out.println(Figures.json(measures));
        }
        return 0;
    }

    private static IoEngine open(EngineKind kind) throws IOException {
        return IoEngine.open(IoEngineConfig.defaults().withEngine(kind).withPool(BATCH, MIB));
    }

    /**
     * Nanoseconds that one copy of the chunk takes into memory that was just written to the disk, as the copy loop's is:
     * what the caches hold of it is the same.
     */
    private double plainCopies(IoEngine engine) throws IOException, InterruptedException {
        Path path = folder.resolve("plain-copies");
        List<OwnedBuffer> buffers = new ArrayList<>();
        List<CompletableFuture<?>> writes = new ArrayList<>();
        try (VirtualFile file =
                VirtualFile.open(engine, path, OpenOptions.creating().withDirect(DirectMode.PREFERRED))) {
            file.reserve((long) mib * MIB);
            for (int i = 0; i < BUFFERS; i++) {
                buffers.add(engine.buffers().acquire());
                writes.add(CompletableFuture.completedFuture(null));
            }
            int[] number = {0};
            return timed(() -> {
                int at = number[0] % (MIB / CHUNK) * CHUNK;
                int buffer = number[0] / (MIB / CHUNK) % BUFFERS;
                boolean straight = writes.get(buffer).isDone();
                writes.get(buffer).join();
                buffers.get(buffer).put(at, chunk.clear());
                number[0]++;
                if (at == MIB - CHUNK) {
                    long offset = number[0] * (long) CHUNK - MIB;
                    writes.set(buffer, file.writeAsync(buffers.get(buffer), 0, MIB, offset));
                }
                return straight;
            });
        } finally {
            writes.forEach(CompletableFuture::join);
            buffers.forEach(OwnedBuffer::close);
            Files.deleteIfExists(path);
        }
    }

    /** Nanoseconds that a chunk of a round takes at best: of many, the one that a tenth of the others are below. */
    private double timed(Taker taker) throws IoFailure, InterruptedException {
        long size = (long) mib * MIB;
        double[] nanos = new double[(int) (size / CHUNK)];
        int count = 0;
        for (long at = 0; at < size; at += CHUNK) {
            long start = System.nanoTime();
            boolean straight = taker.take();
            // Neither the first chunk of a buffer, which fetches it, nor the last one, which hands it over.
            long place = at % MIB;
            if (straight && place != 0 && place != MIB - CHUNK) {
                nanos[count++] = System.nanoTime() - start;
            }
        }
        Arrays.sort(nanos, 0, count);
        return nanos[count / 10];
    }

    private Copied copy(IoEngine engine) throws IOException, InterruptedException {
        Path path = folder.resolve("copied-" + engine.kind().label());
        long size = (long) mib * MIB;
        try (VirtualFile file =
                VirtualFile.open(engine, path, OpenOptions.creating().withDirect(DirectMode.PREFERRED))) {
            long reserved = file.reserve(size) ? size : Long.MAX_VALUE;
            Semaphore ready = new Semaphore(0);
            CopyLoop loop = CopyLoop.start(file, 0, reserved, BUFFERS, (buffer, at, length) -> {}, ready::release);
            EngineCounters before = engine.counters();
            long allocated = THREADS.getTotalThreadAllocatedBytes();
            long processCpu = ProcessCpu.nanos();
            double best = timed(() -> put(loop, ready));
            CompletableFuture<Optional<IoFailure>> end = new CompletableFuture<>();
            loop.finish(end::complete);
            Optional<IoFailure> failure = end.join();
            double process = (ProcessCpu.nanos() - processCpu) / 1e9;
            long more = THREADS.getTotalThreadAllocatedBytes() - allocated;
            EngineCounters after = engine.counters();
            if (failure.isPresent()) {
                throw failure.get();
            }
            file.sync();
            return new Copied(best, process, more, difference(before, after));
        } finally {
            Files.deleteIfExists(path);
        }
    }

    /** Puts the chunk; true where there was room for all of it at once. */
    private boolean put(CopyLoop loop, Semaphore ready) throws IoFailure, InterruptedException {
        ByteBuffer source = chunk;
        if (plant.equals("copy")) {
            scratch.clear().put(chunk.clear());
            source = scratch;
        }
        source.clear();
        boolean straight = true;
        while (!loop.write(source)) {
            straight = false;
            ready.acquire();
        }
        return straight;
    }

    private static EngineCounters difference(EngineCounters before, EngineCounters after) {
        return new EngineCounters(
                after.turns() - before.turns(),
                after.enters() - before.enters(),
                after.submitted() - before.submitted(),
                after.completed() - before.completed(),
                after.fixed() - before.fixed(),
                after.plain() - before.plain(),
                after.bytesRead() - before.bytesRead(),
                after.bytesWritten() - before.bytesWritten(),
                after.bytesSent() - before.bytesSent(),
                after.toWorkers() - before.toWorkers(),
                after.wakes() - before.wakes(),
                after.overflows() - before.overflows(),
                after.inFlight(),
                after.kernelWorkers(),
                after.registeredBuffers());
    }

    /**
     * Reads from the page cache, so that all are done at once and the count does not hang on a disk: handed in together
     * on the engine thread, they go with one turn.
     */
    private double operationsPerTurn(IoEngine engine) throws IOException {
        Path path = folder.resolve("batch");
        Files.write(path, new byte[BATCH * PAGE]);
        List<OwnedBuffer> buffers = new ArrayList<>();
        try (VirtualFile file = VirtualFile.open(engine, path, OpenOptions.reading())) {
            for (int i = 0; i < BATCH; i++) {
                buffers.add(engine.buffers().acquire());
            }
            EngineCounters before = engine.counters();
            for (int batch = 0; batch < BATCHES; batch++) {
                read(engine, file, buffers);
            }
            EngineCounters spent = difference(before, engine.counters());
            return spent.operationsPerTurn();
        } finally {
            buffers.forEach(OwnedBuffer::close);
            Files.deleteIfExists(path);
        }
    }

    private void read(IoEngine engine, VirtualFile file, List<OwnedBuffer> buffers) {
        if (plant.equals("single")) {
            for (int i = 0; i < BATCH; i++) {
                file.readAsync(buffers.get(i), 0, PAGE, (long) i * PAGE).join();
            }
            return;
        }
        List<CompletableFuture<IoResult>> reads = new ArrayList<>();
        CompletableFuture<Void> submitted = new CompletableFuture<>();
        engine.loop().execute(() -> {
            for (int i = 0; i < BATCH; i++) {
                reads.add(file.readAsync(buffers.get(i), 0, PAGE, (long) i * PAGE));
            }
            submitted.complete(null);
        });
        submitted.join();
        reads.forEach(CompletableFuture::join);
    }

    /** Runs; see the class. */
    public static void main(String... args) {
        System.exit(Commands.run(new CheckRounds(), args));
    }
}
