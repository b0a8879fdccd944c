// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import dev.millrace.benchmarks.soak.Counts.Kind;
import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Operations below files: timers that are cancelled while they run, as they end, and after, and nothing at all. Each must
 * have one outcome.
 */
final class TimerWorker extends Worker {
    private static final int AT_ONCE = 16;
    /** Between its steps: it costs the others more than it costs the disk. */
    private static final long PAUSE_NANOS = 2_000_000;

    private final Once[] operations = new Once[AT_ONCE];

    /** Counts its outcomes. */
    private static final class Once extends Operation {
        private final AtomicInteger outcomes = new AtomicInteger();
        private volatile int last;

        void prepare(int operationCode, long nanos) {
            reset(operationCode);
            offset = nanos;
            outcomes.set(0);
        }

        @Override
        protected void completed(int result) {
            last = result;
            outcomes.incrementAndGet();
        }
    }

    TimerWorker(String name, long seed, Path parent, Counts counts) throws IOException {
        super(name, seed, parent, counts);
        for (int i = 0; i < AT_ONCE; i++) {
            operations[i] = new Once();
        }
    }

    @Override
    void begin(IoEngine engine) {
        // Nothing is needed.
    }

    @Override
    void end() {
        // Nothing is open.
    }

    @Override
    void step(IoEngine engine) throws Exception {
        EngineLoop loop = engine.loop();
        // The engine in pure Java has no timers.
        boolean timers = !loop.driver().kind().equals(EngineKind.BLOCKING.label());
        for (Once operation : operations) {
            boolean timer = timers && random.nextInt(4) != 0;
            boolean never = timer && random.nextBoolean();
            operation.prepare(
                    timer ? OpCode.TIMEOUT : OpCode.NOP, never ? TimeUnit.HOURS.toNanos(1) : random.nextInt(50_000));
            loop.submit(operation);
            counts.add(Kind.TIMER);
            if (never || random.nextBoolean()) {
                loop.cancel(operation);
                counts.add(Kind.CANCELS);
            }
        }
        boolean closed = false;
        for (Once operation : operations) {
            awaitThat("a timer that was cancelled did not end", () -> operation.outcomes.get() > 0);
            counts.add(Kind.CANCELS_THAT_WON, operation.last == -Errno.ECANCELED ? 1 : 0);
            boolean right = operation.code == OpCode.NOP
                    ? operation.last == 0 || operation.last == -Errno.ECANCELED
                    : operation.last == -Errno.ETIME || operation.last == -Errno.ECANCELED;
            if (!right) {
                throw new MismatchException(OpCode.name(operation.code) + " ended with " + operation.last);
            }
            closed |= loop.isClosing(); // or others have followed it
        }
        for (Once operation : operations) {
            if (operation.outcomes.get() != 1) {
                throw new MismatchException(OpCode.name(operation.code) + " had " + operation.outcomes + " outcomes");
            }
        }
        if (closed) {
            engine.freeBytes(folder); // throws what a closed engine throws
        }
        LockSupport.parkNanos(PAUSE_NANOS);
    }
}
