// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import dev.millrace.benchmarks.NativeLoop;
import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.NativeConstants;
import dev.millrace.bindings.NativeIo;
import dev.millrace.io.engine.EngineCounters;
import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.NativeDriver;
import dev.millrace.io.engine.NativeSyscalls;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.OpenFlag;
import dev.millrace.io.engine.Operation;
import dev.millrace.io.engine.PoolMemory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * Operations of the engine whose handlers begin the next ones on the engine thread, as the copy loop and the downloads do.
 * In the steady state nothing is allocated. On several rings each has its share of the streams and of the file.
 */
final class HandlerLoad implements Load {
    private static final int WORKERS = 8;

    private final Target target;
    private final List<Ring> rings = new ArrayList<>();
    private final int fd;
    private final boolean records;
    private final Semaphore ended = new Semaphore(0);
    private volatile String failure = "";

    HandlerLoad(Target target) throws IOException {
        this.target = target;
        this.records = target.depth() == 1;
        Bindings bindings = Bindings.load(Optional.of(target.binding()));
        NativeIo nativeIo = bindings.nativeIo().orElseThrow(() -> new IOException(bindings.reasons()));
        NativeConstants constants = bindings.constants().orElseThrow();
        int count = target.contender().rings();
        for (int i = 0; i < count; i++) {
            int first = target.depth() * i / count;
            rings.add(new Ring(nativeIo, constants, first, target.depth() * (i + 1) / count - first));
        }
        int flags = (target.workload().kind().writes() ? OpenFlag.READ | OpenFlag.WRITE : OpenFlag.READ)
                | (target.isDirect() ? OpenFlag.DIRECT : 0);
        fd = syscalls().open(target.path().toString(), flags, 0);
        if (fd < 0) {
            rings.forEach(Ring::close);
            throw new IOException("open of " + target.path() + " failed: " + Errno.name(-fd));
        }
    }

    private NativeSyscalls syscalls() {
        return rings.get(0).engine.syscalls();
    }

    @Override
    public void run(int count) throws Exception {
        for (int i = 0; i < rings.size(); i++) {
            int first = (int) ((long) count * i / rings.size());
            int end = (int) ((long) count * (i + 1) / rings.size());
            rings.get(i).begin(first, end - first);
        }
        ended.acquire(rings.size());
        if (!failure.isEmpty()) {
            throw new IOException(failure);
        }
    }

    /** One engine thread and the streams on it. */
    private final class Ring {
        private final NativeLoop engine;
        private final EngineLoop loop;
        private final PoolMemory memory;
        private final Step[] steps;
        private final Runnable beginAll = this::beginAll;
        private volatile int operations;
        private volatile int firstOperation;

        // Engine thread only.
        private int left;
        private int active;
        private long nextWrite;

        Ring(NativeIo nativeIo, NativeConstants constants, int firstStream, int streams) {
            int kind = target.contender() == Contender.EPOLL_HANDLER ? NativeDriver.EPOLL : NativeDriver.IO_URING;
            engine = NativeLoop.start(
                    "millrace-engine-bench",
                    nativeIo,
                    constants,
                    kind,
                    new NativeLoop.Size(Math.max(64, 2 * streams), WORKERS, 8, streams, target.block()));
            loop = engine.loop();
            memory = engine.buffers();
            steps = new Step[streams];
            for (int i = 0; i < streams; i++) {
                steps[i] = new Step(this, i, firstStream + i);
            }
        }

        void begin(int first, int count) {
            firstOperation = first;
            operations = count;
            loop.execute(beginAll);
        }

        private void beginAll() {
            left = operations;
            nextWrite = (long) firstOperation * target.block();
            active = steps.length;
            for (Step step : steps) {
                step.next();
            }
        }

        /** A chain has come to its end. */
        void chainEnded(Step step) {
            active--;
            if (active > 0) {
                return;
            }
            if (target.workload().kind() == Workload.Kind.WRITE && failure.isEmpty()) {
                step.sync();
            } else {
                ended.release();
            }
        }

        void close() {
            engine.close();
        }
    }

    private final class Step extends Operation {
        private final Ring ring;
        private final int index;
        private final Target.Places places;
        private long began;

        Step(Ring ring, int index, int stream) {
            this.ring = ring;
            this.index = index;
            this.places = target.places(stream);
        }

        void next() {
            if (ring.left == 0) {
                ring.chainEnded(this);
                return;
            }
            ring.left--;
            Workload.Kind kind = target.workload().kind();
            reset(kind.writes() ? OpCode.WRITE : OpCode.READ);
            fd = HandlerLoad.this.fd;
            memory = ring.memory.pieces().get(index);
            address = ring.memory.addresses().get(index);
            length = target.block();
            if (index < ring.engine.registration().buffers()) {
                flags = OpCode.FLAG_FIXED_BUFFER;
                bufferIndex = index;
            }
            if (kind == Workload.Kind.WRITE) {
                offset = ring.nextWrite;
                ring.nextWrite += target.block();
            } else {
                offset = places.next();
            }
            began = records ? System.nanoTime() : 0;
            ring.loop.submit(this);
        }

        void sync() {
            reset(OpCode.FSYNC);
            fd = HandlerLoad.this.fd;
            ring.loop.submit(this);
        }

        @Override
        protected void completed(int result) {
            if (code == OpCode.FSYNC ? result != 0 : result != target.block()) {
                failure = OpCode.name(code) + " at " + offset + " gave " + result;
                ring.left = 0;
                ring.chainEnded(this);
                return;
            }
            boolean syncs = target.workload().kind() == Workload.Kind.SYNCED_WRITE;
            if (syncs && code == OpCode.WRITE) {
                sync();
                return;
            }
            if (code == OpCode.FSYNC && !syncs) {
                ended.release();
                return;
            }
            if (records) {
                Samples.record(System.nanoTime() - began);
            }
            next();
        }
    }

    @Override
    public Map<String, Object> facts() {
        boolean huge = true;
        long[] sum = new long[rings.get(0).loop.stats().length];
        for (Ring ring : rings) {
            ring.loop.sampleKernelWorkers();
            huge &= ring.memory.hugeBytes() >= (long) ring.steps.length * target.block();
            EngineCounters.add(sum, ring.loop.stats());
        }
        NativeDriver driver = rings.get(0).engine.driver();
        return OurEngine.facts(driver.kind(), driver.binding(), huge, rings.size(), EngineCounters.of(sum));
    }

    @Override
    public void close() {
        syscalls().close(fd);
        rings.forEach(Ring::close);
    }
}
