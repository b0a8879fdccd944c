// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import dev.millrace.benchmarks.soak.Counts.Kind;
import dev.millrace.io.DirectMode;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.IoResult;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Works on one file through the page cache and one past it: by blocking calls on a platform thread or on a virtual one,
 * or by futures, several at once, some of them cancelled.
 */
final class FileWorker extends Worker {
    private static final int BLOCK = FileModel.BLOCK;
    private static final int BLOCKS = 512;
    private static final int MOST_AT_ONCE = 8;
    private static final int MOST_UNALIGNED = 6000;
    /** Of so many steps on files: direct I/O waits for the disk, of which this is not a test. */
    private static final int DIRECT_ONE_IN = 6;

    private static final int RARE = 4000;
    private static final int CANCEL_ONE_IN = 12;

    /** How a worker calls. */
    enum Way {
        PLATFORM,
        VIRTUAL,
        FUTURES
    }

    /** A file, wherever it is called now. */
    private static final class Kept {
        private final DirectMode direct;
        private final FileModel model;
        private Path path;
        private Optional<VirtualFile> file = Optional.empty();

        Kept(DirectMode direct, FileModel model, Path path) {
            this.direct = direct;
            this.model = model;
            this.path = path;
        }

        VirtualFile file() {
            return file.orElseThrow();
        }
    }

    private final Way way;
    private final Kept buffered;
    private final Kept direct;
    private final ByteBuffer heap =
            ByteBuffer.allocate(4 * BLOCK + MOST_UNALIGNED).order(ByteOrder.LITTLE_ENDIAN);

    FileWorker(Way way, String name, long seed, Path parent, Counts counts) throws IOException {
        super(name, seed, parent, counts);
        this.way = way;
        buffered = new Kept(
                DirectMode.OFF, new FileModel(random.nextLong(), BLOCKS, counts), folder.resolve("buffered-0"));
        direct = new Kept(
                DirectMode.PREFERRED, new FileModel(random.nextLong(), BLOCKS, counts), folder.resolve("direct-0"));
    }

    @Override
    boolean isVirtual() {
        return way == Way.VIRTUAL;
    }

    @Override
    void begin(IoEngine engine) throws Exception {
        for (Kept kept : List.of(buffered, direct)) {
            open(engine, kept);
            try (OwnedBuffer buffer = engine.buffers().acquire()) {
                kept.model.resolve(kept.file(), buffer);
                readAll(kept, buffer);
            }
        }
    }

    /** Every byte that the engines before have left. */
    private void readAll(Kept kept, OwnedBuffer buffer) throws Exception {
        int count = buffer.capacity() / BLOCK;
        for (int block = 0; block < BLOCKS; block += count) {
            int bytes = kept.file().read(buffer, 0, count * BLOCK, (long) block * BLOCK);
            kept.model.check(buffer, block, count, bytes);
            counts.add(Kind.READ);
        }
    }

    private void open(IoEngine engine, Kept kept) throws IoFailure {
        OpenOptions options = new OpenOptions(true, true, true, false, false, kept.direct, 0600);
        kept.file = Optional.of(VirtualFile.open(engine, kept.path, options));
        counts.add(Kind.OPEN);
    }

    private void close(Kept kept) throws IoFailure {
        if (kept.file.isPresent()) {
            VirtualFile file = kept.file();
            kept.file = Optional.empty();
            file.close();
            counts.add(Kind.CLOSE);
        }
    }

    @Override
    void end() throws Exception {
        try {
            close(buffered);
        } finally {
            close(direct);
        }
    }

    @Override
    void step(IoEngine engine) throws Exception {
        Kept kept = random.nextInt(DIRECT_ONE_IN) == 0 ? direct : buffered;
        switch (random.nextInt(RARE)) {
            case 0 -> sync(kept);
            case 1, 2 -> resize(kept);
            case 3 -> {
                close(kept);
                open(engine, kept);
            }
            case 4 -> rename(engine, kept);
            default -> {
                int what = random.nextInt(100);
                if (what < 1) {
                    stat(kept);
                } else if (what < 8) {
                    readAnywhere(kept);
                } else if (what < 10) {
                    writeOther(kept);
                } else if (way == Way.FUTURES) {
                    batch(engine, kept);
                } else {
                    transfer(engine, kept);
                }
            }
        }
    }

    private void sync(Kept kept) throws IoFailure, MismatchException {
        if (way == Way.FUTURES) {
            await("a sync of " + kept.path, kept.file().syncAsync());
            counts.add(Kind.FUTURE_SYNC);
        } else {
            kept.file().sync();
            counts.add(Kind.SYNC);
        }
    }

    private void stat(Kept kept) throws IoFailure, MismatchException {
        long size = kept.file().stat().size();
        if (size != (long) kept.model.blocks() * BLOCK) {
            throw new MismatchException(
                    kept.path + " has " + size + " bytes instead of " + (long) kept.model.blocks() * BLOCK);
        }
        counts.add(Kind.STAT);
    }

    private void resize(Kept kept) throws IoFailure, MismatchException {
        int blocks = random.nextInt(BLOCKS + 1);
        kept.model.beginResize();
        if (random.nextBoolean()) {
            kept.file().truncate((long) blocks * BLOCK);
            kept.model.resized(blocks);
            counts.add(Kind.TRUNCATE);
        } else {
            boolean reserved = kept.file().reserve((long) blocks * BLOCK);
            kept.model.resized(reserved ? Math.max(blocks, kept.model.blocks()) : kept.model.blocks());
            counts.add(Kind.RESERVE);
        }
        stat(kept);
    }

