// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.FileStat;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.OpenFlag;
import dev.millrace.io.engine.Operation;
import dev.millrace.io.engine.Syscalls;
import dev.millrace.io.engine.Syscalls.StatResult;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A regular file, read and written at offsets through an {@link IoEngine}.
 *
 * <p>Each operation exists twice. The plain one blocks a platform thread in the system call itself (no engine in
 * between: the latency of {@code FileChannel}) and parks a virtual thread while the engine works. The {@code Async} one
 * returns a future, completed on the engine's executor, never on the engine thread. Both take their buffer away until
 * they are complete ({@link OwnedBuffer}), both move everything that was asked or fail, and a read is short only at the
 * end of the file.
 *
 * <p>Under direct I/O offsets, lengths and buffer positions must be multiples of {@link #alignment()}; a call that is not
 * fails with {@link MisalignedException} before it reaches the kernel, on every engine alike.
 *
 * <p>Any number of threads may use one file at once. {@link #close} refuses new calls, waits for those under way, then
 * closes the descriptor.
 */
public final class VirtualFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VirtualFile.class);

    private final IoEngine engine;
    private final EngineLoop loop;
    private final Syscalls syscalls;
    private final String path;
    private final int fd;
    private final boolean direct;
    private final Alignment alignment;
    private final int blockSize;

    private final BouncedTransfer bounced;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();
    private int underWay;
    private boolean closing;
    private boolean closed;
    private boolean gone;
    private volatile Optional<FatalIoException> failedSync = Optional.empty();

    private VirtualFile(IoEngine engine, String path, int fd, FileStat stat, boolean direct, Alignment alignment) {
        this.engine = engine;
        engine.hold();
        this.loop = engine.loop();
        this.syscalls = engine.syscalls();
        this.path = path;
        this.fd = fd;
        this.direct = direct;
        this.alignment = alignment;
        this.bounced = new BouncedTransfer(this, engine.buffers());
        int preferred = stat.blockSize();
        boolean usable = preferred >= alignment.offset() && preferred <= 1 << 20 && Integer.bitCount(preferred) == 1;
        this.blockSize = direct ? (usable ? preferred : Math.max(alignment.offset(), 4096)) : 1;
    }

    // ------------------------------------------------------------------ opening

    /**
     * Opens a file. Blocks a platform thread, parks a virtual one.
     *
     * @throws UnsupportedFileException where the path is not a regular file, or direct I/O is required and its file
     *     system has none
     * @throws OperationFailedException where the system refuses
     */
    public static VirtualFile open(IoEngine engine, Path path, OpenOptions options) throws IoFailure {
        String text = path.toString();
        if (text.indexOf('\0') >= 0) {
            throw new UnsupportedFileException("open", text, "open of a path with a NUL character is not possible");
        }
        engine.holdFor("open", text);
        try {
            return openHeld(engine, path, text, options);
        } finally {
            engine.letGo();
        }
    }

    private static VirtualFile openHeld(IoEngine engine, Path path, String text, OpenOptions options) throws IoFailure {
        // First, since opening a FIFO waits for its other end and opening a device may do anything.
        StatResult before = engine.syscalls().stat(text);
        if (before.error() == 0) {
            checkRegular(text, before.stat());
        }
        boolean missing = before.error() == -Errno.ENOENT;
        return switch (options.direct()) {
            case OFF -> openBuffered(engine, text, options);
            case REQUIRED -> {
                Attempt attempt = tryDirect(engine, text, options, missing);
                yield attempt.file()
                        .orElseThrow(() -> new UnsupportedFileException(
                                "open",
                                text,
                                "open of " + text + " with direct I/O is not possible: its file system ("
                                        + attempt.fileSystem() + ") has none"));
            }
            case PREFERRED -> {
                Attempt attempt = tryDirect(engine, text, options, missing);
                if (attempt.file().isPresent()) {
                    yield attempt.file().get();
                }
                engine.reportBuffered(path, attempt.fileSystem());
                yield openBuffered(engine, text, options);
            }
        };
    }

    /** {@link #open} as a future. */
    public static CompletableFuture<VirtualFile> openAsync(IoEngine engine, Path path, OpenOptions options) {
        return engine.offload("open", path.toString(), () -> open(engine, path, options), VirtualFile::closeUnwanted);
    }

    /** The future was cancelled: what it would have brought is nobody's. */
    private void closeUnwanted() {
        try {
            close();
        } catch (IoFailure e) {
            LOG.warn("The file of a cancelled open could not be closed: {}", e.getMessage());
        }
    }

    private record Attempt(Optional<VirtualFile> file, String fileSystem) {}

    private static int flags(OpenOptions options, boolean direct) {
        return (options.read() ? OpenFlag.READ : 0)
                | (options.write() ? OpenFlag.WRITE : 0)
                | (options.create() ? OpenFlag.CREATE : 0)
                | (options.exclusive() ? OpenFlag.EXCLUSIVE : 0)
                | (options.truncate() ? OpenFlag.TRUNCATE : 0)
                | (direct ? OpenFlag.DIRECT : 0);
    }

    /** Opens directly, or says which file system has no direct I/O, leaving no file that this call made. */
    private static Attempt tryDirect(IoEngine engine, String path, OpenOptions options, boolean missing)
            throws IoFailure {
        Syscalls syscalls = engine.syscalls();
        int flags = flags(options, true);
        // Exclusively, to know whether this call made the file: what another made meanwhile is not ours to remove.
        boolean made = options.create() && missing;
        int fd = syscalls.open(path, made ? flags | OpenFlag.EXCLUSIVE : flags, options.mode());
        if (fd == -Errno.EEXIST && !options.exclusive()) {
            made = false;
            fd = syscalls.open(path, flags, options.mode());
        }
        if (fd == -Errno.EINVAL) {
            String fileSystem = describeFileSystem(syscalls, path);
            removeIfMade(syscalls, path, made);
            return new Attempt(Optional.empty(), fileSystem);
        }
        if (fd < 0) {
            throw engine.failure("open", path, -fd, 0, false);
        }
        FileStat stat = checked(engine, path, fd);
        Optional<Alignment> alignment = DirectAlignment.of(stat);
        if (alignment.isEmpty()) {
            syscalls.close(fd);
            removeIfMade(syscalls, path, made);
            return new Attempt(Optional.empty(), stat.fileSystem());
        }
        return new Attempt(
                Optional.of(new VirtualFile(engine, path, fd, stat, true, alignment.get())), stat.fileSystem());
    }

    private static VirtualFile openBuffered(IoEngine engine, String path, OpenOptions options) throws IoFailure {
        int fd = engine.syscalls().open(path, flags(options, false), options.mode());
        if (fd < 0) {
            throw engine.failure("open", path, -fd, 0, false);
        }
        FileStat stat = checked(engine, path, fd);
        return new VirtualFile(engine, path, fd, stat, false, Alignment.NONE);
    }

    private static void removeIfMade(Syscalls syscalls, String path, boolean made) {
        if (made) {
            syscalls.unlink(path, false);
        }
    }

    private static String describeFileSystem(Syscalls syscalls, String path) {
        StatResult own = syscalls.stat(path);
        if (own.error() == 0) {
            return own.stat().fileSystem();
        }
        Path parent = Path.of(path).toAbsolutePath().getParent();
        return parent == null
                ? "unknown"
                : syscalls.stat(parent.toString()).stat().fileSystem();
    }

    /** The open file's stat, or an error (with the descriptor closed) where it is not a regular file. */
    private static FileStat checked(IoEngine engine, String path, int fd) throws IoFailure {
        StatResult result = engine.syscalls().stat(fd);
        if (result.error() < 0) {
            engine.syscalls().close(fd);
            throw engine.failure("stat", path, -result.error(), 0, false);
        }
        try {
            checkRegular(path, result.stat());
        } catch (UnsupportedFileException e) {
            engine.syscalls().close(fd);
            throw e;
        }
        return result.stat();
    }

    private static void checkRegular(String path, FileStat stat) throws UnsupportedFileException {
        if (!stat.isRegularFile()) {
            throw new UnsupportedFileException(
                    "open",
                    path,
                    "open of " + path + " is not possible: it is "
                            + (stat.isDirectory() ? "a folder" : "a device, FIFO or socket")
                            + ", and a VirtualFile is a regular file");
        }
    }

    // ------------------------------------------------------------------ what it is

    /** The path it was opened by. */
    public String path() {
        return path;
    }

    /** True where I/O really passes the page cache by, which is not the same as having asked for it. */
    public boolean isDirect() {
        return direct;
    }

    /** What direct I/O on this file asks for; {@link Alignment#NONE} through the page cache. */
    public Alignment alignment() {
        return alignment;
    }

    /**
     * Rounds a length up to whole blocks of the file system, in which writes under direct I/O should end: one that is
     * aligned but ends inside a block makes ext4 take its exclusive lock, on a kernel worker thread. Through the page
     * cache the length itself.
     */
    public long roundUpToBlock(long length) {
        return (length + blockSize - 1) & -(long) blockSize;
    }

    /** The start of the block that an offset lies in; through the page cache the offset itself. */
    long roundDownToBlock(long offset) {
        return offset & -(long) blockSize;
    }

    /** Size, type and file system now. */
    public FileStat stat() throws IoFailure {
        enter("stat");
        try {
            StatResult result = syscalls.stat(fd);
            if (result.error() < 0) {
                throw engine.failure("stat", path, -result.error(), 0, false);
            }
            return result.stat();
        } finally {
            exit();
        }
    }

    // ------------------------------------------------------------------ reading and writing

    /**
     * Reads.
     *
     * @param buffer taken away until the call returns
     * @param at where in the buffer the first byte goes
     * @param length bytes to read
     * @param position offset in the file
     * @return bytes read: fewer than {@code length} only at the end of the file, 0 at or beyond it
     */
    public int read(OwnedBuffer buffer, int at, int length, long position) throws IoFailure {
        return transfer(false, buffer, at, length, position);
    }

    /** Writes all of it; parameters as for {@link #read}. */
    public void write(OwnedBuffer buffer, int at, int length, long position) throws IoFailure {
        transfer(true, buffer, at, length, position);
    }

    /** {@link #read} as a future. Cancelling it asks the kernel to stop; the buffer comes back when that has answered. */
    public CompletableFuture<IoResult> readAsync(OwnedBuffer buffer, int at, int length, long position) {
        return transferAsync(false, buffer, at, length, position);
    }

    /** {@link #write} as a future. */
    public CompletableFuture<IoResult> writeAsync(OwnedBuffer buffer, int at, int length, long position) {
        return transferAsync(true, buffer, at, length, position);
    }

    /**
     * Reads into any memory, from any offset: under direct I/O the read is widened to the alignment and the bytes that
     * were wanted are copied. Holds one buffer of the engine's pool at a time; waits for one in line.
     *
     * @param target filled from its position on, which moves
     * @param position offset in the file
     * @return bytes read: fewer than there was room for only at the end of the file
     */
    public int read(ByteBuffer target, long position) throws IoFailure {
        return bounced.read(target, position);
    }

    /**
     * {@link #read(ByteBuffer, long)} as a future. The memory belongs to it until it is complete; cancelling it does not
     * stop what has begun.
     */
    public CompletableFuture<Integer> readAsync(ByteBuffer target, long position) {
        return bounced.readAsync(target, position);
    }

    /**
     * Fills all of the target.
     *
     * @throws EndOfFileException where the file ends before; what there was is in the target
     */
    public void readExact(ByteBuffer target, long position) throws IoFailure {
        int wanted = target.remaining();
        int got = bounced.read(target, position);
        if (got < wanted) {
            throw new EndOfFileException(path, position, wanted, got);
        }
    }

    /**
     * Writes all of the source, of any memory. Under direct I/O offset and length must be aligned: what lies beside an
     * unaligned write would have to be read and written back, and another's change between the two would be lost.
     *
     * @param source written from its position on, which moves by what was written
     * @throws MisalignedException where direct I/O cannot take the offset or the length
     */
    public void writeAll(ByteBuffer source, long position) throws IoFailure {
        bounced.write(source, position);
    }

    static void checkPlace(long position, int length) {
        if (position < 0 || position > Long.MAX_VALUE - length) {
            throw new IllegalArgumentException(
                    "offset " + position + " with length " + length + " is not a place in a file");
        }
    }

    private void check(boolean write, OwnedBuffer buffer, int at, int length, long position)
            throws MisalignedException {
        if (at < 0 || length < 0 || length > buffer.capacity() - at) {
            throw new IndexOutOfBoundsException(
                    length + " bytes from " + at + " do not lie in a buffer of " + buffer.capacity() + " bytes");
        }
        checkPlace(position, length);
        if (!buffer.pool().equals(engine.buffers())) {
            throw new IllegalArgumentException("the buffer belongs to another engine");
        }
        if (((position | length) & (alignment.offset() - 1)) != 0 || (at & (alignment.memory() - 1)) != 0) {
            throw new MisalignedException(write ? "write" : "read", path, position, at, length, alignment);
        }
    }

    private int transfer(boolean write, OwnedBuffer buffer, int at, int length, long position) throws IoFailure {
        check(write, buffer, at, length, position);
        enter(write ? "write" : "read");
        try {
            buffer.handOver();
            TransferProgress progress = new TransferProgress();
            try {
                progress.begin(write, at, length, position, alignment);
                BufferPool.Piece piece = buffer.piece();
                boolean more = length > 0;
                while (more) {
                    long address = piece.address() + progress.at();
                    more = progress.goesOn(
                            write
                                    ? syscalls.pwrite(
                                            fd,
                                            address,
                                            piece.memory(),
                                            progress.at(),
                                            progress.remaining(),
                                            progress.position())
                                    : syscalls.pread(
                                            fd,
                                            address,
                                            piece.memory(),
                                            progress.at(),
                                            progress.remaining(),
                                            progress.position()));
                }
            } finally {
                buffer.giveBack();
            }
            if (progress.error() != 0) {
                throw engine.failure(
                        write ? "write" : "read", path, progress.error(), progress.position(), progress.moved(), write);
            }
            return progress.moved();
        } finally {
            exit();
        }
    }

    private CompletableFuture<IoResult> transferAsync(
            boolean write, OwnedBuffer buffer, int at, int length, long position) {
        String name = write ? "write" : "read";
        try {
            check(write, buffer, at, length, position);
            enter(name);
        } catch (IoFailure e) {
            return CompletableFuture.failedFuture(e);
        }
        if (length == 0) {
            try {
                buffer.handOver();
                buffer.giveBack();
            } finally {
                exit();
            }
            return CompletableFuture.completedFuture(new IoResult(buffer, 0));
        }
        TransferFuture future = new TransferFuture(write, position);
        try {
            future.operation.start(write, fd, buffer, at, length, position, alignment);
        } catch (RuntimeException e) {
            exit();
            throw e;
        }
        return future;
    }

    private final class TransferFuture extends CompletableFuture<IoResult> {
        private final TransferOperation operation;

        TransferFuture(boolean write, long position) {
            operation = new TransferOperation(loop) {
                @Override
                void ended(OwnedBuffer owned, int moved, int error) {
                    exit();
                    engine.completeLater(() -> {
                        if (error == 0) {
                            complete(new IoResult(owned, moved));
                        } else {
                            completeExceptionally(engine.failure(
                                    write ? "write" : "read", path, error, position + moved, moved, write));
                        }
                    });
                }
            };
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean cancelled = super.cancel(mayInterruptIfRunning);
            if (cancelled) {
                loop.cancel(operation);
            }
            return cancelled;
        }
    }

    // ------------------------------------------------------------------ durability and length

    /**
     * Makes everything written so far durable (data and metadata).
     *
     * @throws FatalIoException on any failure; the file stays failed, since the kernel may have dropped what it could
     *     not write and a second fsync would lie
     */
    public void sync() throws IoFailure {
        enter("fsync");
        try {
            throwFailedSync();
            int result = syscalls.fsync(fd);
            if (result == -Errno.ECANCELED) {
                throw engine.failure("fsync", path, Errno.ECANCELED, 0, false);
            }
            if (result < 0) {
                throw rememberFailedSync(result);
            }
        } finally {
            exit();
        }
    }

    /** {@link #sync} as a future. */
    public CompletableFuture<Void> syncAsync() {
        try {
            enter("fsync");
        } catch (IoFailure e) {
            return CompletableFuture.failedFuture(e);
        }
        if (failedSync.isPresent()) {
            exit();
            return CompletableFuture.failedFuture(failedSync.get());
        }
        CompletableFuture<Void> future = new CompletableFuture<>();
        loop.submit(new SyncOperation(future));
        return future;
    }

    private final class SyncOperation extends Operation {
        private final CompletableFuture<Void> future;

        SyncOperation(CompletableFuture<Void> future) {
            this.future = future;
            reset(OpCode.FSYNC);
            fd = VirtualFile.this.fd;
        }

        @Override
        protected void completed(int result) {
            // A cancelled fsync says nothing about the disk: the engine was closed before it ran.
            IoFailure failure = result >= 0 || result == -Errno.ECANCELED
                    ? engine.failure("fsync", path, Errno.ECANCELED, 0, false)
                    : rememberFailedSync(result);
            exit();
            engine.completeLater(() -> {
                if (result >= 0) {
                    future.complete(null);
                } else {
                    future.completeExceptionally(failure);
                }
            });
        }
    }

    private void throwFailedSync() throws FatalIoException {
        Optional<FatalIoException> before = failedSync;
        if (before.isPresent()) {
            throw before.get();
        }
    }

    private FatalIoException rememberFailedSync(int result) {
        FatalIoException failure = new FatalIoException("fsync", path, -result, "");
        failedSync = Optional.of(failure);
        return failure;
    }

    /**
     * Reserves space for {@code length} bytes and sets the length to that, in whole blocks, so that direct writes below
     * it do not extend the file: those that do are sent to the kernel's worker threads on ext4 and cost ten times the CPU.
     *
     * @return false where the file system or engine cannot reserve; writing works all the same
     * @throws OperationFailedException with free and needed bytes where there is not enough space
     */
    public boolean reserve(long length) throws IoFailure {
        if (length <= 0) {
            return true;
        }
        enter("fallocate");
        try {
            // A length that cannot be rounded up is one that every file system refuses as too large.
            long whole = length > Long.MAX_VALUE - blockSize ? length : roundUpToBlock(length);
            StatResult before = syscalls.stat(fd);
            if (before.error() < 0) {
                throw engine.failure("stat", path, -before.error(), 0, false);
            }
            // Looked at first: asked for more than there is, a file system takes all that is left before it says no,
            // and
            // everyone else's writes fail meanwhile.
            long free = syscalls.freeBytes(path);
            if (free >= 0 && whole - before.stat().allocatedBytes() > free) {
                throw noSpace(Errno.ENOSPC, length, free);
            }
            int result = syscalls.allocate(fd, 0, whole);
            if (result == 0) {
                return true;
            }
            int error = -result;
            if (error == Errno.EOPNOTSUPP || error == Errno.ENOSYS || error == Errno.EINVAL) {
                return false;
            }
            if (error != Errno.ENOSPC && error != Errno.EDQUOT && error != Errno.EFBIG) {
                throw engine.failure("fallocate", path, error, 0, true);
            }
            syscalls.truncate(fd, before.stat().size()); // what it did get goes back
            throw noSpace(error, length, free);
        } finally {
            exit();
        }
    }

    private OperationFailedException noSpace(int error, long length, long free) {
        return new OperationFailedException(
                "fallocate",
                path,
                error,
                0,
                "(" + length + " bytes are needed" + (free >= 0 ? " and " + free + " are free" : "") + ")");
    }

    /** Sets the length. */
    public void truncate(long length) throws IoFailure {
        if (length < 0) {
            throw new IllegalArgumentException("a file cannot have " + length + " bytes");
        }
        simple("ftruncate", () -> syscalls.truncate(fd, length));
    }

    /** Sets permissions, as in {@code 0644}. */
    public void setPermissions(int mode) throws IoFailure {
        simple("chmod", () -> syscalls.chmod(fd, mode));
    }

    /**
     * Takes an advisory lock on the whole file, held until the file is closed.
     *
     * @return false where another process, or another open file of this one, holds a lock
     */
    public boolean tryLock() throws IoFailure {
        enter("lock");
        try {
            int result = syscalls.tryLock(fd);
            if (result < 0 && result != -Errno.EAGAIN && result != -Errno.EACCES) {
                throw engine.failure("lock", path, -result, 0, false);
            }
            return result == 0;
        } finally {
            exit();
        }
    }

    private interface Call {
        int run();
    }

    private void simple(String operation, Call call) throws IoFailure {
        enter(operation);
        try {
            int result = call.run();
            if (result < 0) {
                throw engine.failure(operation, path, -result, 0, true);
            }
        } finally {
            exit();
        }
    }

    // ------------------------------------------------------------------ closing

    IoEngine engine() {
        return engine;
    }

    int descriptor() {
        return fd;
    }

    /** Announces an operation, which keeps the descriptor open until {@link #exit}. */
    void enter(String operation) throws IoFailure {
        engine.checkOpen(operation, path);
        lock.lock();
        try {
            if (closing) {
                throw new FileClosedException(operation, path);
            }
            underWay++;
        } finally {
            lock.unlock();
        }
    }

    void exit() {
        lock.lock();
        try {
            underWay--;
            if (underWay == 0) {
                idle.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Refuses new operations, waits for those under way, closes the descriptor. When it returns nothing of ours holds the
     * file. Idempotent; a second call waits for the first.
     *
     * @throws IllegalStateException on an engine thread
     */
    @Override
    public void close() throws IoFailure {
        if (loop.isEngineThread()) {
            throw new IllegalStateException("a file cannot be closed on an engine thread: it would wait for itself");
        }
        lock.lock();
        try {
            closing = true;
            while (underWay > 0 || (closed && !gone)) {
                idle.awaitUninterruptibly();
            }
            if (closed) {
                return;
            }
            closed = true;
        } finally {
            lock.unlock();
        }
        int result = loop.driver().syscalls().close(fd);
        engine.letGo();
        lock.lock();
        try {
            gone = true;
            idle.signalAll();
        } finally {
            lock.unlock();
        }
        if (result < 0) {
            throw engine.failure("close", path, -result, 0, true);
        }
    }
}
