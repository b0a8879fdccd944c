// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.bindings.Settings;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * How an engine is made. Start with {@link #defaults()} and derive.
 *
 * @param engine the engine asked for; empty chooses the best that works
 * @param binding the binding asked for ({@code ffm}, {@code jni}, {@code jna}); empty chooses
 * @param slots operations in flight at most, 8 to 32768
 * @param queue operations of callers that may be queued or in flight at most; further callers wait
 * @param workers threads for file operations that the engine cannot hand to the kernel's ring, 1 to 256
 * @param kernelWorkers bound of the kernel's own worker threads of each kind; 0 leaves the kernel's default
 * @param bufferSize bytes of one pool buffer, a multiple of 4096, at most 1 GiB
 * @param buffers buffers in the pool; together they bound the memory of I/O
 * @param descriptors descriptors of {@link VirtualFile}s open at most, 1 to 1048576; any number of files may be open
 * @param rings rings, each with an engine thread of its own, 1 to 64; slots, queue and workers are those of each. A file
 *     stays on one. More than one is for machines where one engine thread is full (see the package's documentation)
 * @param switching whether an engine that is opened as blocking by name loads native code where it can, to be able to
 *     switch later ({@link IoEngine#switchTo}); others have it anyway
 * @param executor completes users' futures; empty makes a pool of daemon threads. Never the engine's own thread.
 */
public record IoEngineConfig(
        Optional<EngineKind> engine,
        Optional<String> binding,
        int slots,
        int queue,
        int workers,
        int kernelWorkers,
        int bufferSize,
        int buffers,
        int descriptors,
        int rings,
        boolean switching,
        Optional<Executor> executor) {
    /** Names the engine where the program does not: {@code auto}, {@code io_uring}, {@code epoll}, {@code blocking}. */
    public static final String ENGINE_PROPERTY = "millrace.engine";
    /** The same in the environment. */
    public static final String ENGINE_VARIABLE = "MILLRACE_ENGINE";
    /** {@code off} makes no io_uring call at all: for sandboxes that kill a process that so much as probes. */
    public static final String IO_URING_PROPERTY = "millrace.io_uring";
    /** The same in the environment. */
    public static final String IO_URING_VARIABLE = "MILLRACE_IO_URING";

    /**
     * A quarter of 4096, the smallest hard limit of descriptors that distributions give a process and to which a JVM raises
     * its own: sockets, jars and further engines have the rest. Where there are fewer, the cache gives some up.
     */
    private static final int DEFAULT_DESCRIPTORS = 1024;

    /** Checks the bounds. */
    public IoEngineConfig {
        check(slots, 8, 32768, "slots");
        check(queue, 8, 1 << 24, "queue");
        check(workers, 1, 256, "workers");
        check(kernelWorkers, 0, 32768, "kernelWorkers");
        check(bufferSize, 4096, 1 << 30, "bufferSize");
        check(buffers, 1, 16384, "buffers");
        check(descriptors, 1, 1 << 20, "descriptors");
        check(rings, 1, 64, "rings");
        if (bufferSize % 4096 != 0) {
            throw new IllegalArgumentException("bufferSize is " + bufferSize + " and must be a multiple of 4096 bytes");
        }
    }

    private static void check(int value, int low, int high, String name) {
        if (value < low || value > high) {
            throw new IllegalArgumentException(name + " is " + value + " and must lie between " + low + " and " + high);
        }
    }

    /**
     * The best engine that works (or the one named by {@value #ENGINE_PROPERTY}), 1024 slots, 64 buffers of 1 MiB, 1024
     * descriptors.
     */
    public static IoEngineConfig defaults() {
        return new IoEngineConfig(
                Settings.read(ENGINE_PROPERTY, ENGINE_VARIABLE).flatMap(EngineKind::parse),
                Optional.empty(),
                1024,
                1 << 16,
                8,
                8,
                1 << 20,
                64,
                DEFAULT_DESCRIPTORS,
                1,
                false,
                Optional.empty());
    }

    /** The same with this engine or none. */
    public IoEngineConfig withEngine(EngineKind kind) {
        return withEngine(Optional.of(kind));
    }

    /** The same with this engine, or with the best that works. */
    public IoEngineConfig withEngine(Optional<EngineKind> kind) {
        return with(draft -> draft.engine = kind);
    }

    /** The same with this binding. */
    public IoEngineConfig withBinding(String name) {
        return with(draft -> draft.binding = Optional.of(name));
    }

    /** The same with another bound of operations in flight. */
    public IoEngineConfig withSlots(int count) {
        return with(draft -> draft.slots = count);
    }

    /** The same with another pool: count and size in bytes of its buffers. */
    public IoEngineConfig withPool(int count, int size) {
        return with(draft -> {
            draft.bufferSize = size;
            draft.buffers = count;
        });
    }

    /** The same with another number of worker threads. */
    public IoEngineConfig withWorkers(int count) {
        return with(draft -> draft.workers = count);
    }

    /**
     * The same with another bound of descriptors open at once for {@link VirtualFile}s: more are opened and closed by turns.
     * Files that are locked, or have lost their names, keep theirs.
     */
    public IoEngineConfig withDescriptors(int count) {
        return with(draft -> draft.descriptors = count);
    }

    /** The same with another number of rings. */
    public IoEngineConfig withRings(int count) {
        return with(draft -> draft.rings = count);
    }

    /** The same, able to switch to engines of native code also where it is opened as blocking. */
    public IoEngineConfig withSwitching() {
        return with(draft -> draft.switching = true);
    }

    /** The same with this executor for users' futures. */
    public IoEngineConfig withExecutor(Executor chosen) {
        return with(draft -> draft.executor = Optional.of(chosen));
    }

    private IoEngineConfig with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finished();
    }

    /** A copy under way: the one place that knows all components, so that each derivation names only its own. */
    private static final class Draft {
        private Optional<EngineKind> engine;
        private Optional<String> binding;
        private int slots;
        private final int queue;
        private int workers;
        private final int kernelWorkers;
        private int bufferSize;
        private int buffers;
        private int descriptors;
        private int rings;
        private boolean switching;
        private Optional<Executor> executor;

        Draft(IoEngineConfig from) {
            engine = from.engine;
            binding = from.binding;
            slots = from.slots;
            queue = from.queue;
            workers = from.workers;
            kernelWorkers = from.kernelWorkers;
            bufferSize = from.bufferSize;
            buffers = from.buffers;
            descriptors = from.descriptors;
            rings = from.rings;
            switching = from.switching;
            executor = from.executor;
        }

        IoEngineConfig finished() {
            return new IoEngineConfig(
                    engine,
                    binding,
                    slots,
                    queue,
                    workers,
                    kernelWorkers,
                    bufferSize,
                    buffers,
                    descriptors,
                    rings,
                    switching,
                    executor);
        }
    }
}
