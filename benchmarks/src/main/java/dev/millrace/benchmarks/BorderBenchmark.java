// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.NativeConstants;
import dev.millrace.bindings.NativeIo;
import dev.millrace.io.engine.OpCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * What a crossing of the border costs by each binding: alone, as a turn of 64 operations that do nothing, and as a turn
 * of 64 direct reads of 4 KiB from a file, which the disk decides.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class BorderBenchmark {
    private static final int DEPTH = 64;
    private static final int BLOCK = 4096;
    private static final int FILE_BLOCKS = 16 << 10;
    private static final int IO_URING = 1;
    /** Of the mapping: first the records, then the completions, then the path and the config, then the data. */
    private static final int COMPLETIONS_AT = 16 << 10;

    private static final int SCRATCH_AT = 32 << 10;
    private static final int DATA_AT = 64 << 10;
    private static final int LENGTH = DATA_AT + DEPTH * BLOCK;

    /** The way across. */
    @Param({"ffm", "jni", "jna"})
    public String binding = "";

    private NativeIo nativeIo;
    private NativeConstants constants;
    private long memory;
    private ByteBuffer view;
    private long engine;
    private int fd;
    private long next;

    /** Loads the binding, makes a ring, and a file of 64 MiB that is read by direct I/O. */
    @Setup
    public void open() throws IOException {
        Bindings bindings = Bindings.load(Optional.of(binding));
        nativeIo = bindings.nativeIo().orElseThrow(() -> new IOException(bindings.reasons()));
        constants = bindings.constants().orElseThrow();
        memory = nativeIo.memoryMap(LENGTH, 0);
        view = nativeIo.view(memory, LENGTH);
        view.putInt(SCRATCH_AT, IO_URING).putInt(SCRATCH_AT + 4, DEPTH).putInt(SCRATCH_AT + 8, 1);
        engine = nativeIo.engineCreate(memory + SCRATCH_AT, memory + SCRATCH_AT + 64);
        if (engine < 0) {
            throw new IOException("io_uring cannot be had here: errno " + -engine);
        }
        byte[] path = (Path.of(
                                System.getProperty("millrace.bench.dir", "."),
                                "border-" + ProcessHandle.current().pid()) + "\0")
                .getBytes(StandardCharsets.UTF_8);
        view.put(SCRATCH_AT, path);
        fd = nativeIo.open(
                memory + SCRATCH_AT, constants.oRdwr | constants.oCreat | constants.oExcl | constants.oDirect, 0600);
        if (fd < 0) {
            throw new IOException("the file cannot be opened for direct I/O: errno " + -fd);
        }
        nativeIo.unlink(memory + SCRATCH_AT, 0);
        for (int block = 0; block < FILE_BLOCKS; block += DEPTH) {
            long written = nativeIo.pwrite(fd, memory + DATA_AT, (long) DEPTH * BLOCK, (long) block * BLOCK);
            if (written != DEPTH * BLOCK) {
                throw new IOException("the file cannot be written: " + written);
            }
        }
        nativeIo.fsync(fd);
    }

    /** Drains and frees. */
    @TearDown
    public void close() {
        nativeIo.engineDestroy(engine);
        nativeIo.close(fd);
        nativeIo.memoryUnmap(memory, LENGTH);
    }

    /** One crossing that does nothing on the other side. */
    @Benchmark
    public int crossing() {
        return nativeIo.abiVersion();
    }

    /** 64 operations that do nothing, handed over and taken back. */
    @Benchmark
    public int turn() {
        for (int i = 0; i < DEPTH; i++) {
            record(i, OpCode.NOP, 0);
        }
        return takeAll();
    }

    /** 64 reads at random places. */
    @Benchmark
    public int reads() {
        for (int i = 0; i < DEPTH; i++) {
            next = next * 6364136223846793005L + 1442695040888963407L;
            record(i, OpCode.READ, (next >>> 33) % FILE_BLOCKS * BLOCK);
        }
        int seen = takeAll();
        for (int i = 0; i < DEPTH; i++) {
            int result = view.getInt(COMPLETIONS_AT + i * constants.completionSize + constants.completionResult);
            if (result != BLOCK) {
                throw new IllegalStateException("a read gave " + result);
            }
        }
        return seen;
    }

    private void record(int i, int code, long offset) {
        int at = i * constants.opSize;
        view.putShort(at + constants.opCode, (short) code);
        view.putInt(at + constants.opFd, fd);
        view.putLong(at + constants.opOffset, offset);
        view.putLong(at + constants.opAddress, memory + DATA_AT + (long) i * BLOCK);
        view.putInt(at + constants.opLength, code == OpCode.READ ? BLOCK : 0);
        view.putLong(at + constants.opToken, i);
    }

    private int takeAll() {
        int submit = DEPTH;
        int seen = 0;
        while (seen < DEPTH) {
            int got = nativeIo.engineTurn(
                    engine,
                    memory,
                    submit,
                    memory + COMPLETIONS_AT + (long) seen * constants.completionSize,
                    DEPTH - seen,
                    -1);
            if (got < 0) {
                throw new IllegalStateException("a turn failed with errno " + -got);
            }
            submit = 0;
            seen += got;
        }
        return seen;
    }

    /** Runs with JMH's own options, and prints each figure with its ratio to FFM's. */
    public static void main(String[] args) throws RunnerException, CommandLineOptionException {
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .parent(new CommandLineOptions(args))
                        .include("\\." + BorderBenchmark.class.getSimpleName() + "\\.")
                        .build())
                .run();
        List<String> lines = new ArrayList<>();
        for (RunResult result : results) {
            double score = result.getPrimaryResult().getScore();
            String name = result.getParams().getBenchmark();
            double ffm = results.stream()
                    .filter(other -> other.getParams().getBenchmark().equals(name)
                            && other.getParams().getParam("binding").equals("ffm"))
                    .mapToDouble(other -> other.getPrimaryResult().getScore())
                    .findFirst()
                    .orElse(Double.NaN);
            lines.add(String.format(
                    Locale.ROOT,
                    "| %s | %s | %.1f | %.1f | %.2fx |",
                    name.substring(name.lastIndexOf('.') + 1),
                    result.getParams().getParam("binding"),
                    score,
                    result.getPrimaryResult().getScoreError(),
                    score / ffm));
        }
        System.out.println("\n| what | binding | ns | +- | to ffm |\n|:--|:--|--:|--:|--:|");
        lines.forEach(System.out::println);
    }
}
