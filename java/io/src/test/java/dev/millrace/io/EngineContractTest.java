// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.io.engine.EngineCounters;
import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.OpenFlag;
import dev.millrace.io.engine.Probe;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The engine thread over each real driver. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class EngineContractTest extends EngineContract {
    private static final long HOUR = TimeUnit.HOURS.toNanos(1);

    @Override
    IoEngineConfig config() {
        return TestEngines.config(kind).withSlots(8);
    }

    private EngineLoop loop() {
        return engine.loop();
    }

    private void assumeNative() {
        assumeTrue(kind != EngineKind.BLOCKING, "pure Java has no timers and sockets");
    }

    private Probe timeout(long nanos) {
        Probe probe = new Probe(OpCode.TIMEOUT);
        probe.offset = nanos;
        loop().submit(probe);
        return probe;
    }

    private Probe nop() {
        Probe probe = Probe.nop();
        loop().submit(probe);
        return probe;
    }

    private void settle() throws InterruptedException {
        CountDownLatch done = new CountDownLatch(1);
        loop().execute(done::countDown);
        done.await();
    }

    @Test
    void servesThousandCallersOnEightSlots() throws Exception {
        AtomicInteger right = new AtomicInteger();
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            Thread caller = new Thread(() -> {
                try {
                    if (nop().await() == 0) {
                        right.incrementAndGet();
                    }
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            callers.add(caller);
            caller.start();
        }
        for (Thread caller : callers) {
            caller.join();
        }
        assertThat(right).hasValue(1000);
        EngineCounters counters = engine.counters();
        assertThat(counters.inFlight()).isZero();
        assertThat(counters.submitted()).isEqualTo(counters.completed());
    }

    @Test
    void losesNoWakeUp() throws Exception {
        List<Thread> callers = new ArrayList<>();
        AtomicInteger right = new AtomicInteger();
        for (int t = 0; t < 3; t++) {
            Thread caller = new Thread(() -> {
                try {
                    for (int i = 0; i < 2000; i++) {
                        right.addAndGet(nop().await() == 0 ? 1 : 0);
                    }
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            callers.add(caller);
            caller.start();
        }
        for (Thread caller : callers) {
            caller.join();
        }
        assertThat(right).hasValue(6000);
    }

    @Test
    void takesNoTurnWhileItIsIdle() throws Exception {
        nop().await();
        engine.counters();
        long settled = engine.counters().turns();
        LockSupport.parkNanos(200_000_000);
        // Asking takes a turn or two itself; a loop that spins has taken thousands.
        assertThat(engine.counters().turns() - settled).isLessThanOrEqualTo(5);
    }

    @Test
    void runsManyOperationsOfHandlersInFewTurns() throws Exception {
        AtomicInteger left = new AtomicInteger(4000);
        CountDownLatch end = new CountDownLatch(1);
        long before = engine.counters().turns();
        // Begun on the engine thread: from here it could run thousands of turns with the first one alone.
        loop().execute(() -> {
            for (int i = 0; i < 7; i++) {
                loop().submit(new Probe(OpCode.NOP) {
                    @Override
                    protected void completed(int result) {
                        int now = left.decrementAndGet();
                        if (now > 0) {
                            loop().submit(this);
                        } else if (now == 0) {
                            end.countDown();
                        }
                    }
                });
            }
        });
        end.await();
        settle();
        if (kind == EngineKind.IO_URING) {
            assertThat(engine.counters().turns() - before).isLessThan(2000);
        }
    }

    @Test
    void cancelsTimersBeforeWhileAndAfterTheyRun() throws Exception {
        assumeNative();
        List<Probe> timers = new ArrayList<>();
        for (int i = 0; i < 20; i++) { // seven in slots, the others in line
            timers.add(timeout(HOUR));
        }
        settle();
        loop().cancel(timers.get(0));
        loop().cancel(timers.get(0));
        loop().cancel(timers.get(19));
        assertThat(timers.get(0).await()).isEqualTo(-Errno.ECANCELED);
        assertThat(timers.get(19).await()).isEqualTo(-Errno.ECANCELED);
        loop().cancel(timers.get(0));
        assertThat(timers.get(1).isDone()).isFalse();
        timers.forEach(loop()::cancel);
        for (Probe timer : timers) {
            assertThat(timer.await()).isEqualTo(-Errno.ECANCELED);
            assertThat(timer.outcomes()).isEqualTo(1);
        }
        assertThat(timeout(1000).await()).isEqualTo(-Errno.ETIME);
    }

    @Test
    void givesEachOfManyRacingCancelsOneOutcome() throws Exception {
        assumeNative();
        for (int round = 0; round < 100; round++) {
            List<Probe> timers = new ArrayList<>();
            for (int i = 0; i < 7; i++) {
                timers.add(timeout(1 + i * 20_000L));
            }
            timers.forEach(loop()::cancel);
            for (Probe timer : timers) {
                assertThat(timer.await()).isIn(-Errno.ETIME, -Errno.ECANCELED);
            }
            settle();
            timers.forEach(timer -> assertThat(timer.outcomes()).isEqualTo(1));
        }
    }

    @Test
    void hasLetGoOfAFileWhenItsCloseReturns() throws Exception {
        byte[] script = "#!/bin/sh\nexit 7\n".getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < 20; i++) {
            Path path = folder.resolve("script" + i);
            try (OwnedBuffer buffer = engine.buffers().acquire()) {
                buffer.put(0, script, 0, script.length);
                CompletableFuture<IoResult> underWay;
                try (VirtualFile file = VirtualFile.open(engine, path, OpenOptions.creating())) {
                    underWay = file.writeAsync(buffer, 0, script.length, 0);
                }
                assertThat(underWay.join().bytes()).isEqualTo(script.length);
            }
            assertThat(path.toFile().setExecutable(true)).isTrue();
            // What anybody has open for writing is not executed (ETXTBSY).
            assertThat(new ProcessBuilder(path.toString()).start().waitFor()).isEqualTo(7);
        }
    }

    @Test
    void keepsTheKernelsWorkersFewHoweverManyReadsMustWait() throws Exception {
        assumeTrue(kind == EngineKind.IO_URING, "other engines have no workers of the kernel");
        IoEngineConfig config = config();
        IoEngine capped = TestEngines.open(
                new IoEngineConfig(
                        config.engine(),
                        config.binding(),
                        512,
                        1024,
                        1,
                        1,
                        4096,
                        256,
                        1024,
                        1,
                        false,
                        config.executor()));
        try (capped) {
            // A file that cannot be read without waiting: the kernel makes a thread of its own for each read, if it
            // may.
            int fd = capped.loop().driver().syscalls().open("/proc/self/maps", OpenFlag.READ, 0);
            for (int round = 0; round < 8; round++) {
                List<CompletableFuture<Integer>> ends = new ArrayList<>();
                for (int i = 0; i < 256; i++) {
                    OwnedBuffer buffer = capped.buffers().acquire();
                    CompletableFuture<Integer> end = new CompletableFuture<>();
                    ends.add(end);
                    new RawRead(capped.seat(0)) {
                        @Override
                        void ended(OwnedBuffer owned, int moved, int error) {
                            owned.close();
                            end.complete(error == 0 ? moved : -error);
                        }
                    }.start(fd, buffer, 4096);
                }
                capped.counters(); // looks how many there are
                for (CompletableFuture<Integer> end : ends) {
                    assertThat(end.get(20, TimeUnit.SECONDS)).isEqualTo(4096);
                }
            }
            capped.loop().driver().syscalls().close(fd);
            // One of each of the two kinds.
            assertThat(capped.counters().kernelWorkers()).isLessThanOrEqualTo(2);
        }
    }

    @Test
    void takesNoCancelOfWhatWasNotSubmitted() throws Exception {
        Probe probe = Probe.nop();
        loop().cancel(probe);
        loop().cancel(probe);
        settle();
        assertThat(probe.outcomes()).isZero();
        loop().submit(probe);
        assertThat(probe.await()).isZero();
        loop().cancel(probe);
        settle();
        assertThat(probe.outcomes()).isEqualTo(1);
    }

    @Test
    void goesOnThoughNobodyTakesTheResults() throws Exception {
        List<Runnable> untaken = Collections.synchronizedList(new ArrayList<>());
        List<CompletableFuture<IoResult>> reads = new ArrayList<>();
        Path path = Files.write(folder.resolve("file"), bytes(TestEngines.BUFFER, 1));
        IoEngine other = TestEngines.open(config().withExecutor(untaken::add));
        try (other;
                VirtualFile file = VirtualFile.open(other, path, OpenOptions.reading());
                OwnedBuffer buffer = other.buffers().acquire()) {
            for (int i = 0; i < 100; i++) {
                reads.add(file.readAsync(buffer, 0, 1 + i, 0));
                while (!buffer.isOwned()) {
                    LockSupport.parkNanos(10_000);
                }
            }
            assertThat(other.counters().inFlight()).as("slots").isZero();
            assertThat(other.loop().pendingFromCallers()).as("places in line").isZero();
            assertThat(reads).noneMatch(CompletableFuture::isDone);
            while (untaken.size() < 100) { // a buffer comes back a moment before its result is told
                LockSupport.parkNanos(10_000);
            }
            untaken.forEach(Runnable::run);
        }
        for (int i = 0; i < 100; i++) {
            assertThat(reads.get(i).join().bytes()).isEqualTo(1 + i);
        }
    }

    @Test
    void closesWithTimersAndPollsInEverySlot() throws Exception {
        assumeNative();
        Path fifo = folder.resolve("fifo");
        FileContractTest.makeFifo(fifo);
        int fd = loop().driver().syscalls().open(fifo.toString(), OpenFlag.READ | OpenFlag.WRITE, 0);
        List<Probe> endless = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            if (i % 2 == 0) {
                endless.add(timeout(HOUR));
            } else {
                Probe poll = new Probe(OpCode.POLL);
                poll.fd = fd;
                poll.arg = 1; // POLLIN
                loop().submit(poll);
                endless.add(poll);
            }
        }
        settle();
        engine.close();
        for (Probe probe : endless) {
            assertThat(probe.await()).isEqualTo(-Errno.ECANCELED);
            assertThat(probe.outcomes()).isEqualTo(1);
        }
        loop().driver().syscalls().close(fd);
    }

    @Test
    void closesWithReadsOfAnEmptyPipeInEverySlot() throws Exception {
        assumeNative();
        Path fifo = folder.resolve("fifo");
        FileContractTest.makeFifo(fifo);
        int fd = loop().driver().syscalls().open(fifo.toString(), OpenFlag.READ | OpenFlag.WRITE, 0);
        List<OwnedBuffer> buffers = new ArrayList<>();
        List<CompletableFuture<Integer>> ends = new ArrayList<>();
        for (int i = 0; i < TestEngines.BUFFERS; i++) {
            OwnedBuffer buffer = engine.buffers().acquire();
            buffers.add(buffer);
            CompletableFuture<Integer> end = new CompletableFuture<>();
            ends.add(end);
            RawRead read = new RawRead(engine.seat(0)) {
                @Override
                void ended(OwnedBuffer owned, int moved, int error) {
                    end.complete(error);
                }
            };
            read.start(fd, buffer, 4096);
        }
        settle();
        engine.close();
        for (CompletableFuture<Integer> end : ends) {
            // ESPIPE where the engine reads at offsets only: positional I/O is all it does.
            assertThat(end.get(20, TimeUnit.SECONDS)).isIn(Errno.ECANCELED, 29);
        }
        buffers.forEach(buffer -> {
            assertThat(buffer.isOwned()).isTrue();
            buffer.close();
        });
        loop().driver().syscalls().close(fd);
    }

    @Test
    void givesEachSubmitterOneOutcomeWhileItCloses() throws Exception {
        for (int round = 0; round < 20; round++) {
            IoEngine closing = TestEngines.open(config());
            List<Probe> probes = Collections.synchronizedList(new ArrayList<>());
            CyclicBarrier barrier = new CyclicBarrier(4);
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 2; t++) {
                threads.add(new Thread(() -> {
                    await(barrier);
                    for (int i = 0; i < 200; i++) {
                        Probe probe = Probe.nop();
                        closing.loop().submit(probe);
                        probes.add(probe);
                        if (i % 50 == 0) {
                            closing.counters();
                        }
                    }
                }));
            }
            threads.add(new Thread(() -> {
                await(barrier);
                closing.close();
            }));
            threads.forEach(Thread::start);
            await(barrier);
            closing.close();
            for (Thread thread : threads) {
                thread.join();
            }
            closing.close();
            assertThat(probes).hasSize(400);
            for (Probe probe : probes) {
                assertThat(probe.await()).isIn(0, -Errno.ECANCELED);
                assertThat(probe.outcomes()).isEqualTo(1);
            }
            assertThat(closing.counters().inFlight()).isZero();
        }
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void closesThoughNothingWasEverDone() {
        engine.close();
        engine.close();
    }

    @Test
    void opensAndClosesAgainAndAgain() throws Exception {
        for (int i = 0; i < 15; i++) {
            try (IoEngine again = TestEngines.open(config())) {
                Probe probe = Probe.nop();
                again.loop().submit(probe);
                assertThat(probe.await()).isZero();
            }
        }
    }

    @Test
    void carriesOutPathOperations() throws Exception {
        String path = folder.resolve("a").toString();
        Probe open = new Probe(OpCode.OPEN);
        open.path = path;
        open.arg = OpenFlag.WRITE | OpenFlag.CREATE;
        open.arg2 = 0600;
        loop().submit(open);
        int fd = open.await();
        assertThat(fd).isPositive();
        Probe grow = new Probe(OpCode.FTRUNCATE);
        grow.fd = fd;
        grow.offset = 12345;
        loop().submit(grow);
        assertThat(grow.await()).isZero();
        Probe stat = new Probe(OpCode.STATX);
        stat.path = path;
        loop().submit(stat);
        assertThat(stat.await()).isZero();
        assertThat(stat.stat.size()).isEqualTo(12345);
        Probe close = new Probe(OpCode.CLOSE);
        close.fd = fd;
        loop().submit(close);
        assertThat(close.await()).isZero();
        Probe mkdir = new Probe(OpCode.MKDIR);
        mkdir.path = folder.resolve("d").toString();
        mkdir.arg2 = 0700;
        loop().submit(mkdir);
        assertThat(mkdir.await()).isZero();
        Probe rename = new Probe(OpCode.RENAME);
        rename.path = path;
        rename.path2 = folder.resolve("d/b").toString();
        loop().submit(rename);
        assertThat(rename.await()).isZero();
        assertThat(Files.size(folder.resolve("d/b"))).isEqualTo(12345);
        Probe unlink = new Probe(OpCode.UNLINK);
        unlink.path = rename.path2;
        loop().submit(unlink);
        assertThat(unlink.await()).isZero();
        Probe rmdir = new Probe(OpCode.UNLINK);
        rmdir.path = mkdir.path;
        rmdir.arg = OpCode.UNLINK_DIR;
        loop().submit(rmdir);
        assertThat(rmdir.await()).isZero();
    }

    @Test
    void refusesAPathThatIsTooLongInsteadOfCuttingIt() throws Exception {
        // Cut at 4095 bytes this would name the folder itself, since "/./" and "/" are the same.
        StringBuilder path = new StringBuilder(folder.toString());
        while (path.length() < 4095) {
            path.append(path.length() == 4094 ? "/" : "/.");
        }
        path.append("nothing/here");
        Probe stat = new Probe(OpCode.STATX);
        stat.path = path.toString();
        loop().submit(stat);
        assertThat(stat.await()).isEqualTo(-Errno.ENAMETOOLONG);
    }

    @Test
    void saysWhatTheSystemRefuses() throws Exception {
        Probe bad = new Probe(OpCode.FSYNC);
        bad.fd = 1_000_000;
        loop().submit(bad);
        assertThat(bad.await()).isEqualTo(-Errno.EBADF);
        Probe unknown = new Probe(99);
        loop().submit(unknown);
        assertThat(unknown.await()).isIn(-Errno.EINVAL, -Errno.EOPNOTSUPP);
        assertThat(nop().await()).isZero();
    }
}