    private void rename(IoEngine engine, Kept kept) throws IoFailure, MismatchException {
        Path to = folder.resolve((kept == direct ? "direct-" : "buffered-") + random.nextInt(1, Integer.MAX_VALUE));
        Path from = kept.path;
        close(kept);
        engine.rename(from, to, random.nextBoolean());
        kept.path = to;
        open(engine, kept);
        counts.add(Kind.RENAME);
        if (!engine.exists(to) || engine.exists(from)) {
            throw new MismatchException("a rename of " + from + " to " + to + " was not done");
        }
        if (random.nextInt(4) == 0) {
            engine.syncDirectory(folder);
            counts.add(Kind.FOLDER_SYNC);
        }
    }

    // ------------------------------------------------------------------ blocking

    private void transfer(IoEngine engine, Kept kept) throws Exception {
        int count = 1 + random.nextInt(4);
        int block = random.nextInt(BLOCKS - count + 1);
        FileModel model = kept.model;
        try (OwnedBuffer buffer = engine.buffers().acquire()) {
            if (random.nextInt(3) == 0) {
                int version = model.begin(block, count);
                model.fill(buffer, block, count, version);
                kept.file().write(buffer, 0, count * BLOCK, (long) block * BLOCK);
                model.wrote(block, count, version);
                counts.add(Kind.WRITE);
            } else {
                int bytes = kept.file().read(buffer, 0, count * BLOCK, (long) block * BLOCK);
                model.check(buffer, block, count, bytes);
                counts.add(Kind.READ);
            }
        }
    }

    private void readAnywhere(Kept kept) throws Exception {
        long position = random.nextLong((long) BLOCKS * BLOCK);
        int length = 1 + random.nextInt(MOST_UNALIGNED);
        heap.clear().limit(length);
        int bytes = way == Way.FUTURES
                ? await("a read of any place", kept.file().readAsync(heap, position))
                : kept.file().read(heap, position);
        kept.model.check(heap, position, length, bytes);
        counts.add(Kind.UNALIGNED_READ);
    }

    private void writeOther(Kept kept) throws Exception {
        int count = 1 + random.nextInt(4);
        int block = random.nextInt(BLOCKS - count + 1);
        int version = kept.model.begin(block, count);
        heap.clear().limit(count * BLOCK);
        for (int i = 0; i < count; i++) {
            kept.model.fill(heap, i * BLOCK, block + i, version);
        }
        kept.file().writeAll(heap, (long) block * BLOCK);
        kept.model.wrote(block, count, version);
        counts.add(Kind.BOUNCED_WRITE);
    }

    // ------------------------------------------------------------------ futures

    private record Begun(
            boolean write,
            int block,
            int count,
            int version,
            OwnedBuffer buffer,
            CompletableFuture<IoResult> future,
            boolean cancelled) {}

    /** Several at once, each in its own part of the file. */
    private void batch(IoEngine engine, Kept kept) throws Exception {
        List<Begun> all = new ArrayList<>();
        Optional<IoFailure> failure = Optional.empty();
        int most = 1 + random.nextInt(MOST_AT_ONCE);
        int part = BLOCKS / MOST_AT_ONCE;
        int readable = kept.model.blocks();
        try {
            for (int i = 0; i < most; i++) {
                // One buffer may be waited for; who waited while holding others could wait for ever.
                Optional<OwnedBuffer> buffer = i == 0
                        ? Optional.of(engine.buffers().acquire())
                        : engine.buffers().tryAcquire();
                if (buffer.isEmpty()) {
                    break;
                }
                begin(kept, i * part + random.nextInt(part - 4), readable, buffer.get())
                        .ifPresent(all::add);
            }
            for (Begun one : all) {
                Optional<IoFailure> why = settle(kept.model, one);
                failure = failure.or(() -> why);
            }
        } finally {
            all.forEach(one -> one.buffer.close());
        }
        if (failure.isPresent()) {
            throw failure.get();
        }
        if (!kept.model.isCertain()) {
            try (OwnedBuffer buffer = engine.buffers().acquire()) {
                kept.model.resolve(kept.file(), buffer);
            }
        }
    }

    private Optional<Begun> begin(Kept kept, int block, int readable, OwnedBuffer buffer) {
        int count = 1 + random.nextInt(4);
        boolean write = random.nextInt(3) == 0;
        if (!write && block + count > readable) {
            // What it would read depends on what extends the file meanwhile.
            buffer.close();
            return Optional.empty();
        }
        int version = write ? kept.model.begin(block, count) : 0;
        if (write) {
            kept.model.fill(buffer, block, count, version);
        }
        CompletableFuture<IoResult> future = write
                ? kept.file().writeAsync(buffer, 0, count * BLOCK, (long) block * BLOCK)
                : kept.file().readAsync(buffer, 0, count * BLOCK, (long) block * BLOCK);
        counts.add(write ? Kind.FUTURE_WRITE : Kind.FUTURE_READ);
        boolean cancelled = false;
        if (random.nextInt(CANCEL_ONE_IN) == 0) {
            counts.add(Kind.CANCELS);
            cancelled = future.cancel(true);
            counts.add(Kind.CANCELS_THAT_WON, cancelled ? 1 : 0);
        }
        return Optional.of(new Begun(write, block, count, version, buffer, future, cancelled));
    }

    private static Optional<IoFailure> settle(FileModel model, Begun one) throws MismatchException {
        if (one.cancelled) {
            // The future is done before the kernel is: the buffer tells when that has let go.
            awaitThat("the buffer of a cancelled operation did not come back", one.buffer::isOwned);
            return Optional.empty();
        }
        try {
            IoResult result = await("an operation", one.future);
            if (one.write) {
                model.wrote(one.block, one.count, one.version);
            } else {
                model.check(one.buffer, one.block, one.count, result.bytes());
            }
            return Optional.empty();
        } catch (IoFailure failure) {
            return Optional.of(failure);
        }
    }
}
