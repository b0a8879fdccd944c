// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.OpenFlag;
import dev.millrace.io.engine.ScriptedDriver.Flight;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which descriptor goes, who waits for one, and what a file makes of that, where a test decides what is in use. */
@Timeout(60)
class DescriptorCacheTest {
    private static final int B = 16 << 10;

    @TempDir
    Path folder;

    private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger syncResult = new AtomicInteger();
    private final AtomicInteger systemLimit = new AtomicInteger(Integer.MAX_VALUE);
    private final AtomicReference<Runnable> atNextStat = new AtomicReference<>(() -> {});
    private ScriptedFiles files;

    private void limit(int descriptors) {
        files = new ScriptedFiles(8, B, descriptors, (method, arguments) -> {
            switch (method) {
                case "open" -> {
                    calls.add("open " + Path.of((String) arguments[0]).getFileName() + " " + arguments[1]);
                    return files.driver.openFiles() < systemLimit.get() ? null : -Errno.EMFILE;
                }
                case "fdatasync", "fsync" -> {
                    calls.add(method);
                    return syncResult.get() == 0 ? null : syncResult.get();
                }
                case "stat" -> {
                    atNextStat.getAndSet(() -> {}).run();
                    return null;
                }
                default -> {
                    return null;
                }
            }
        });
    }

    @AfterEach
    void everythingIsBack() {
        files.close();
    }

    private VirtualFile file(String name) throws Exception {
        Files.writeString(folder.resolve(name), name);
        return VirtualFile.open(files.engine, folder.resolve(name), OpenOptions.updating());
    }

    private OwnedBuffer buffer() throws IoFailure {
        return files.engine.buffers().acquire();
    }

    private void awaitCounters(Predicate<DescriptorCounters> reached) throws InterruptedException {
        for (int i = 0; i < 2000 && !reached.test(files.engine.descriptors()); i++) {
            Thread.sleep(10);
        }
        assertThat(files.engine.descriptors()).matches(reached);
    }

    /** One descriptor: a held read of one file has it, and a read of another waits for it. */
    private final class OneWaits implements AutoCloseable {
        private final VirtualFile patient;
        private final VirtualFile busy;
        private final OwnedBuffer one = buffer();
        private final OwnedBuffer two = buffer();
        private final OwnedBuffer three = buffer();
        private final CompletableFuture<IoResult> first;
        private final Flight flight;
        private final CompletableFuture<IoResult> waits;

        OneWaits() throws Exception {
            patient = file("patient");
            busy = file("busy");
            first = busy.readAsync(one, 0, 4, 0);
            flight = files.driver.awaitInFlight(1).get(0);
            waits = patient.readAsync(two, 0, 4, 0);
        }

        @Override
        public void close() throws IoFailure {
            List.of(one, two, three).forEach(OwnedBuffer::close);
            busy.close();
            patient.close();
        }
    }

    private long made(String call) {
        synchronized (calls) {
            return calls.stream().filter(made -> made.startsWith(call)).count();
        }
    }

    // ------------------------------------------------------------------ which one goes

    @Test
    void opensAgainWithoutMakingOrEmptying() throws Exception {
        limit(1);
        try (VirtualFile first = VirtualFile.open(files.engine, folder.resolve("first"), OpenOptions.creatingNew());
                VirtualFile second = VirtualFile.open(files.engine, folder.resolve("second"), OpenOptions.creating())) {
            first.truncate(10);
            second.truncate(20);
            assertThat(first.stat().size()).isEqualTo(10);
            assertThat(second.stat().size()).isEqualTo(20);
            assertThat(calls)
                    .filteredOn(call -> call.startsWith("open "))
                    .startsWith(
                            "open first " + (OpenFlag.READ | OpenFlag.WRITE | OpenFlag.CREATE | OpenFlag.EXCLUSIVE),
                            "open second " + (OpenFlag.READ | OpenFlag.WRITE | OpenFlag.CREATE | OpenFlag.TRUNCATE))
                    .endsWith(
                            "open first " + (OpenFlag.READ | OpenFlag.WRITE),
                            "open second " + (OpenFlag.READ | OpenFlag.WRITE));
        }
    }

