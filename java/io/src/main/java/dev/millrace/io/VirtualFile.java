// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.FileStat;
import dev.millrace.io.engine.JfrEvents;
import dev.millrace.io.engine.Syscalls;
import dev.millrace.io.engine.Syscalls.StatResult;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntUnaryOperator;
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
 *
 * <p><b>Descriptors.</b> Any number of files may be open: an engine has at most
 * {@link IoEngineConfig#descriptors} descriptors for them. While no operation is under way on a file its descriptor may be
 * closed for another's sake (unsynced writes are synced before), and the next operation opens the file again by its path,
 * in the same mode. Where every descriptor is in use an operation waits in line until others end. The engine's own renames
 * and removals are followed: a file that is moved is found under its new path, one that loses its name keeps its descriptor
 * until it is closed, as do locked files and those whose permissions would not let them be opened again. Where something
 * outside of the engine moves, replaces or removes a file whose descriptor is closed, its next operation fails with
 * {@link FileReplacedException}, or, where the file system gives its inode number to a new file under the same path, works
 * on that. Operations of files that keep their descriptors never have to open one.
 */
public final class VirtualFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VirtualFile.class);

    private final IoEngine engine;
    private final LaneHolder lanes;
    private final Syscalls syscalls;
    private final Descriptor descriptor;
    private final Durability durability;
    private final Alignment alignment;
    private final int blockSize;

    private final BouncedTransfer bounced;

    VirtualFile(IoEngine engine, Descriptor descriptor, FileStat stat, Alignment alignment) {
        this.engine = engine;
        int seat = engine.nextSeat();
        this.lanes = engine.seat(seat);
        this.syscalls = engine.syscalls(seat);
        this.descriptor = descriptor;
        this.durability = new Durability(descriptor, lanes, syscalls);
        this.alignment = alignment;
        this.bounced = new BouncedTransfer(this, engine.buffers());
        int preferred = stat.blockSize();
        boolean usable = preferred >= alignment.offset() && preferred <= 1 << 20 && Integer.bitCount(preferred) == 1;
        boolean direct = !alignment.isNone();
        this.blockSize = direct ? (usable ? preferred : Math.max(alignment.offset(), 4096)) : 1;
    }

    // ------------------------------------------------------------------ opening

    /**
     * Opens a file. Blocks a platform thread, parks a virtual one; waits in line while all descriptors of the engine are in
     * use.
     *
     * @throws UnsupportedFileException where the path is not a regular file, or direct I/O is required and its file
     *     system has none
     * @throws OperationFailedException where the system refuses, or all descriptors of the engine belong to files that keep
     *     theirs until they are closed
     */
    public static VirtualFile open(IoEngine engine, Path path, OpenOptions options) throws IoFailure {
        String text = PathText.of("open", path);
        engine.checkOpen("open", text);
        engine.descriptorCache().makeRoom("open", text);
        return FileOpening.fillRoom(engine, path, text, options);
    }

    /** {@link #open} as a future. It waits in line, too, and blocks no caller. */
    public static CompletableFuture<VirtualFile> openAsync(IoEngine engine, Path path, OpenOptions options) {
        String text;
        try {
            text = PathText.of("open", path);
        } catch (IoFailure e) {
            return CompletableFuture.failedFuture(e);
        }
        CompletableFuture<VirtualFile> future = new CompletableFuture<>();
        engine.descriptorCache().makeRoomThen("open", text, new PinWaiter() {
            @Override
            public void pinned() {
                try {
                    VirtualFile file = FileOpening.fillRoom(engine, path, text, options);
                    engine.completeLater(() -> {
                        if (!future.complete(file)) {
                            file.closeUnwanted();
                        }
                    });
                } catch (IoFailure | RuntimeException | Error e) {
                    engine.completeLater(() -> future.completeExceptionally(e));
                }
            }

            @Override
            public void refused(IoFailure why) {
                engine.completeLater(() -> future.completeExceptionally(why));
            }
        });
        return future;
    }

    /** The future was cancelled: what it would have brought is nobody's. */
    private void closeUnwanted() {
        try {
            close();
        } catch (IoFailure e) {
            LOG.warn("The file of a cancelled open could not be closed: {}", e.getMessage());
        }
    }

    // ------------------------------------------------------------------ what it is

    /** The path it was opened by, or the one that {@link IoEngine#rename} has given it since. */
    public String path() {
        return descriptor.path();
    }

    /**
     * True where I/O really passes the page cache by, which is not the same as having asked for it; the engine's mode may
     * change it ({@link IoEngine#switchMode}).
     */
    public boolean isDirect() {
        return descriptor.isDirect();
    }

    /**
     * What direct I/O on this file asks for, also while the engine's mode has it go through the page cache; {@link
     * Alignment#NONE} for a file that always does. It never changes.
     */
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

    /** Size, type and file system now. */
    public FileStat stat() throws IoFailure {
        int fd = descriptor.enter("stat");
        try {
            StatResult result = syscalls.stat(fd);
            if (result.error() < 0) {
                throw engine.failure("stat", path(), -result.error(), 0, false);
            }
            return result.stat();
        } finally {
            descriptor.exit(false);
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
        return (int) bounced.read(MemoryList.targets(List.of(target), path()), position);
    }

    /**
     * {@link #read(ByteBuffer, long)} as a future. The memory belongs to it until it is complete; cancelling it does not
     * stop what has begun.
     */
    public CompletableFuture<Integer> readAsync(ByteBuffer target, long position) {
        return bounced.readAsync(MemoryList.targets(List.of(target), path()), position);
    }

    /**
     * Fills all of the target.
     *
     * @throws EndOfFileException where the file ends before; what there was is in the target
     */
    public void readExact(ByteBuffer target, long position) throws IoFailure {
        int wanted = target.remaining();
        int got = read(target, position);
        if (got < wanted) {
            throw new EndOfFileException(path(), position, wanted, got);
        }
    }

    /**
     * Writes all of the source, of any memory. Under direct I/O offset and length must be aligned: what lies beside an
     * unaligned write would have to be read and written back, and another's change between the two would be lost.
     *
     * @param source written from its position on, which moves by what was written; after a failure, by what is known to be
     * @throws MisalignedException where direct I/O cannot take the offset or the length
     */
    public void writeAll(ByteBuffer source, long position) throws IoFailure {
        bounced.write(MemoryList.of(source), position);
    }

    // ------------------------------------------------------------------ several buffers at once

    /**
     * Reads consecutive bytes into a list of buffers, several of them at a time, each with the kernel's fixed operations
     * where it is registered. Parks a virtual thread, blocks a platform one, while the engine works.
     *
     * @param pieces filled in order; each buffer at most once, and taken away until the call returns. Under direct I/O
     *     each piece must be aligned. Any number, of any length together.
     * @param position offset in the file
     * @return bytes read: fewer than the pieces hold only at the end of the file
     * @throws IoFailure the first failure in the file's order; {@link OperationFailedException#transferred} says how many
     *     bytes before it arrived without a gap
     */
    public long readVectored(List<BufferSlice> pieces, long position) throws IoFailure {
        return VectoredTransfer.run(this, false, pieces, position);
    }

    /**
     * Writes a list of buffers to consecutive offsets, all of them; parameters and failures as for {@link #readVectored}.
     * After a failure some bytes beyond those counted may have been written, too.
     */
    public void writeVectored(List<BufferSlice> pieces, long position) throws IoFailure {
        VectoredTransfer.run(this, true, pieces, position);
    }

    /**
     * {@link #readVectored} as a future. Cancelling it asks the kernel to stop; the buffers come back, all together, when
     * that has answered for each.
     */
    public CompletableFuture<Long> readVectoredAsync(List<BufferSlice> pieces, long position) {
        return VectoredTransfer.runAsync(this, false, pieces, position);
    }

    /** {@link #writeVectored} as a future. */
    public CompletableFuture<Long> writeVectoredAsync(List<BufferSlice> pieces, long position) {
        return VectoredTransfer.runAsync(this, true, pieces, position);
    }

    /**
     * {@link #read(ByteBuffer, long)} into several pieces of memory, filled in order, with as few reads as the pool's
     * buffers allow.
     */
    public long read(List<ByteBuffer> targets, long position) throws IoFailure {
        return bounced.read(MemoryList.targets(targets, path()), position);
    }

    /**
     * {@link #writeAll(ByteBuffer, long)} of several pieces of memory, in order, with as few writes as the pool's buffers
     * allow. Under direct I/O their lengths together must be aligned.
     */
    public void writeAll(List<ByteBuffer> sources, long position) throws IoFailure {
        bounced.write(MemoryList.of(sources), position);
    }

    /** What a transfer is called. */
    static String name(boolean write) {
        return write ? "write" : "read";
    }

    private String impossible(boolean write) {
        return name(write) + " of " + path() + " is not possible: ";
    }

    void checkPlace(boolean write, long position, long length) {
        if (position < 0 || position > Long.MAX_VALUE - length) {
            throw new IllegalArgumentException(
                    impossible(write) + "offset " + position + " with length " + length + " is not a place in a file");
        }
    }

    /** Checks a transfer's place in buffer and file, and its alignment. */
    void check(boolean write, OwnedBuffer buffer, int at, int length, long position) throws MisalignedException {
        if (at < 0 || length < 0 || length > buffer.capacity() - at) {
            throw new IndexOutOfBoundsException(impossible(write) + length + " bytes from " + at
                    + " do not lie in a buffer of " + buffer.capacity() + " bytes");
        }
        checkPlace(write, position, length);
        if (!buffer.pool().equals(engine.buffers())) {
            throw new IllegalArgumentException(impossible(write) + "the buffer belongs to another engine");
        }
        if (((position | length) & (alignment.offset() - 1)) != 0 || (at & (alignment.memory() - 1)) != 0) {
            throw new MisalignedException(name(write), path(), position, at, length, alignment);
        }
    }

    private int transfer(boolean write, OwnedBuffer buffer, int at, int length, long position) throws IoFailure {
        check(write, buffer, at, length, position);
        int fd = descriptor.enter(name(write));
        try {
            buffer.handOver();
            Optional<BlockingCallEvent> event = JfrEvents.ARE_THERE ? BlockingCallEvent.begun() : Optional.empty();
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
            if (event.isPresent()) {
                event.get().ended(name(write), path(), progress.moved(), progress.error());
            }
            if (progress.error() != 0) {
                throw engine.failure(
                        name(write), path(), progress.error(), progress.position(), progress.moved(), write);
            }
            return progress.moved();
        } finally {
            descriptor.exit(write);
        }
    }

    private CompletableFuture<IoResult> transferAsync(
            boolean write, OwnedBuffer buffer, int at, int length, long position) {
        try {
            check(write, buffer, at, length, position);
            checkOpen(name(write));
        } catch (IoFailure e) {
            return CompletableFuture.failedFuture(e);
        }
        if (length == 0) {
            buffer.handOver();
            buffer.giveBack();
            return CompletableFuture.completedFuture(new IoResult(buffer, 0));
        }
        TransferFuture future = new TransferFuture(write, position);
        future.operation.start(write, buffer, at, length, position);
        return future;
    }

    private final class TransferFuture extends CompletableFuture<IoResult> {
        private final PinnedTransfer operation;
        private final boolean write;

        TransferFuture(boolean write, long position) {
            this.write = write;
            operation = new PinnedTransfer(VirtualFile.this) {
                @Override
                void done(OwnedBuffer owned, int moved, int error) {
                    engine.completeLater(() -> {
                        if (error == 0) {
                            complete(new IoResult(owned, moved));
                        } else {
                            completeExceptionally(
                                    engine.failure(name(write), path(), error, position + moved, moved, write));
                        }
                    });
                }

                @Override
                void failed(OwnedBuffer owned, IoFailure why) {
                    engine.completeLater(() -> completeExceptionally(why));
                }
            };
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean cancelled = super.cancel(mayInterruptIfRunning);
            if (cancelled && !operation.leave(new OperationCancelledException(name(write), path()))) {
                operation.cancel();
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
        durability.sync();
    }

    /** {@link #sync} as a future. */
    public CompletableFuture<Void> syncAsync() {
        return durability.syncAsync();
    }

    /**
     * Reserves space for {@code length} bytes and sets the length to that, in whole blocks, so that direct writes below
     * it do not extend the file: those that do are sent to the kernel's worker threads on ext4 and cost ten times the CPU.
     *
     * @return false where the file system or engine cannot reserve; writing works all the same
     * @throws OperationFailedException with free and needed bytes where there is not enough space
     */
    public boolean reserve(long length) throws IoFailure {
        if (length < 0) {
            throw new IllegalArgumentException("fallocate of " + path() + " to " + length + " bytes is not possible");
        }
        int fd = descriptor.enter("fallocate");
        try {
            if (length == 0) {
                return true;
            }
            // A length that cannot be rounded up is one that every file system refuses as too large.
            long whole = length > Long.MAX_VALUE - blockSize ? length : roundUpToBlock(length);
            StatResult before = syscalls.stat(fd);
            if (before.error() < 0) {
                throw engine.failure("stat", path(), -before.error(), 0, false);
            }
            // Looked at first: asked for more than there is, a file system takes all that is left before it says
            // no, and everyone else's writes fail meanwhile.
            long free = syscalls.freeBytes(path());
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
                throw engine.failure("fallocate", path(), error, 0, true);
            }
            syscalls.truncate(fd, before.stat().size()); // what it did get goes back
            throw noSpace(error, length, free);
        } finally {
            descriptor.exit(true);
        }
    }

    private OperationFailedException noSpace(int error, long length, long free) {
        return new OperationFailedException(
                "fallocate",
                path(),
                error,
                0,
                "(" + length + " bytes are needed" + (free >= 0 ? " and " + free + " are free" : "") + ")");
    }

    /** Sets the length. */
    public void truncate(long length) throws IoFailure {
        if (length < 0) {
            throw new IllegalArgumentException("ftruncate of " + path() + " to " + length + " bytes is not possible");
        }
        change("ftruncate", fd -> syscalls.truncate(fd, length));
    }

    /** Sets permissions, as in {@code 0644}. Those that would not let it be opened again make it keep its descriptor. */
    public void setPermissions(int mode) throws IoFailure {
        change("chmod", fd -> {
            if (!descriptor.allows(mode)) {
                descriptor.keep();
            }
            return syscalls.chmod(fd, mode);
        });
    }

    /**
     * Takes an advisory lock on the whole file, held until the file is closed; so is its descriptor, which the lock belongs
     * to.
     *
     * @return false where another process, or another open file of this one, holds a lock
     */
    public boolean tryLock() throws IoFailure {
        int fd = descriptor.enter("lock");
        try {
            int result = syscalls.tryLock(fd);
            if (result < 0 && result != -Errno.EAGAIN && result != -Errno.EACCES) {
                throw engine.failure("lock", path(), -result, 0, false);
            }
            if (result == 0) {
                descriptor.keep();
            }
            return result == 0;
        } finally {
            descriptor.exit(false);
        }
    }

    private void change(String operation, IntUnaryOperator call) throws IoFailure {
        int fd = descriptor.enter(operation);
        try {
            int result = call.applyAsInt(fd);
            if (result < 0) {
                throw engine.failure(operation, path(), -result, 0, true);
            }
        } finally {
            descriptor.exit(true);
        }
    }

    // ------------------------------------------------------------------ closing

    IoEngine engine() {
        return engine;
    }

    /** Where its operations run. */
    LaneHolder lanes() {
        return lanes;
    }

    /** Its number; only between entering and leaving. */
    int descriptor() {
        return descriptor.fd();
    }

    /** {@link Descriptor#checkOpen}. */
    void checkOpen(String operation) throws IoFailure {
        descriptor.checkOpen(operation);
    }

    /** {@link Descriptor#enter(String, PinWaiter)}. */
    void enter(String operation, PinWaiter waiter) {
        descriptor.enter(operation, waiter);
    }

    /** {@link Descriptor#leave}. */
    boolean leave(PinWaiter waiter) {
        return descriptor.leave(waiter);
    }

    /** {@link Descriptor#exit}. */
    void exit(boolean wrote) {
        descriptor.exit(wrote);
    }

    /**
     * Refuses new operations, waits for those under way, closes the descriptor. When it returns nothing of ours holds the
     * file. Idempotent; a second call waits for the first.
     *
     * @throws IllegalStateException on an engine thread
     */
    @Override
    public void close() throws IoFailure {
        descriptor.close();
    }
}
