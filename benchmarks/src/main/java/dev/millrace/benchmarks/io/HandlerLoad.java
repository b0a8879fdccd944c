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
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.OpenFlag;
import dev.millrace.io.engine.Operation;
import dev.millrace.io.engine.PoolMemory;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * Operations of the engine whose handlers begin the next ones on the engine thread, as the copy loop and the downloads do.
 * In the steady state nothing is allocated.
 */
final class HandlerLoad implements Load {
    private static final int WORKERS = 8;

    private final Target target;
    private final NativeLoop engine;
    private final EngineLoop loop;
    private final NativeDriver driver;
    private final PoolMemory memory;
    private final Step[] steps;
    private final int fd;
    private final boolean records;
    private final Runnable beginAll = this::beginAll;
    private final Semaphore ended = new Semaphore(0);
    private volatile String failure = "";
    private volatile int operations;

    // Engine thread only.
    private int left;
    private int active;
    private long nextWrite;

    HandlerLoad(Target target) throws IOException {
        this.target = target;
        this.records = target.depth() == 1;
        Bindings bindings = Bindings.load(Optional.of(target.binding()));
        NativeIo nativeIo = bindings.nativeIo().orElseThrow(() -> new IOException(bindings.reasons()));
        NativeConstants constants = bindings.constants().orElseThrow();
        int kind = target.contender() == Contender.EPOLL_HANDLER ? NativeDriver.EPOLL : NativeDriver.IO_URING;
        engine = NativeLoop.start(
                "millrace-engine-bench",
                nativeIo,
                constants,
                kind,
                new NativeLoop.Size(Math.max(64, 2 * target.depth()), WORKERS, 8, target.depth(), target.block()));
        loop = engine.loop();
        driver = engine.driver();
        memory = engine.buffers();
        int flags = (target.workload().kind().writes() ? OpenFlag.READ | OpenFlag.WRITE : OpenFlag.READ)
                | (target.isDirect() ? OpenFlag.DIRECT : 0);
        fd = driver.syscalls().open(target.path().toString(), flags, 0);
        if (fd < 0) {
            engine.close();
            throw new IOException("open of " + target.path() + " failed: " + Errno.name(-fd));
        }
        steps = new Step[target.depth()];
        for (int i = 0; i < steps.length; i++) {
            steps[i] = new Step(i);
        }
    }

    @Override
    public void run(int count) throws Exception {
        operations = count;
        loop.execute(beginAll);
        ended.acquire();
        if (!failure.isEmpty()) {
            throw new IOException(failure);
        }
    }

    private void beginAll() {
        left = operations;
        nextWrite = 0;
        active = steps.length;
        for (Step step : steps) {
            step.next();
        }
    }

    /** A chain has come to its end. */
    private void chainEnded(Step step) {
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

    private final class Step extends Operation {
        private final int index;
        private final Target.Places places;
        private long began;

        Step(int index) {
            this.index = index;
            this.places = target.places(index);
        }

        void next() {
            if (left == 0) {
                chainEnded(this);
                return;
            }
            left--;
            Workload.Kind kind = target.workload().kind();
            reset(kind.writes() ? OpCode.WRITE : OpCode.READ);
            fd = HandlerLoad.this.fd;
            memory = HandlerLoad.this.memory.pieces().get(index);
            address = HandlerLoad.this.memory.addresses().get(index);
            length = target.block();
            if (index < HandlerLoad.this.memory.registered()) {
                flags = OpCode.FLAG_FIXED_BUFFER;
                bufferIndex = index;
            }
            if (kind == Workload.Kind.WRITE) {
                offset = nextWrite;
                nextWrite += target.block();
            } else {
                offset = places.next();
            }
            began = records ? System.nanoTime() : 0;
            loop.submit(this);
        }

        void sync() {
            reset(OpCode.FSYNC);
            fd = HandlerLoad.this.fd;
            loop.submit(this);
        }

        @Override
        protected void completed(int result) {
            if (code == OpCode.FSYNC ? result != 0 : result != target.block()) {
                failure = OpCode.name(code) + " at " + offset + " gave " + result;
                left = 0;
                chainEnded(this);
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
        loop.sampleKernelWorkers();
        boolean huge = memory.hugeBytes() >= (long) target.depth() * target.block();
        return OurEngine.facts(driver.kind(), driver.binding(), huge, EngineCounters.of(loop.stats()));
    }

    @Override
    public void close() {
        driver.syscalls().close(fd);
        engine.close();
    }
}