    @Test
    void sparesFilesThatWereUsedSinceTheHandCameBy() throws Exception {
        limit(4);
        List<VirtualFile> all = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            all.add(file("file" + i)); // the fifth sends the hand once around: nobody is spared by now
        }
        VirtualFile used = all.get(4);
        for (int i = 5; i < 12; i++) {
            used.stat();
            all.add(file("file" + i));
        }
        used.stat();
        assertThat(files.engine.descriptors().reopens()).isZero();
        assertThat(files.engine.descriptors().evictions()).isEqualTo(8);
        for (VirtualFile file : all) {
            file.close();
        }
    }

    @Test
    void takesCleanFilesFirstAndSyncsADirtyOne() throws Exception {
        limit(2);
        try (VirtualFile dirty = file("dirty");
                VirtualFile clean = file("clean")) {
            dirty.truncate(1);
            try (VirtualFile third = file("third")) {
                assertThat(made("fdatasync")).as("the clean one went").isZero();
                dirty.stat();
                assertThat(files.engine.descriptors().reopens()).isZero();
                third.truncate(1);
                clean.stat();
                assertThat(made("fdatasync")).as("one of two dirty ones went").isEqualTo(1);
            }
            dirty.truncate(2);
            dirty.sync();
            clean.stat();
            long before = made("fdatasync");
            try (VirtualFile fourth = file("fourth");
                    VirtualFile fifth = file("fifth")) {
                assertThat(fourth.isDirect()).isEqualTo(fifth.isDirect());
                assertThat(made("fdatasync")).as("a synced file is clean").isEqualTo(before);
            }
        }
    }

    @Test
    void isDirtyAgainByAWriteThatEndsAfterASync() throws Exception {
        limit(1);
        files.hold(OpCode.WRITE);
        try (VirtualFile file = file("file");
                OwnedBuffer buffer = buffer()) {
            CompletableFuture<IoResult> write = file.writeAsync(buffer, 0, 1, 0);
            Flight flight = files.driver.awaitInFlight(1).get(0);
            file.sync();
            files.release(flight);
            write.join();
            file("other").close();
            assertThat(made("fdatasync")).isEqualTo(1);
        }
    }

    @Test
    void keepsTheFailedSyncOfADescriptorThatWasGivenUp() throws Exception {
        limit(1);
        try (VirtualFile file = file("file")) {
            file.truncate(1);
            syncResult.set(-Errno.EIO);
            file("other").close();
            syncResult.set(0);
            assertThat(made("fdatasync")).isEqualTo(1);
            for (int i = 0; i < 2; i++) {
                FatalIoException failed = EngineContract.thrownBy(FatalIoException.class, file::sync);
                assertThat(failed)
                        .hasMessageContaining("fdatasync of " + file.path())
                        .hasMessageContaining("EIO");
                assertThat(EngineContract.thrownBy(
                                FatalIoException.class, () -> file.syncAsync().join()))
                        .isSameAs(failed);
            }
            assertThat(made("fsync")).as("never asked again").isZero();
            assertThat(file.stat().size()).isEqualTo(1);
        }
    }

    @Test
    void givesDescriptorsUpWhereTheSystemHasNone() throws Exception {
        limit(100);
        systemLimit.set(3);
        List<VirtualFile> all = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            all.add(file("file" + i));
        }
        for (VirtualFile file : all) {
            assertThat(file.stat().size()).isEqualTo(5);
        }
        assertThat(files.engine.descriptors().mostOpen()).isLessThanOrEqualTo(4);
        assertThat(files.engine.descriptors().waits()).isZero();
        systemLimit.set(0);
        OperationFailedException none = EngineContract.thrownBy(OperationFailedException.class, () -> file("more"));
        assertThat(none.errno()).isEqualTo(Errno.EMFILE);
        assertThat(none)
                .hasMessageContaining("at most 100 descriptors")
                .hasMessageContaining("RLIMIT_NOFILE is ")
                .hasMessageContaining("ulimit -n");
        systemLimit.set(3);
        for (VirtualFile file : all) {
            assertThat(file.stat().size()).isEqualTo(5);
            file.close();
        }
    }

    // ------------------------------------------------------------------ who waits

    @Test
    void neverClosesADescriptorInUse() throws Exception {
        limit(1);
        files.hold(OpCode.READ);
        try (VirtualFile busy = file("busy");
                OwnedBuffer buffer = buffer()) {
            CompletableFuture<IoResult> read = busy.readAsync(buffer, 0, 4, 0);
            Flight flight = files.driver.awaitInFlight(1).get(0);
            Path path = folder.resolve("opened");
            Files.createFile(path);
            CompletableFuture<VirtualFile> open = VirtualFile.openAsync(files.engine, path, OpenOptions.reading());
            awaitCounters(now -> now.waits() == 1);
            assertThat(open).isNotDone();
            assertThat(files.engine.descriptors().evictions()).isZero();
            files.release(flight);
            assertThat(read.join().bytes()).isEqualTo(4);
            open.join().close();
            assertThat(files.engine.descriptors().evictions()).isEqualTo(1);
        }
    }

    @Test
    void servesTheLineThoughAFileIsNeverIdle() throws Exception {
        limit(1);
        files.hold(OpCode.READ);
        try (OneWaits line = new OneWaits()) {
            awaitCounters(now -> now.waits() == 1);
            CompletableFuture<IoResult> next = line.busy.readAsync(line.three, 0, 4, 0);
            assertThat(files.count(OpCode.READ)).as("let in no more").isEqualTo(1);
            files.release(line.flight);
            line.first.join();
            Flight served = files.driver.awaitInFlight(1).get(0);
            files.release(served);
            assertThat(line.waits.join().bytes()).isEqualTo(4);
            assertThat(next).isNotDone();
            files.release(files.driver.awaitInFlight(1).get(0));
            assertThat(next.join().bytes()).isEqualTo(4);
            byte[] firsts = {line.three.get(0), line.two.get(0)};
            assertThat(new String(firsts, java.nio.charset.StandardCharsets.US_ASCII))
                    .isEqualTo("bp");
        }
    }

    @Test
    void lendsTheDescriptorToAllWhoWaitForTheSameFile() throws Exception {
        limit(1);
        files.hold(OpCode.READ);
        try (VirtualFile file = file("file");
                VirtualFile busy = file("busy")) {
            List<OwnedBuffer> buffers = new ArrayList<>();
            List<CompletableFuture<IoResult>> reads = new ArrayList<>();
            buffers.add(buffer());
            reads.add(busy.readAsync(buffers.get(0), 0, 4, 0));
            Flight flight = files.driver.awaitInFlight(1).get(0);
            for (int i = 1; i < 4; i++) {
                buffers.add(buffer());
                reads.add(file.readAsync(buffers.get(i), 0, 4, 0));
            }
            files.release(flight);
            for (Flight later : files.driver.awaitInFlight(3)) {
                files.release(later);
            }
            reads.forEach(read -> assertThat(read.join().bytes()).isEqualTo(4));
            assertThat(files.engine.descriptors().reopens()).isEqualTo(1);
            assertThat(files.engine.descriptors().waits()).isEqualTo(1);
            buffers.forEach(OwnedBuffer::close);
        }
    }

    @Test
    void leavesTheLineWhenItIsCancelled() throws Exception {
        limit(1);
        files.hold(OpCode.READ);
        try (OneWaits line = new OneWaits()) {
            CompletableFuture<Long> vectored =
                    line.patient.readVectoredAsync(List.of(new BufferSlice(line.three, 0, 4)), 0);
            assertThat(line.two.isOwned()).isFalse();
            assertThat(line.waits.cancel(true)).isTrue();
            assertThat(vectored.cancel(true)).isTrue();
            assertThat(line.two.isOwned()).isTrue();
            assertThat(line.three.isOwned()).isTrue();
            files.release(line.flight);
            line.first.join();
            line.busy.stat();
            assertThat(files.engine.descriptors().reopens())
                    .as("opened for nobody")
                    .isZero();
        }
    }

    @Test
    void tellsThoseInLineThatTheirFileIsClosed() throws Exception {
        limit(1);
        files.hold(OpCode.READ);
        try (VirtualFile busy = file("first");
                OwnedBuffer one = buffer();
                OwnedBuffer two = buffer()) {
            VirtualFile closed = file("closed");
            CompletableFuture<IoResult> read = busy.readAsync(one, 0, 4, 0);
            Flight flight = files.driver.awaitInFlight(1).get(0);
            CompletableFuture<IoResult> waits = closed.readAsync(two, 0, 4, 0);
            CompletableFuture<Void> sync = closed.syncAsync();
            CompletableFuture<Void> parked = CompletableFuture.runAsync(() -> {
                try {
                    closed.sync();
                } catch (IoFailure e) {
                    throw new java.util.concurrent.CompletionException(e);
                }
            });
            awaitCounters(now -> now.waits() == 1);
            closed.close();
            for (CompletableFuture<?> end : List.of(waits, sync, parked)) {
                FileClosedException told =
                        EngineContract.thrownBy(FileClosedException.class, () -> end.get(20, TimeUnit.SECONDS));
                assertThat(told.path()).isEqualTo(closed.path());
            }
            assertThat(two.isOwned()).isTrue();
            files.release(flight);
            read.join();
        }
    }

    @Test
    void tellsThoseInLineThatTheEngineIsClosed() throws Exception {
        limit(1);
        files.hold(OpCode.READ);
        VirtualFile other = file("other");
        VirtualFile busy = file("busy");
        OwnedBuffer one = buffer();
        OwnedBuffer two = buffer();
        CompletableFuture<IoResult> read = busy.readAsync(one, 0, 4, 0);
        Flight flight = files.driver.awaitInFlight(1).get(0);
        List<CompletableFuture<?>> ends = new ArrayList<>();
        ends.add(other.readAsync(two, 0, 4, 0));
        ends.add(VirtualFile.openAsync(files.engine, folder.resolve("busy"), OpenOptions.reading()));
        awaitCounters(now -> now.waits() == 2);
        CompletableFuture<Void> close = CompletableFuture.runAsync(files.engine::close);
        for (CompletableFuture<?> end : ends) {
            EngineContract.thrownBy(EngineClosedException.class, () -> end.get(20, TimeUnit.SECONDS));
        }
        files.release(flight);
        close.join();
        assertThat(read.join().bytes()).isEqualTo(4);
        EngineContract.thrownBy(EngineClosedException.class, other::stat);
        one.close();
        two.close();
        other.close();
        busy.close();
    }

    @Test
    void opensItselfWhatTheThreadsForFilesHaveNoTimeFor() throws Exception {
        limit(2);
        try (VirtualFile first = file("1");
                VirtualFile second = file("22");
                VirtualFile third = file("333");
                VirtualFile fourth = file("4444");
                OwnedBuffer one = buffer();
                OwnedBuffer two = buffer()) {
            CountDownLatch busy = new CountDownLatch(1);
            CountDownLatch release = new CountDownLatch(1);
            // The one thread for files is held where it opens another file again.
            atNextStat.set(() -> {
                busy.countDown();
                try {
                    release.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            CompletableFuture<IoResult> held = first.readAsync(one, 0, 1, 0);
            busy.await();
            CompletableFuture<IoResult> queued = second.readAsync(two, 0, 2, 0);
            assertThat(second.stat().size()).isEqualTo(2);
            assertThat(queued.join().bytes()).isEqualTo(2);
            assertThat(third.stat().size() + fourth.stat().size()).isEqualTo(7);
            assertThat(held).isNotDone();
            release.countDown();
            assertThat(held.join().bytes()).isEqualTo(1);
        }
    }

    @Test
    void neverBlocksTheEngineThread() throws Exception {
        limit(1);
        try (VirtualFile away = file("away");
                VirtualFile there = file("there");
                OwnedBuffer buffer = buffer()) {
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            AtomicReference<CompletableFuture<IoResult>> read = new AtomicReference<>();
            CountDownLatch done = new CountDownLatch(1);
            files.engine.loop().execute(() -> {
                try {
                    away.stat();
                } catch (IoFailure | RuntimeException e) {
                    thrown.set(e);
                }
                read.set(away.readAsync(buffer, 0, 4, 0));
                done.countDown();
            });
            done.await();
            assertThat(thrown.get()).isInstanceOf(IllegalStateException.class);
            assertThat(read.get().join().bytes()).isEqualTo(4);
            assertThat(there.stat().size()).isEqualTo(5);
        }
    }

    @Test
    void doesNotMindAnInterruptWhileItWaits() throws Exception {
        limit(1);
        files.hold(OpCode.READ);
        try (VirtualFile file = file("file");
                VirtualFile busy = file("busy");
                OwnedBuffer one = buffer()) {
            CompletableFuture<IoResult> read = busy.readAsync(one, 0, 4, 0);
            Flight flight = files.driver.awaitInFlight(1).get(0);
            CompletableFuture<Boolean> end = new CompletableFuture<>();
            Thread waits = new Thread(() -> {
                try {
                    file.truncate(1);
                    end.complete(Thread.currentThread().isInterrupted());
                } catch (IoFailure | RuntimeException e) {
                    end.completeExceptionally(e);
                }
            });
            waits.start();
            awaitCounters(now -> now.waits() == 1);
            waits.interrupt();
            files.release(flight);
            read.join();
            assertThat(end.get(20, TimeUnit.SECONDS)).as("still interrupted").isTrue();
            assertThat(Files.size(folder.resolve("file"))).isEqualTo(1);
            waits.join();
        }
    }

    // ------------------------------------------------------------------ names

    @Test
    void findsAFileThatIsRenamedWhileItIsOpenedAgain() throws Exception {
        limit(1);
        try (VirtualFile file = file("before");
                VirtualFile other = file("other")) {
            assertThat(other.stat().size()).isEqualTo(5);
            atNextStat.set(() -> {
                try {
                    files.engine.rename(folder.resolve("before"), folder.resolve("after"), true);
                } catch (IoFailure e) {
                    throw new AssertionError(e);
                }
            });
            assertThat(file.stat().size()).isEqualTo(6);
            assertThat(file.path()).isEqualTo(folder.resolve("after").toString());
        }
    }
}
