// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.engine.ScriptedDriver.Flight;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The engine thread over a driver whose every outcome the test decides. */
@Timeout(60)
class EngineLoopTest {
    private ScriptedDriver driver;
    private EngineLoop loop;

    private void start(int slots) {
        start(new ScriptedDriver(slots), 1 << 16);
    }

    private void start(ScriptedDriver scripted, int places) {
        driver = scripted;
        loop = EngineLoop.start("millrace-engine-test", places, () -> scripted);
    }

    @AfterEach
    void closes() {
        if (loop != null) {
            loop.close();
            assertThat(driver.isDestroyed()).isTrue();
            assertThat(driver.callsAfterDestroy())
                    .as("calls of a driver that is freed")
                    .isZero();
            assertThat(loop.pendingFromCallers()).as("places still taken").isZero();
        }
    }

    private Probe submitted() {
        Probe probe = Probe.nop();
        loop.submit(probe);
        return probe;
    }

    // ------------------------------------------------------------------ slots and matching

    @Test
    void keepsThousandCallersWithinEightSlots() throws Exception {
        start(new ScriptedDriver(8), 16);
        List<Probe> probes = Collections.synchronizedList(new ArrayList<>());
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            Thread caller = new Thread(() -> probes.add(submitted()));
            callers.add(caller);
            caller.start();
        }
        int done = 0;
        while (done < 1000) {
            for (Flight flight : driver.awaitInFlight(1)) {
                driver.complete(flight, 7);
                done++;
            }
        }
        for (Thread caller : callers) {
            caller.join();
        }
        for (Probe probe : probes) {
            assertThat(probe.await()).isEqualTo(7);
            assertThat(probe.outcomes()).isEqualTo(1);
        }
        assertThat(driver.mostInFlight()).isLessThanOrEqualTo(8);
    }

    @Test
    void matchesCompletionsByTokenInAnyOrder() throws Exception {
        start(64);
        List<Probe> probes = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            Probe probe = Probe.nop();
            probe.arg = 1000 + i;
            loop.submit(probe);
            probes.add(probe);
        }
        List<Flight> flights = new ArrayList<>(driver.awaitInFlight(40));
        Collections.shuffle(flights, new Random(3));
        flights.forEach(flight -> driver.complete(flight, flight.operation().arg));
        for (Probe probe : probes) {
            assertThat(probe.await()).isEqualTo(probe.arg);
        }
    }

    @Test
    void neverGivesOutTheSameTokenTwice() throws Exception {
        start(new ScriptedDriver(8), 1024);
        List<Long> tokens = Collections.synchronizedList(new ArrayList<>());
        driver.script(flight -> {
            tokens.add(flight.token());
            return OptionalInt.of(0);
        });
        for (int i = 0; i < 500; i++) {
            submitted().await();
        }
        assertThat(tokens).doesNotHaveDuplicates();
    }

    @Test
    void endsEverythingWhenACompletionOfNobodyArrives() throws Exception {
        start(8);
        List<Probe> probes = List.of(submitted(), submitted());
        driver.awaitInFlight(2);
        driver.completeToken(0x7777_0005L, 0);
        for (Probe probe : probes) {
            assertThat(probe.await()).isEqualTo(-Errno.ECANCELED);
        }
        assertThat(submitted().await()).isEqualTo(-Errno.ECANCELED);
        assertThat(loop.isClosing()).isTrue();
    }

    @Test
    void endsEverythingWhenACompletionArrivesTwice() throws Exception {
        start(8);
        Probe first = submitted();
        Probe other = submitted();
        Flight flight = driver.awaitInFlight(2).get(0);
        driver.complete(flight, 5);
        assertThat(first.await()).isEqualTo(5);
        driver.complete(flight, 5);
        assertThat(other.await()).isEqualTo(-Errno.ECANCELED);
        assertThat(first.outcomes()).isEqualTo(1);
    }

    @Test
    void endsEverythingWhenATurnFails() throws Exception {
        start(8);
        List<Probe> probes = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            probes.add(submitted());
        }
        driver.awaitInFlight(7);
        driver.breakTurns(Errno.EBADF);
        for (Probe probe : probes) {
            assertThat(probe.await()).isEqualTo(-Errno.ECANCELED);
            assertThat(probe.outcomes()).isEqualTo(1);
        }
        loop.close();
    }

    @Test
    void endsEverythingAlsoWhenTheDriverCannotBeFreed() throws Exception {
        start(8);
        driver.failDestroy(new IllegalStateException("scripted"));
        Probe probe = Probe.nop();
        probe.length = 4096;
        loop.submit(probe);
        driver.awaitInFlight(1);
        driver.breakTurns(Errno.EBADF);
        assertThat(probe.await()).isEqualTo(-Errno.ECANCELED);
        assertThat(probe.isMemoryKept()).as("nobody knows who writes to it").isTrue();
        assertThat(loop.failure()).contains("EBADF");
    }

    @Test
    void leavesTheEndToAnotherThreadWhereItsOwnHoldsTheDriver() throws Exception {
        start(8);
        driver.holdByItsThread();
        Probe probe = submitted();
        driver.awaitInFlight(1);
        driver.breakTurns(Errno.EPERM);
        assertThat(probe.await()).isEqualTo(-Errno.ECANCELED);
        loop.close();
        assertThat(probe.isMemoryKept()).isFalse();
        assertThat(loop.failure()).contains("EPERM");
        Probe late = submitted();
        assertThat(late.await()).isEqualTo(-Errno.ECANCELED);
        assertThat(late.outcomes() + probe.outcomes()).isEqualTo(2);
    }

    @Test
    void refusesWhatIsStillPending() throws Exception {
        start(8);
        Probe probe = submitted();
        driver.awaitInFlight(1);
        assertThatThrownBy(() -> loop.submit(probe)).isInstanceOf(IllegalStateException.class);
        driver.complete(driver.awaitInFlight(1).get(0), 0);
        assertThat(probe.await()).isZero();
    }

    @Test
    void refusesOnlyTheOperationThatCannotBeSaid() throws Exception {
        start(8);
        driver.script(flight -> {
            if (flight.operation().arg == 13) {
                throw new IllegalArgumentException("scripted");
            }
            return OptionalInt.of(0);
        });
        Probe bad = Probe.nop();
        bad.arg = 13;
        loop.submit(bad);
        assertThat(bad.await()).isEqualTo(-Errno.EINVAL);
        assertThat(submitted().await()).isZero();
    }

    // ------------------------------------------------------------------ handlers

    @Test
    void goesOnAfterAHandlerThatThrows() throws Exception {
        start(new ScriptedDriver(8, flight -> OptionalInt.of(0)), 64);
        Probe thrower = new Probe(OpCode.NOP) {
            @Override
            protected void completed(int result) {
                super.completed(result);
                throw new IllegalStateException("a handler's fault");
            }
        };
        loop.submit(thrower);
        assertThat(thrower.await()).isZero();
        Probe failing = new Probe(OpCode.NOP) {
            @Override
            protected void completed(int result) {
                super.completed(result);
                throw new StackOverflowError("a handler's worse fault");
            }
        };
        loop.submit(failing);
        assertThat(failing.await()).isZero();
        assertThat(submitted().await()).isZero();
        assertThat(loop.handlerErrors()).isEqualTo(2);
    }

    @Test
    void handsTheOperationsOfHandlersInWithTheSameTurn() throws Exception {
        start(64);
        List<Probe> next = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            next.add(Probe.nop());
        }
        for (Probe following : next) {
            loop.submit(new Probe(OpCode.NOP) {
                @Override
                protected void completed(int result) {
                    loop.submit(following);
                }
            });
        }
        List<Flight> flights = driver.awaitInFlight(5);
        CountDownLatch reaped = new CountDownLatch(1);
        // All five completions in one turn, whose handlers submit five operations, which the next turn carries at once.
        loop.execute(() -> {
            flights.forEach(flight -> driver.complete(flight, 0));
            reaped.countDown();
        });
        reaped.await();
        driver.awaitInFlight(5);
        assertThat(driver.stagedPerTurn()).contains(5);
        driver.awaitInFlight(5).forEach(flight -> driver.complete(flight, 0));
        for (Probe probe : next) {
            assertThat(probe.await()).isZero();
        }
    }

    @Test
    void letsAHandlerUseItsOperationAgain() throws Exception {
        start(new ScriptedDriver(8, flight -> OptionalInt.of(0)), 64);
        AtomicInteger rounds = new AtomicInteger();
        CountDownLatch end = new CountDownLatch(1);
        loop.submit(new Operation() {
            @Override
            protected void completed(int result) {
                if (rounds.incrementAndGet() < 1000) {
                    loop.submit(this);
                } else {
                    end.countDown();
                }
            }
        });
        assertThat(end.await(20, TimeUnit.SECONDS)).isTrue();
    }

    // ------------------------------------------------------------------ cancelling

    @Test
    void cancelsWhatWaitsForASlotWithoutTheDriver() throws Exception {
        start(8);
        List<Probe> inSlots = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            inSlots.add(submitted());
        }
        driver.awaitInFlight(7);
        Probe waiting = submitted();
        loop.cancel(waiting);
        assertThat(waiting.await()).isEqualTo(-Errno.ECANCELED);
        assertThat(waiting.outcomes()).isEqualTo(1);
        driver.awaitInFlight(7).forEach(flight -> driver.complete(flight, 0));
        for (Probe probe : inSlots) {
            assertThat(probe.await()).isZero();
        }
    }

    @Test
    void cancelsWhatIsInFlightOnce() throws Exception {
        start(8);
        Probe probe = submitted();
        driver.awaitInFlight(1);
        loop.cancel(probe);
        loop.cancel(probe);
        assertThat(probe.await()).isEqualTo(-Errno.ECANCELED);
        loop.cancel(probe);
        Probe later = submitted();
        driver.complete(driver.awaitInFlight(1).get(0), 3);
        assertThat(later.await()).isEqualTo(3);
        assertThat(probe.outcomes()).isEqualTo(1);
    }

    @Test
    void keepsTheResultThatWasFasterThanItsCancel() throws Exception {
        start(8);
        driver.refuseCancels();
        Probe probe = submitted();
        Flight flight = driver.awaitInFlight(1).get(0);
        loop.cancel(probe);
        assertThat(probe.isDone()).isFalse();
        driver.complete(flight, 4096);
        assertThat(probe.await()).isEqualTo(4096);
        assertThat(probe.outcomes()).isEqualTo(1);
    }

    @Test
    void cancelsThoughEverySlotIsTakenAndOthersWaitInLine() throws Exception {
        start(8);
        List<Probe> all = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            all.add(submitted());
        }
        driver.awaitInFlight(7);
        loop.cancel(all.get(0));
        assertThat(all.get(0).await()).isEqualTo(-Errno.ECANCELED);
        loop.close();
        for (Probe probe : all) {
            assertThat(probe.await()).isEqualTo(-Errno.ECANCELED);
        }
    }

    @Test
    void cancelsFromAHandlerWhatIsStillInTheInbox() throws Exception {
        start(8);
        Probe queued = Probe.nop();
        CountDownLatch inHandler = new CountDownLatch(1);
        CountDownLatch enqueued = new CountDownLatch(1);
        loop.execute(() -> {
            inHandler.countDown();
            await(enqueued);
            loop.cancel(queued);
        });
        inHandler.await();
        loop.submit(queued);
        enqueued.countDown();
        assertThat(queued.await()).isEqualTo(-Errno.ECANCELED);
        assertThat(driver.inFlight()).isZero();
    }

    @Test
    void repeatsOnceACancellationThatNobodyAskedFor() throws Exception {
        start(8);
        Probe probe = submitted();
        driver.complete(driver.awaitInFlight(1).get(0), -Errno.ECANCELED);
        driver.complete(driver.awaitInFlight(1).get(0), 9);
        assertThat(probe.await()).isEqualTo(9);
        Probe twice = submitted();
        driver.complete(driver.awaitInFlight(1).get(0), -Errno.ECANCELED);
        driver.complete(driver.awaitInFlight(1).get(0), -Errno.ECANCELED);
        assertThat(twice.await()).isEqualTo(-Errno.ECANCELED);
        assertThat(twice.outcomes()).isEqualTo(1);
    }

    @Test
    void repeatsWhatWasInterrupted() throws Exception {
        start(8);
        Probe probe = submitted();
        for (int i = 0; i < 5; i++) {
            driver.complete(driver.awaitInFlight(1).get(0), -Errno.EINTR);
        }
        driver.complete(driver.awaitInFlight(1).get(0), 1);
        assertThat(probe.await()).isEqualTo(1);
    }

    @Test
    void saysCancelledWhereTheKernelSaysThatACancelledOperationWasInterrupted() throws Exception {
        start(8);
        driver.refuseCancels();
        Probe probe = submitted();
        Flight flight = driver.awaitInFlight(1).get(0);
        CountDownLatch asked = new CountDownLatch(1);
        loop.cancel(probe);
        loop.execute(asked::countDown);
        asked.await();
        driver.complete(flight, -Errno.EINTR);
        assertThat(probe.await()).isEqualTo(-Errno.ECANCELED);
    }

    // ------------------------------------------------------------------ sleeping and waking

    @Test
    void sleepsWithoutATurnWhileNothingHappens() throws Exception {
        start(new ScriptedDriver(8, flight -> OptionalInt.of(0)), 64);
        submitted().await();
        loop.stats();
        int settled = driver.turns();
        // What would spin has turned thousands of times by then; the count is what is asserted, not the time.
        for (int i = 0; i < 20; i++) {
            java.util.concurrent.locks.LockSupport.parkNanos(10_000_000);
        }
        assertThat(driver.turns() - settled).isLessThanOrEqualTo(2);
    }

    @Test
    void losesNoWakeUp() throws Exception {
        start(new ScriptedDriver(8, flight -> OptionalInt.of(0)), 64);
        int threads = 4;
        int rounds = 20_000;
        AtomicInteger outcomes = new AtomicInteger();
        List<Thread> callers = new ArrayList<>();
        AtomicBoolean failed = new AtomicBoolean();
        for (int t = 0; t < threads; t++) {
            Thread caller = new Thread(() -> {
                try {
                    // Each waits for its own outcome, so that the engine goes to sleep again and again.
                    for (int i = 0; i < rounds; i++) {
                        Probe probe = submitted();
                        probe.await();
                        outcomes.incrementAndGet();
                    }
                } catch (InterruptedException | AssertionError e) {
                    failed.set(true);
                }
            });
            callers.add(caller);
            caller.start();
        }
        for (Thread caller : callers) {
            caller.join();
        }
        assertThat(failed).isFalse();
        assertThat(outcomes).hasValue(threads * rounds);
    }

    // ------------------------------------------------------------------ closing

    @Test
    void closesThoughEverySlotHoldsWhatNeverEnds() throws Exception {
        start(8);
        List<Probe> all = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Probe probe = new Probe(OpCode.TIMEOUT);
            loop.submit(probe);
            all.add(probe);
        }
        driver.awaitInFlight(7);
        loop.close();
        for (Probe probe : all) {
            assertThat(probe.await()).isEqualTo(-Errno.ECANCELED);
            assertThat(probe.outcomes()).isEqualTo(1);
        }
    }

    @Test
    void closesTwiceAndFromTwoThreads() throws Exception {
        start(8);
        Probe probe = submitted();
        Flight flight = driver.awaitInFlight(1).get(0);
        CyclicBarrier barrier = new CyclicBarrier(2);
        Thread other = new Thread(() -> {
            try {
                barrier.await();
                loop.close();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        other.start();
        barrier.await();
        driver.complete(flight, 11);
        loop.close();
        other.join();
        loop.close();
        assertThat(probe.await()).isIn(11, -Errno.ECANCELED);
    }

    @Test
    void touchesNoDriverThatIsFreed() throws Exception {
        for (int round = 0; round < 300; round++) {
            ScriptedDriver scripted = new ScriptedDriver(8, flight -> OptionalInt.of(0));
            EngineLoop closing = EngineLoop.start("millrace-engine-test", 64, () -> scripted);
            List<Probe> probes = Collections.synchronizedList(new ArrayList<>());
            CyclicBarrier barrier = new CyclicBarrier(3);
            List<Thread> submitters = new ArrayList<>();
            for (int t = 0; t < 2; t++) {
                Thread submitter = new Thread(() -> {
                    try {
                        barrier.await();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                    for (int i = 0; i < 20; i++) {
                        Probe probe = Probe.nop();
                        closing.submit(probe);
                        probes.add(probe);
                        closing.sampleKernelWorkers();
                    }
                });
                submitter.start();
                submitters.add(submitter);
            }
            barrier.await();
            closing.close();
            closing.close();
            closing.stats();
            for (Thread submitter : submitters) {
                submitter.join();
            }
            for (Probe probe : probes) {
                assertThat(probe.await()).isIn(0, -Errno.ECANCELED);
                assertThat(probe.outcomes()).isEqualTo(1);
            }
            assertThat(scripted.callsAfterDestroy()).isZero();
        }
    }

    @Test
    void answersOnceWhenCancelsAndTheEndOfABrokenEngineRace() throws Exception {
        for (int round = 0; round < 200; round++) {
            ScriptedDriver scripted = new ScriptedDriver(8);
            EngineLoop breaking = EngineLoop.start("millrace-engine-test", 64, () -> scripted);
            List<Probe> probes = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                Probe probe = Probe.nop();
                breaking.submit(probe);
                probes.add(probe);
            }
            scripted.awaitInFlight(7);
            Thread canceller = new Thread(() -> probes.forEach(breaking::cancel));
            canceller.start();
            scripted.breakTurns(Errno.EIO);
            canceller.join();
            breaking.close();
            for (Probe probe : probes) {
                assertThat(probe.await()).isEqualTo(-Errno.ECANCELED);
                assertThat(probe.outcomes()).isEqualTo(1);
            }
        }
    }

    @Test
    void releasesCallersThatWaitForAPlaceWhenItCloses() throws Exception {
        start(new ScriptedDriver(8), 8);
        List<Probe> probes = Collections.synchronizedList(new ArrayList<>());
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            Thread caller = new Thread(() -> probes.add(submitted()));
            caller.start();
            callers.add(caller);
        }
        driver.awaitInFlight(7);
        // They are not sockets, so close would let them end; nothing but the grace ends them here.
        loop.close();
        for (Thread caller : callers) {
            caller.join();
        }
        for (Probe probe : probes) {
            assertThat(probe.await()).isEqualTo(-Errno.ECANCELED);
        }
    }

    @Test
    void refusesToBeClosedFromItsOwnThread() throws Exception {
        start(8);
        AtomicBoolean refused = new AtomicBoolean();
        CountDownLatch done = new CountDownLatch(1);
        loop.execute(() -> {
            try {
                loop.close();
            } catch (IllegalStateException e) {
                refused.set(true);
            }
            done.countDown();
        });
        done.await();
        assertThat(refused).isTrue();
    }

    @Test
    void tellsWhyItCouldNotStart() {
        assertThatThrownBy(() -> EngineLoop.start("millrace-engine-test", 8, () -> {
                    throw new IllegalStateException("no such engine here");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("no such engine here");
    }

    @Test
    void isNotCutShortByAnInterrupt() throws Exception {
        start(8);
        Probe probe = submitted();
        driver.awaitInFlight(1);
        AtomicBoolean kept = new AtomicBoolean();
        Thread closer = new Thread(() -> {
            Thread.currentThread().interrupt();
            loop.close();
            kept.set(Thread.currentThread().isInterrupted() && driver.isDestroyed());
        });
        closer.start();
        closer.join();
        assertThat(kept).isTrue();
        assertThat(probe.await()).isEqualTo(-Errno.ECANCELED);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
