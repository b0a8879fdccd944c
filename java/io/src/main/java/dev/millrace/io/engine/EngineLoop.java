// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine thread: one long-lived daemon thread that alone makes, turns and destroys a {@link Driver}. Each turn takes
 * what callers put into the inbox and what handlers submitted, gives it to the driver in one crossing, waits, and calls
 * the handlers of what is complete.
 *
 * <p><b>Bounds.</b> At most {@link Driver#slots} operations are in flight; the others wait in order in {@code ready}.
 * One slot is kept for cancelling, which goes before all that waits: slots full of what never ends by itself could
 * otherwise not be emptied.
 * Callers on other threads hold a place in line each; when all places are taken they park in {@link #submit}.
 *
 * <p><b>Waking.</b> The thread announces that it is about to sleep and then looks at the inbox once more; a caller puts
 * its operation in first and looks at the announcement second. One of the two sees the other, so no wake-up is lost, and
 * a busy engine is never woken.
 *
 * <p><b>States</b> of an operation: IDLE, QUEUED (in the inbox), READY (in line for a slot), IN_FLIGHT (in a slot; its
 * memory belongs to the kernel), then IDLE again just before its handler runs.
 */
public final class EngineLoop {
    private static final Logger LOG = LoggerFactory.getLogger(EngineLoop.class);

    private static final int AWAKE = 0;
    private static final int SLEEPING = 1;
    private static final int SLOT_BITS = 16;
    private static final int SLOT_MASK = (1 << SLOT_BITS) - 1;
    /** How long close lets file operations end by themselves before it cancels those too (a read of a FIFO). */
    private static final long CLOSE_GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** What the kernel may write to for as long as the process lives: never to be collected. */
    private static final Queue<ByteBuffer> KEPT = new ConcurrentLinkedQueue<>();

    private final MpscUnboundedAtomicArrayQueue<Operation> inbox = new MpscUnboundedAtomicArrayQueue<>(1024);
    private final AtomicInteger sleeping = new AtomicInteger(AWAKE);
    private final Semaphore places;
    private final int placeCount;
    /** Whose operations these are; after it has ended perhaps the one that ends them. */
    private volatile Thread thread;

    private final String name;
    private final Driver driver;
    private final LongAdder handlerErrors = new LongAdder();
    private final ReentrantReadWriteLock driverLock = new ReentrantReadWriteLock();
    /** Set when the driver is about to be freed: a call after that would touch freed memory. */
    private boolean driverGone;

    // Engine thread only.
    private final Operation[] slots;
    private final int[] freeSlots;
    private final int keptForCancels;
    private final ArrayDeque<Cancel> cancels = new ArrayDeque<>();
    private int freeCount;
    private long sequence;
    private Operation readyHead;
    private Operation readyTail;
    private boolean closeBegun;
    private long closeDeadline;
    private boolean everythingCancelled;
    private long overflowsNoted;
    /** Null until the close begins, and where there is no JFR. */
    private EngineClosedEvent closeEvent;

    private int inFlightAtClose;
    private int droppedAtClose;
    private int cancelledAtClose;

    private volatile boolean closing;
    private volatile String failure = "";
    private volatile boolean terminated;
    private volatile long[] lastStats = new long[16];
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private final Object lateLock = new Object();

    private EngineLoop(Thread thread, Driver driver, int places) {
        this.thread = thread;
        this.name = thread.getName();
        this.driver = driver;
        this.placeCount = places;
        this.places = new Semaphore(places);
        int count = Math.min(driver.slots(), SLOT_MASK + 1);
        slots = new Operation[count];
        freeSlots = new int[count];
        for (int i = 0; i < count; i++) {
            freeSlots[i] = count - 1 - i;
        }
        freeCount = count;
        keptForCancels = count > 1 ? 1 : 0;
    }

    /**
     * Starts an engine thread. The driver is made on it, since the kernel ties a ring to the thread that enters it.
     *
     * @param name of the thread
     * @param places callers that may wait in line, at most
     * @param factory makes the driver; what it throws is thrown here
     */
    public static EngineLoop start(String name, int places, Supplier<Driver> factory) {
        CompletableFuture<EngineLoop> started = new CompletableFuture<>();
        Thread thread = new EngineThread(
                () -> {
                    EngineLoop loop;
                    try {
                        loop = new EngineLoop(Thread.currentThread(), factory.get(), places);
                    } catch (Throwable t) {
                        started.completeExceptionally(t);
                        return;
                    }
                    started.complete(loop);
                    loop.run();
                },
                name);
        thread.start();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return started.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof RuntimeException runtime) {
                        throw runtime;
                    }
                    if (e.getCause() instanceof Error error) {
                        throw error;
                    }
                    throw new IllegalStateException(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** True on this engine thread. */
    public boolean isEngineThread() {
        return Thread.currentThread() == thread;
    }

    /** True on any engine thread, where nothing may block: not for another ring either, which could wait for this one. */
    public static boolean isAnyEngineThread() {
        return Thread.currentThread() instanceof EngineThread;
    }

    /** The thread's name. */
    public String name() {
        return name;
    }

    /** The driver, for its thread-safe parts. */
    public Driver driver() {
        return driver;
    }

    /** True from the start of {@link #close}. */
    public boolean isClosing() {
        return closing;
    }

    /** Why the engine ended by itself, as a sentence without its stop; empty where it did not. */
    public String failure() {
        return failure;
    }

    /** Handlers that threw; each was logged. */
    public long handlerErrors() {
        return handlerErrors.sum();
    }

    /** Callers' operations that are queued, in line or in flight. */
    public int pendingFromCallers() {
        return placeCount - places.availablePermits();
    }

    /**
     * Hands an operation to the engine. On the engine thread it joins the next turn; on that of another ring it joins the
     * line, without a place, since two rings could else wait for each other's. On any other thread it takes a place in line
     * first, and parks while there is none. Once the engine closes, the operation completes with -ECANCELED.
     */
    public void submit(Operation operation) {
        if (operation.state != Operation.IDLE) {
            throw new IllegalStateException(OpCode.name(operation.code) + " was submitted while it is still pending");
        }
        operation.cancelRequested = false;
        operation.repeated = false;
        operation.memoryKept = false;
        operation.event = JfrEvents.ARE_THERE && OperationEvent.isOn() ? OperationEvent.begun() : null;
        if (isEngineThread()) {
            operation.holdsPlace = false;
            accept(operation);
            return;
        }
        operation.holdsPlace = !isAnyEngineThread();
        if (operation.holdsPlace) {
            places.acquireUninterruptibly();
        }
        enqueue(operation);
    }

    /**
     * Asks that an operation stop. It completes as before, once: with -ECANCELED, or with its result where it was
     * faster. Asking twice, or after completion, does nothing.
     */
    public void cancel(Operation operation) {
        execute(() -> cancelOnLoop(operation));
    }

    /** Runs an action on the engine thread: at once there, else in the next turn, or here once the engine is gone. */
    public void execute(Runnable action) {
        if (isEngineThread()) {
            action.run();
        } else {
            Task task = new Task(action);
            task.state = Operation.QUEUED;
            enqueue(task);
        }
    }

    /** Runs an action on the engine thread with the driver; {@code otherwise} where that is freed, or about to be. */
    public void executeWithDriver(Consumer<Driver> action, Runnable otherwise) {
        execute(() -> {
            if (isEngineThread() && !driverGone) {
                action.accept(driver);
            } else {
                otherwise.run();
            }
        });
    }

    private void enqueue(Operation operation) {
        operation.state = Operation.QUEUED;
        inbox.add(operation);
        if (sleeping.get() == SLEEPING && sleeping.compareAndSet(SLEEPING, AWAKE)) {
            wake();
        }
        if (terminated) {
            finishLate();
        }
    }

    /** Rings the driver, unless it is freed or about to be; whoever woke it may come late. */
    private void wake() {
        driverLock.readLock().lock();
        try {
            if (!driverGone) {
                driver.wake();
            }
        } finally {
            driverLock.readLock().unlock();
        }
    }

    /** Counts the kernel's workers now, as long as the engine lives. */
    public void sampleKernelWorkers() {
        driverLock.readLock().lock();
        try {
            if (!driverGone) {
                driver.sampleKernelWorkers();
            }
        } finally {
            driverLock.readLock().unlock();
        }
    }

    /** After the thread has ended, whoever finds something in the inbox ends it: nothing is ever left without a result. */
    private void finishLate() {
        synchronized (lateLock) {
            Operation operation;
            while ((operation = inbox.poll()) != null) {
                finish(operation, -Errno.ECANCELED);
            }
        }
    }

    /** Counters in the order of {@code struct mr_engine_stats}; the last ones once the engine is closed. */
    public long[] stats() {
        if (terminated || isEngineThread()) {
            return terminated || driverGone ? lastStats.clone() : driver.stats();
        }
        CompletableFuture<long[]> answer = new CompletableFuture<>();
        execute(() -> answer.complete(terminated ? lastStats.clone() : driver.stats()));
        return answer.join();
    }

    /** Begins what {@link #close} does and does not wait for its end. Any thread, the engine's too. */
    public void beginClose() {
        closing = true;
        wake();
    }

    /** Runs an action when the close is done and the last counters stand: on a thread that must not block, or here. */
    public void whenClosed(Runnable action) {
        end.thenRun(action);
    }

    /**
     * Closes: refuses new work, lets file operations end, cancels what may never end, waits until the kernel has let go
     * of everything, then frees the driver. Any thread but the engine's, any number of times; each call returns when it
     * is done. An interrupt does not cut it short, since buffers are still the kernel's.
     */
    public void close() {
        if (isEngineThread()) {
            throw new IllegalStateException("an engine cannot be closed from its own thread: it would wait for itself");
        }
        beginClose();
        boolean interrupted = false;
        while (true) {
            try {
                // The wake-up is repeated because the thread may just have been between its look and its sleep.
                end.get(100, TimeUnit.MILLISECONDS);
                break;
            } catch (TimeoutException e) {
                wake();
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                break; // `end` never completes exceptionally
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // ------------------------------------------------------------------ engine thread

    private void run() {
        try {
            while (!(closing && drained())) {
                turn();
            }
        } catch (TurnFailedException e) {
            LOG.error("{}; everything in flight is ended", e.getMessage());
            failure = e.getMessage();
            closing = true;
        } catch (Throwable t) {
            LOG.error("The engine thread {} failed; everything in flight is ended", name, t);
            failure = "the engine failed: " + t;
            closing = true;
        }
        // From here on a handler that submits is answered at once.
        closeBegun = true;
        sleeping.set(AWAKE);
        boolean freed = freeDriver();
        if (!freed && driver.endsWithItsThread()) {
            Thread last = new EngineThread(() -> endAll(destroyDriver()), name + "-end");
            thread = last;
            try {
                last.start();
                return;
            } catch (Throwable t) {
                LOG.error("There is no thread to wait for the end of {}; its memory is kept", last.getName(), t);
                thread = Thread.currentThread();
            }
        }
        endAll(freed);
    }

    /** Answers all that has no answer yet. {@code freed}: the kernel has let go of what a failed turn left behind. */
    private void endAll(boolean freed) {
        for (int slot = 0; slot < slots.length; slot++) {
            Operation operation = slots[slot];
            if (operation != null) {
                slots[slot] = null;
                if (!freed) {
                    operation.memoryKept = true;
                    KEPT.add(operation.memory);
                }
                finish(operation, -Errno.ECANCELED);
            }
        }
        // Before the announcement: from then on other threads end what they find, cancels of these operations too.
        dropReady();
        if (closeEvent != null) {
            closeEvent.engine = name;
            closeEvent.inFlight = inFlightAtClose;
            closeEvent.dropped = droppedAtClose;
            closeEvent.cancelled = cancelledAtClose;
            closeEvent.commit();
        }
        terminated = true;
        finishLate();
        end.complete(null);
    }

    private boolean freeDriver() {
        try {
            driver.sampleKernelWorkers();
            lastStats = driver.stats();
        } catch (Throwable t) {
            LOG.error("The last counters of the engine {} could not be read", name, t);
        }
        driverLock.writeLock().lock();
        try {
            driverGone = true;
        } finally {
            driverLock.writeLock().unlock();
        }
        return destroyDriver();
    }

    private boolean destroyDriver() {
        try {
            driver.destroy();
            return true;
        } catch (Throwable t) {
            if (!driver.endsWithItsThread()) {
                LOG.error("The engine {} could not be freed; its memory is kept", name, t);
            }
            return false;
        }
    }

    private boolean drained() {
        return closeBegun && freeCount == slots.length && readyHead == null && inbox.isEmpty();
    }

    private void turn() {
        Operation incoming;
        while ((incoming = inbox.poll()) != null) {
            accept(incoming);
        }
        if (closing) {
            advanceClose();
        }
        stageReady();
        long timeout = closing ? TimeUnit.MILLISECONDS.toNanos(50) : -1;
        if (closing && drained()) {
            return;
        }
        sleeping.set(SLEEPING);
        if (!inbox.isEmpty() || (closing && !closeBegun)) {
            timeout = 0;
        }
        int completions = driver.turn(timeout);
        sleeping.set(AWAKE);
        if (completions < 0) {
            throw new TurnFailedException(driver.failedTurn(-completions));
        }
        for (int i = 0; i < completions; i++) {
            complete(driver.token(i), driver.result(i));
        }
        if (JfrEvents.ARE_THERE && CompletionOverflowEvent.isOn()) {
            noteOverflows();
        }
    }

    private void noteOverflows() {
        long overflows = driver.stats()[EngineCounters.OVERFLOWS];
        if (overflows > overflowsNoted) {
            overflowsNoted = overflows;
            CompletionOverflowEvent event = new CompletionOverflowEvent();
            event.engine = name;
            event.overflows = overflows;
            event.commit();
        }
    }

    private void accept(Operation operation) {
        if (operation instanceof Task) {
            finish(operation, 0);
        } else if (operation.cancelRequested || (closing && closeBegun)) {
            finish(operation, -Errno.ECANCELED);
        } else {
            operation.state = Operation.READY;
            operation.previous = readyTail;
            if (readyTail == null) {
                readyHead = operation;
            } else {
                readyTail.next = operation;
            }
            readyTail = operation;
        }
    }

    private void stageReady() {
        while (freeCount > 0 && !cancels.isEmpty()) {
            Cancel cancel = cancels.poll();
            if (isInFlight(cancel.extra)) {
                stage(cancel);
            }
        }
        while (freeCount > keptForCancels && readyHead != null) {
            Operation operation = readyHead;
            unlink(operation);
            stage(operation);
        }
    }

    private void stage(Operation operation) {
        int slot = freeSlots[--freeCount];
        slots[slot] = operation;
        operation.token = (sequence++ << SLOT_BITS) | slot;
        operation.state = Operation.IN_FLIGHT;
        if (operation.event != null) {
            operation.event.staged();
        }
        try {
            driver.stage(operation, slot, operation.token);
        } catch (RuntimeException e) {
            // A request that cannot be said (a path that is null) must not strand the others.
            LOG.error("A {} could not be handed to the driver", OpCode.name(operation.code), e);
            slots[slot] = null;
            freeSlots[freeCount++] = slot;
            finish(operation, -Errno.EINVAL);
        }
    }

    private boolean isInFlight(long token) {
        int slot = (int) (token & SLOT_MASK);
        return slot < slots.length && slots[slot] != null && slots[slot].token == token;
    }

    private void unlink(Operation operation) {
        if (operation.previous == null) {
            readyHead = operation.next;
        } else {
            operation.previous.next = operation.next;
        }
        if (operation.next == null) {
            readyTail = operation.previous;
        } else {
            operation.next.previous = operation.previous;
        }
        operation.previous = null;
        operation.next = null;
    }

    private void complete(long token, int result) {
        int slot = (int) (token & SLOT_MASK);
        Operation operation = slot < slots.length ? slots[slot] : null;
        if (operation == null || operation.token != token) {
            throw new IllegalStateException("a completion came for operation " + Long.toHexString(token)
                    + ", which is not in flight: the engine's accounts are wrong");
        }
        slots[slot] = null;
        freeSlots[freeCount++] = slot;
        if (mustRepeat(operation, result)) {
            accept(operation);
            return;
        }
        if (result >= 0) {
            driver.collect(operation, slot);
        }
        // An interrupted operation that is not to be repeated is one that was asked to stop.
        finish(operation, result == -Errno.EINTR ? -Errno.ECANCELED : result);
    }

    /** EINTR never reaches a user; a cancellation that nobody asked for (a signal, a profiler) is tried once more. */
    private boolean mustRepeat(Operation operation, int result) {
        if (operation.cancelRequested || closing) {
            return false;
        }
        if (result == -Errno.EINTR) {
            return true;
        }
        if (result == -Errno.ECANCELED && !operation.repeated) {
            operation.repeated = true;
            return true;
        }
        return false;
    }

    private void finish(Operation operation, int result) {
        boolean heldPlace = operation.holdsPlace;
        operation.holdsPlace = false;
        operation.state = Operation.IDLE;
        if (heldPlace) {
            places.release();
        }
        if (operation.event != null) {
            operation.event.completed(operation, result);
            operation.event = null;
        }
        try {
            operation.completed(result);
        } catch (Throwable t) {
            handlerErrors.increment();
            LOG.error("A handler of {} threw; the engine goes on", OpCode.name(operation.code), t);
        }
    }

    private void cancelOnLoop(Operation operation) {
        switch (operation.state) {
            case Operation.READY -> {
                unlink(operation);
                finish(operation, -Errno.ECANCELED);
            }
            case Operation.IN_FLIGHT -> askToStop(operation);
            // Still in the inbox, where a handler's cancel overtakes it: ended when it comes out.
            case Operation.QUEUED -> operation.cancelRequested = true;
            default -> {
                // Complete already.
            }
        }
    }

    private void askToStop(Operation operation) {
        if (!operation.cancelRequested) {
            operation.cancelRequested = true;
            cancels.add(new Cancel(operation.token));
        }
    }

    private void advanceClose() {
        if (!closeBegun) {
            closeBegun = true;
            inFlightAtClose = slots.length - freeCount;
            if (JfrEvents.ARE_THERE) {
                closeEvent = new EngineClosedEvent();
                closeEvent.begin();
            }
            closeDeadline = System.nanoTime() + CLOSE_GRACE_NANOS;
            dropReady();
            cancelInFlight(false);
        } else if (!everythingCancelled && System.nanoTime() - closeDeadline > 0) {
            everythingCancelled = true;
            cancelInFlight(true);
        }
    }

    private void dropReady() {
        while (readyHead != null) {
            Operation operation = readyHead;
            unlink(operation);
            droppedAtClose++;
            finish(operation, -Errno.ECANCELED);
        }
    }

    private void cancelInFlight(boolean all) {
        for (Operation operation : slots) {
            if (operation != null && operation.code != OpCode.CANCEL && (all || OpCode.mayNeverEnd(operation.code))) {
                cancelledAtClose += operation.cancelRequested ? 0 : 1;
                askToStop(operation);
            }
        }
    }

    /** An action for the engine thread in an operation's clothes, so that one inbox keeps the order. */
    private static final class Task extends Operation {
        private final Runnable action;

        Task(Runnable action) {
            this.action = action;
        }

        @Override
        protected void completed(int result) {
            action.run();
        }
    }

    private static final class TurnFailedException extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        TurnFailedException(String message) {
            super(message);
        }
    }

    private static final class Cancel extends Operation {
        Cancel(long target) {
            code = OpCode.CANCEL;
            extra = target;
        }

        @Override
        protected void completed(int result) {
            // The cancelled operation tells its own outcome.
        }
    }
}
