// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import dev.millrace.benchmarks.soak.Counts.Kind;
import dev.millrace.io.CopyLoop;
import dev.millrace.io.DirectMode;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.VirtualFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Brings streams of any length to disk by copy loops, in chunks of any size, and reads them back. */
final class CopyWorker extends Worker {
    private static final int BLOCK = FileModel.BLOCK;
    private static final int MOST_BLOCKS = 256;
    private static final int ABORT_ONE_IN = 8;

    private final ByteBuffer source = memory(MOST_BLOCKS);
    private final ByteBuffer target = memory(MOST_BLOCKS);
    private final FileModel pattern;
    private int version;

    CopyWorker(String name, long seed, Path parent, Counts counts) throws IOException {
        super(name, seed, parent, counts);
        pattern = new FileModel(random.nextLong(), MOST_BLOCKS, counts);
    }

    private static ByteBuffer memory(int blocks) {
        return ByteBuffer.allocateDirect(blocks * BLOCK).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    void begin(IoEngine engine) throws Exception {
        engine.deleteIfExists(path());
    }

    @Override
    void end() {
        // Nothing stays open between steps.
    }

    private Path path() {
        return folder.resolve("copy");
    }

    @Override
    void step(IoEngine engine) throws Exception {
        int length = random.nextInt(source.capacity() + 1);
        version++;
        source.clear();
        for (int block = 0; block * BLOCK < length; block++) {
            pattern.fill(source, block * BLOCK, block, version);
        }
        DirectMode direct = random.nextInt(3) == 0 ? DirectMode.PREFERRED : DirectMode.OFF;
        try (VirtualFile file =
                VirtualFile.open(engine, path(), OpenOptions.creatingNew().withDirect(direct))) {
            boolean reserve = random.nextBoolean();
            long reservedTo = reserve && file.reserve(length) ? length : random.nextBoolean() ? Long.MAX_VALUE : 0;
            if (copy(file, length, reservedTo)) {
                compare(file, length);
                counts.add(Kind.COPY_LOOP);
            } else {
                counts.add(Kind.COPY_LOOP_ABORTED);
            }
        }
        counts.add(Kind.OPEN);
        counts.add(Kind.CLOSE);
        if (!engine.deleteIfExists(path())) {
            throw new MismatchException(path() + " was not there any more");
        }
        counts.add(Kind.UNLINK);
    }

    /** False where it was given up. */
    private boolean copy(VirtualFile file, int length, long reservedTo) throws IoFailure, MismatchException {
        Semaphore ready = new Semaphore(0);
        long[] observed = {0};
        CopyLoop loop = CopyLoop.start(
                file,
                0,
                reservedTo,
                1 + random.nextInt(3),
                (buffer, at, count) -> observed[0] += count,
                ready::release);
        int givesUpAt = random.nextInt(ABORT_ONE_IN) == 0 ? random.nextInt(length + 1) : Integer.MAX_VALUE;
        Optional<IoFailure> failure = Optional.empty();
        source.clear();
        try {
            while (source.position() < length && source.position() < givesUpAt) {
                source.limit(Math.min(length, source.position() + 1 + random.nextInt(64 << 10)));
                while (!loop.write(source)) {
                    awaitReady(ready);
                }
            }
        } catch (IoFailure e) {
            failure = Optional.of(e);
        }
        CompletableFuture<Optional<IoFailure>> outcome = new CompletableFuture<>();
        boolean whole = failure.isEmpty() && source.position() >= length;
        if (whole) {
            loop.finish(outcome::complete);
        } else {
            loop.abort(() -> outcome.complete(Optional.empty()));
        }
        Optional<IoFailure> end = await("a copy loop", outcome);
        failure = failure.or(() -> end);
        if (failure.isPresent()) {
            throw failure.get();
        }
        if (whole && observed[0] != length) {
            throw new MismatchException("an observer saw " + observed[0] + " of " + length + " bytes");
        }
        return whole;
    }

    private static void awaitReady(Semaphore ready) throws MismatchException {
        try {
            if (!ready.tryAcquire(2, TimeUnit.MINUTES)) {
                throw new MismatchException("a copy loop never told its producer to go on");
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a worker", e);
        }
    }

    private void compare(VirtualFile file, int length) throws IoFailure, MismatchException {
        long size = file.stat().size();
        if (size != length) {
            throw new MismatchException("a copy loop left " + size + " bytes instead of " + length);
        }
        target.clear().limit(length);
        file.readExact(target, 0);
        target.flip();
        source.clear().limit(length);
        int wrong = target.mismatch(source);
        if (wrong >= 0) {
            throw new MismatchException("a copy loop wrote byte " + wrong + " of " + length + " wrong");
        }
        counts.add(Kind.UNALIGNED_READ);
        counts.add(Kind.KIB_CHECKED, length >> 10);
    }
}
