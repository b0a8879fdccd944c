// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.VirtualFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** One contender at one workload. {@link BenchIo} runs it, on files that it has made, and reads what it says of itself. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
public class FileBenchmark {
    /** Where the files are. */
    static final String FOLDER = "millrace.bench.dir";
    /** Where to write what really ran. */
    static final String FACTS = "millrace.bench.facts";

    /** A {@link Workload}. */
    @Param("READ_1")
    public String workload = "";

    /** A {@link Contender}. */
    @Param("HANDLER")
    public String contender = "";

    /** The way to native code. */
    @Param("ffm")
    public String binding = "";

    private Target target;
    private Load load;
    private Optional<IoEngine> reserving = Optional.empty();
    private volatile boolean ticking = true;

    /** Opens, and refuses to measure what is not what it is called. */
    @Setup
    public void open() throws Exception {
        Workload what = Workload.valueOf(workload);
        Path path = Path.of(System.getProperty(FOLDER), what.fileName());
        target = new Target(what, Contender.valueOf(contender), path, binding);
        if (what.kind() == Workload.Kind.WRITE) {
            reserving = Optional.of(IoEngine.open(IoEngineConfig.defaults()
                    .withEngine(EngineKind.EPOLL)
                    .withSlots(8)
                    .withWorkers(1)
                    .withPool(1, 4096)));
            reserve();
        }
        if (what.kind() == Workload.Kind.CACHED_READ) {
            warm(path);
        }
        load = target.contender().open(target);
        check(load.facts());
        if (what.kind() == Workload.Kind.COLD_READ) {
            Thread.ofVirtual().start(this::tick);
        }
    }

    private void check(Map<String, Object> facts) throws IOException {
        boolean direct = ProcFacts.isDirect(target.path());
        boolean right = facts.get("engine").equals(target.contender().engine())
                && direct == target.isDirect()
                && (!target.contender().isOurs()
                        || (facts.get("binding").equals(binding)
                                && facts.get("rings").equals(target.contender().rings())));
        if (!right) {
            throw new IllegalStateException("asked for " + target + ", direct " + target.isDirect() + ", and got "
                    + facts + ", direct " + direct);
        }
    }

    /** A new file's space for all contenders alike, since how it was got decides what a direct write costs. */
    private void reserve() throws IOException {
        try (VirtualFile file = VirtualFile.open(reserving.orElseThrow(), target.path(), OpenOptions.creating())) {
            if (!file.reserve(target.workload().fileBytes())) {
                throw new IOException("the file system of " + target.path() + " cannot reserve space");
            }
            file.sync(); // what the file system does for the one before is not this one's
        }
    }

    private static void warm(Path path) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
        try (FileChannel channel = FileChannel.open(path)) {
            while (channel.read(buffer.clear()) >= 0) {
                Thread.onSpinWait();
            }
        }
    }

    /** An unrelated virtual thread, which is late where others hold its carriers. */
    private void tick() {
        try {
            while (ticking) {
                long due = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1);
                Thread.sleep(1);
                Samples.ticked(System.nanoTime() - due);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Space for a file that is written anew, a cold cache for one that is to be read cold. */
    @Setup(Level.Invocation)
    public void prepare() throws Exception {
        if (target.workload().kind() == Workload.Kind.WRITE) {
            reserve();
        } else if (target.workload().kind() == Workload.Kind.COLD_READ) {
            // Drops the file's pages and needs no root.
            int status = new ProcessBuilder("dd", "if=" + target.path(), "iflag=nocache", "count=0", "status=none")
                    .inheritIO()
                    .start()
                    .waitFor();
            if (status != 0) {
                throw new IOException("dd ended with " + status);
            }
        }
    }

    /** The operations of one invocation. */
    @Benchmark
    public void run() throws Exception {
        int operations = target.workload().operations();
        Samples.measure(operations, () -> load.run(operations));
    }

    /** Says what really ran, and closes. */
    @TearDown
    public void close() throws Exception {
        ticking = false;
        Map<String, Object> facts = new LinkedHashMap<>(load.facts());
        check(facts);
        facts.put("direct_io", ProcFacts.isDirect(target.path()));
        facts.put("carriers", ProcFacts.threads("ForkJoinPool-1-"));
        facts.merge(
                "kernel_workers",
                ProcFacts.threads("iou-wrk"),
                (ours, seen) -> Math.max(((Number) ours).longValue(), ((Number) seen).longValue()));
        load.close();
        reserving.ifPresent(IoEngine::close);
        Files.writeString(Path.of(System.getProperty(FACTS)), JSON.std.asString(facts));
    }
}
