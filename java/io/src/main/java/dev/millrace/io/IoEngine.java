// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.Driver;
import dev.millrace.io.engine.EngineCounters;
import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.FileStat;
import dev.millrace.io.engine.JfrEvents;
import dev.millrace.io.engine.OpenFlag;
import dev.millrace.io.engine.PoolMemory;
import dev.millrace.io.engine.Syscalls;
import dev.millrace.io.engine.Syscalls.StatResult;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An engine for file I/O with its threads and its pool of {@link OwnedBuffer}s: io_uring, epoll with worker threads, or
 * pure Java, all with one behaviour.
 *
 * <pre>{@code
 * try (IoEngine engine = IoEngine.open(IoEngineConfig.defaults());
 *         VirtualFile file = VirtualFile.open(engine, path, OpenOptions.reading());
 *         OwnedBuffer buffer = engine.buffers().acquire()) {
 *     int count = file.read(buffer, 0, 4096, 0);
 * }
 * }</pre>
 *
 * <p><b>Threads.</b> Everything here may be called from any thread. Blocking calls of platform threads run on those;
 * futures and virtual threads are served by engine threads, one a ring, of which each file has one. Users' futures complete
 * on the configured executor, so that a continuation that blocks stops nobody's I/O.
 *
 * <p><b>Switching.</b> {@link #switchTo} puts another engine in the place of the one that runs, under load and under open
 * files: what has begun ends on the old one, what begins goes to the new one.
 *
 * <p><b>Close</b> is sticky and deterministic: new operations fail with {@link EngineClosedException}, those in flight
 * end, the kernel lets go of every buffer, then memory and threads are freed. Files are closed by their owners.
 */
public final class IoEngine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(IoEngine.class);
    private static final int MAX_REMEMBERED_FOLDERS = 1024;

    private final Foundation foundation;
    private final Lanes lanes;
    private final BufferPool pool;
    private final Syscalls syscalls;
    private final List<Syscalls> syscallsBySeat = new ArrayList<>();
    private final Executor executor;
    private final ThreadPoolExecutor ownExecutor;
    private final ThreadPoolExecutor fileThreads;
    private final FileNames names;
    private final DescriptorCache descriptorCache;
    private final ReentrantLock modeSwitching = new ReentrantLock();
    private volatile IoMode mode = IoMode.DIRECT_RW;
    /** The engine itself, each open file, and each call under way. */
    private final AtomicInteger holders = new AtomicInteger(1);

    private final AtomicBoolean closed = new AtomicBoolean();
    private final Map<String, Boolean> bufferedFolders = new ConcurrentHashMap<>();

    /** Over engine threads that are already there: tests bring drivers of their own. */
    IoEngine(IoEngineConfig config, EngineFactory.Opened opened) {
        this(config, opened, Optional.empty());
    }

    private IoEngine(IoEngineConfig config, EngineFactory.Opened opened, Optional<Executor> files) {
        this.foundation = opened.foundation();
        this.lanes = new Lanes(foundation.memory(), opened.lanes(), config.rings(), opened.source());
        this.pool = new BufferPool(foundation.memory(), lanes::registered, lanes::failure);
        this.syscalls = new ParkingSyscalls(foundation.syscalls(), lanes::hold);
        for (int i = 0; i < config.rings(); i++) {
            syscallsBySeat.add(new ParkingSyscalls(foundation.syscalls(), lanes.seat(i)));
        }
        this.ownExecutor = daemonPool(
                "millrace-futures", Math.max(8, 2 * Runtime.getRuntime().availableProcessors()), Thread::new);
        this.fileThreads = daemonPool("millrace-files", config.workers(), FileThread::new);
        this.executor = config.executor().orElse(ownExecutor);
        this.names = new FileNames(syscalls);
        this.descriptorCache = new DescriptorCache(this, config.descriptors(), files.orElse(fileThreads));
    }

    private static ThreadPoolExecutor daemonPool(String name, int threads, BiFunction<Runnable, String, Thread> maker) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                threads, threads, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), runnable -> {
                    Thread thread = maker.apply(runnable, name + "-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /**
     * Opens an engine.
     *
     * @throws EngineUnavailableException where an engine or binding asked for by name cannot be had
     */
    public static IoEngine open(IoEngineConfig config) throws EngineUnavailableException {
        EngineFactory.Opened opened = EngineFactory.open(config);
        if (JfrEvents.ARE_THERE) {
            EngineOpenedEvent.emit(opened.lanes(), opened.foundation().binding());
        }
        return new IoEngine(config, opened);
    }

    /**
     * An engine over a driver that is brought along, which is made on the engine thread. <b>Not API</b>: for the drivers of
     * tests. It calls itself {@link EngineKind#BLOCKING}.
     *
     * @param files opens and closes descriptors for calls that must not block
     * @throws EngineUnavailableException where the driver has no memory for the pool
     */
    public static IoEngine over(IoEngineConfig config, Supplier<Driver> driver, Executor files)
            throws EngineUnavailableException {
        return new IoEngine(
                config,
                EngineFactory.over(config, driver, () -> PoolMemory.ofJava(config.buffers(), config.bufferSize())),
                Optional.of(files));
    }

    /** Which engine runs. */
    public EngineKind kind() {
        return lanes.current().kind();
    }

    /**
     * Puts another engine in the place of the one that runs, without a pause: operations in flight and in line end where
     * they began, the next ones, also of files that are open, run on the new engine. Returns when that is so; the old
     * engine's last operation closes it, for which nobody waits but {@link #close}. Meanwhile registered memory is charged
     * twice; where RLIMIT_MEMLOCK does not allow that, buffers are registered when the old engine has ended. Switches are
     * made one after the other; to the engine that runs already nothing is done, unless it has failed: then it is made
     * anew.
     *
     * <p>Any thread but an engine's; parks a virtual one.
     *
     * @throws EngineUnavailableException where the asked engine cannot run here, with the reason; nothing has changed then.
     *     Also where this one was opened without native code ({@link IoEngineConfig#withSwitching})
     * @throws EngineClosedException where the engine is closing
     */
    public void switchTo(EngineKind kind) throws IoFailure {
        refuseSwitchOnEngineThread();
        String what = "switch to the engine " + kind.label();
        if (lanes.isClosing() || !tryHold()) { // that the one that runs has failed is a reason to switch
            throw closedException(what, "");
        }
        try {
            EngineKind before = kind();
            if (lanes.switchTo(kind)) {
                Lanes.Started now = lanes.current();
                if (JfrEvents.ARE_THERE) {
                    EngineOpenedEvent.emit(now, foundation.binding());
                }
                LOG.info(
                        "Millrace switched from the engine {} to {}{}{}",
                        before.label(),
                        kind.label(),
                        now.allNotes().isEmpty() ? "" : ": ",
                        String.join("; ", now.allNotes()));
            }
        } catch (EngineUnavailableException e) {
            throw lanes.isClosing() ? closedException(what, "") : e;
        } finally {
            letGo();
        }
    }

    /** Which files that prefer direct I/O have it. */
    public IoMode mode() {
        return mode;
    }

    /**
     * Changes the mode of the files that were opened with {@link DirectMode#PREFERRED} on a file system that has direct I/O,
     * those that are open and those that will be: each is opened anew, by its path, between two of its operations, which wait
     * that long; what was written is synced before. Returns when every next operation follows the mode. Files that keep their
     * descriptor (locked, or without a name) stay as they are. Their {@link VirtualFile#alignment} holds in every mode.
     *
     * <p>Any thread but an engine's; parks a virtual one. A file that cannot be opened again tells its next user why.
     *
     * @throws EngineClosedException where the engine is closing
     */
    public void switchMode(IoMode next) throws EngineClosedException {
        refuseSwitchOnEngineThread();
        holdFor("switch to the mode " + next.label(), "");
        modeSwitching.lock();
        try {
            mode = next; // first: who opens a file now looks after it is among the names
            names.all().forEach(descriptorCache::followMode);
        } finally {
            modeSwitching.unlock();
            letGo();
        }
    }

    private static void refuseSwitchOnEngineThread() {
        if (EngineLoop.isAnyEngineThread()) {
            throw new IllegalStateException("a switch on an engine thread would stop all I/O");
        }
    }

    /** What really runs, and why. */
    public EngineStatus status() {
        Lanes.Started running = lanes.current();
        List<EngineStatus.Ring> rings = new ArrayList<>();
        int slots = 0;
        for (Lane lane : lanes.snapshot()) {
            boolean ending = !running.lanes().contains(lane);
            int slotsOfIt = lane.loop().driver().slots();
            slots += ending ? 0 : slotsOfIt;
            rings.add(new EngineStatus.Ring(
                    lane.loop().name(),
                    lane.kind(),
                    slotsOfIt,
                    lane.registration().buffers(),
                    ending));
        }
        return new EngineStatus(
                running.kind(),
                foundation.binding(),
                slots,
                pool.size(),
                pool.bufferSize(),
                lanes.registered(),
                foundation.memory().hugeBytes(),
                rings,
                lanes.switches(),
                running.allNotes());
    }

    /** What the engine has counted. Kernel workers are counted anew at the call. */
    public EngineCounters counters() {
        return EngineCounters.of(lanes.stats());
    }

    /** What the cache of descriptors has counted. */
    public DescriptorCounters descriptors() {
        return descriptorCache.counters();
    }

    /** The pool of buffers. */
    public BufferPool buffers() {
        return pool;
    }

    /** The engine thread of the first ring that runs. <b>Not API</b>: for handlers within this project. */
    public EngineLoop loop() {
        return lanes.current().lanes().get(0).loop();
    }

    /** Callers' operations that are queued, in line or in flight. <b>Not API</b>: for tests. */
    public int pendingFromCallers() {
        return lanes.snapshot().stream()
                .mapToInt(lane -> lane.loop().pendingFromCallers())
                .sum();
    }

    /** Handlers that threw; each was logged. <b>Not API</b>: for tests. */
    public long handlerErrors() {
        return lanes.handlerErrors();
    }

    // ------------------------------------------------------------------ files by path

    /**
     * Renames a file or folder, replacing what is there unless {@code noReplace}. Durable only after {@link #syncDirectory}.
     * Files of this engine that are open follow: those that are moved, themselves or with a folder above them, have a new
     * {@link VirtualFile#path}, and those that are replaced go on as files without a name.
     *
     * @throws OperationFailedException where the system refuses; or where a file that would be replaced is open and needs a
     *     descriptor to survive that, and there is none: then nothing is renamed
     */
    public void rename(Path from, Path to, boolean noReplace) throws IoFailure {
        String source = PathText.of("rename", from);
        String target = PathText.of("rename", to);
        holdFor("rename", from + " to " + to);
        try {
            int result = names.rename(source, target, noReplace);
            if (result < 0) {
                throw failure("rename", from + " to " + to, -result, 0, true);
            }
        } finally {
            letGo();
        }
    }

    /**
     * Removes a file; one that is not there counts as removed. Where it is open in this engine it goes on as a file without a
     * name.
     *
     * @return whether it was there
     * @throws OperationFailedException where the system refuses; or where it is open and needs a descriptor to survive, and
     *     there is none: then it is not removed
     */
    public boolean deleteIfExists(Path path) throws IoFailure {
        String text = PathText.of("unlink", path);
        holdFor("unlink", text);
        try {
            int result = names.unlink(text);
            if (result < 0 && result != -Errno.ENOENT) {
                throw failure("unlink", text, -result, 0, true);
            }
            return result == 0;
        } finally {
            letGo();
        }
    }

    /**
     * Makes the names in a folder durable: after a rename, a new or a removed file.
     *
     * @throws FatalIoException where that fails, since nobody can say then which names survive a crash
     */
    public void syncDirectory(Path folder) throws IoFailure {
        String path = PathText.of("fsync", folder);
        holdFor("fsync", path);
        try {
            int fd = descriptorCache.openWithRoom(
                    syscalls, path.isEmpty() ? "." : path, OpenFlag.READ | OpenFlag.DIRECTORY, 0);
            if (fd < 0) {
                throw failedFolderSync(path, -fd);
            }
            int result = syscalls.fsync(fd);
            syscalls.close(fd);
            if (result < 0) {
                throw failedFolderSync(path, -result);
            }
        } finally {
            letGo();
        }
    }

    /** That the engine was closed first says nothing about the disk. */
    private IoFailure failedFolderSync(String path, int errno) {
        return errno == Errno.ECANCELED
                ? failure("fsync", path, errno, 0, true)
                : new FatalIoException("fsync", path, errno, "(the folder)");
    }

    /** True where a path names something, symbolic links followed; false where it does not, or nobody can tell. */
    public boolean exists(Path path) throws IoFailure {
        return find(path).isPresent();
    }

    /** What a path names, symbolic links followed; empty where that is nothing, or nobody can tell. */
    Optional<FileStat> find(Path path) throws IoFailure {
        String text = PathText.of("stat", path);
        holdFor("stat", text);
        try {
            StatResult result = syscalls.stat(text);
            if (result.error() == -Errno.ECANCELED) {
                throw failure(
                        "stat", text, Errno.ECANCELED, 0, false); // that the engine closes says nothing of the file
            }
            return result.error() == 0 ? Optional.of(result.stat()) : Optional.empty();
        } finally {
            letGo();
        }
    }

    /**
     * Bytes free for an unprivileged user on a path's file system; {@link Long#MAX_VALUE} where it does not count, as
     * ramfs.
     */
    public long freeBytes(Path path) throws IoFailure {
        String text = PathText.of("statfs", path);
        holdFor("statfs", text);
        try {
            long result = syscalls.freeBytes(text);
            if (result < 0) {
                throw failure("statfs", text, (int) -result, 0, false);
            }
            return result;
        } finally {
            letGo();
        }
    }

    // ------------------------------------------------------------------ for the classes beside it

    Lanes lanes() {
        return lanes;
    }

    /** A place for a file, each in its turn. */
    int nextSeat() {
        return lanes.nextSeat();
    }

    /** Says on which ring the operations of a seat run now. */
    LaneHolder seat(int number) {
        return lanes.seat(number);
    }

    /** Calls that go over a seat's ring where the caller must not block. */
    Syscalls syscalls(int seat) {
        return syscallsBySeat.get(seat);
    }

    /** The same for calls by path, over any ring. */
    Syscalls syscalls() {
        return syscalls;
    }

    FileNames names() {
        return names;
    }

    DescriptorCache descriptorCache() {
        return descriptorCache;
    }

    /** Calls that block whoever makes them; also after the close. */
    Syscalls blockingSyscalls() {
        return foundation.syscalls();
    }

    void checkOpen(String operation, String path) throws EngineClosedException {
        if (!lanes.isRunning()) {
            throw closedException(operation, path);
        }
    }

    EngineClosedException closedException(String operation, String path) {
        return new EngineClosedException(operation, path, lanes.failure());
    }

    /** The exception for an errno. {@code writing}: EIO, EROFS and EACCES then mean that the disk is not to be trusted. */
    IoFailure failure(String operation, String path, int errno, long position, boolean writing) {
        return failure(operation, path, errno, position, 0, writing);
    }

    /** The same for a transfer that had moved some bytes before it failed. */
    IoFailure failure(String operation, String path, int errno, long position, long transferred, boolean writing) {
        if (errno == Errno.ECANCELED) {
            return lanes.isClosing() || !lanes.failure().isEmpty()
                    ? closedException(operation, path)
                    : new OperationCancelledException(operation, path);
        }
        boolean noneLeft = errno == Errno.EMFILE || errno == Errno.ENFILE;
        String detail = noneLeft ? descriptorCache.usage() : position > 0 ? "at offset " + position : "";
        if (writing && (errno == Errno.EIO || errno == Errno.EROFS || errno == Errno.EACCES)) {
            return new FatalIoException(operation, path, errno, detail);
        }
        return new OperationFailedException(operation, path, errno, transferred, detail);
    }

    /**
     * Completes a user's future away from the threads that must not block, also where the user's executor runs its tasks on
     * the caller (as many do when they are full): a continuation that blocks would stop all I/O there.
     */
    void completeLater(Runnable completion) {
        completeOn(executor, completion);
    }

    /** On the threads for files the cache of descriptors relies on not being waited for. */
    private boolean mustNotBlock() {
        return EngineLoop.isAnyEngineThread() || Thread.currentThread() instanceof FileThread;
    }

    private static final class FileThread extends Thread {
        FileThread(Runnable body, String name) {
            super(body, name);
        }
    }

    private void completeOn(Executor chosen, Runnable completion) {
        try {
            chosen.execute(() -> {
                if (mustNotBlock()) {
                    completeOn(ownExecutor, completion);
                } else {
                    completion.run();
                }
            });
        } catch (RuntimeException e) {
            if (!(e instanceof RejectedExecutionException)) {
                LOG.error("The executor for futures threw; the future is completed by a thread of its own", e);
            }
            // It is shut down, ours perhaps too: nothing may stay without a result.
            Thread thread = new Thread(completion, "millrace-late-completion");
            thread.setDaemon(true);
            thread.start();
        }
    }

    void reportBuffered(Path path, String fileSystem) {
        Path folder = path.toAbsolutePath().getParent();
        String name = folder == null ? "/" : folder.toString();
        if (bufferedFolders.size() < MAX_REMEMBERED_FOLDERS && bufferedFolders.putIfAbsent(name, true) == null) {
            LOG.info("Files in {} go through the page cache: its file system ({}) has no direct I/O", name, fileSystem);
        }
    }

    /**
     * Closes; returns when the kernel has let go of every buffer. Idempotent, any thread but the engine's.
     */
    @Override
    public void close() {
        if (EngineLoop.isAnyEngineThread()) {
            throw new IllegalStateException("an engine cannot be closed on an engine thread: it would wait for itself");
        }
        pool.close();
        descriptorCache.close();
        lanes.close();
        pool.release();
        foundation.close().run();
        fileThreads.shutdown();
        ownExecutor.shutdown();
        if (closed.compareAndSet(false, true)) {
            letGo();
        }
    }

    /**
     * Holds the way to native code for the time of a call on its caller's thread, which may end after the engine was
     * closed.
     *
     * @throws EngineClosedException where the engine is closing
     */
    void holdFor(String operation, String path) throws EngineClosedException {
        checkOpen(operation, path);
        if (!tryHold()) {
            throw closedException(operation, path);
        }
    }

    private boolean tryHold() {
        return holders.getAndUpdate(count -> count == 0 ? 0 : count + 1) > 0;
    }

    /** Holds it for a file, which may be closed after its engine; only while its open holds it. */
    void hold() {
        holders.incrementAndGet();
    }

    /** Ends one holding; the last lets the binding go. */
    void letGo() {
        if (holders.decrementAndGet() == 0) {
            foundation.release().run();
        }
    }
}
