// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.NativeConstants;
import dev.millrace.bindings.NativeIo;
import dev.millrace.bindings.Settings;
import dev.millrace.io.engine.Driver;
import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.EngineRefusedException;
import dev.millrace.io.engine.JavaDriver;
import dev.millrace.io.engine.NativeDriver;
import dev.millrace.io.engine.PoolMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses and starts an engine. One asked for by name is that one or a clear error; otherwise the best that works, each
 * step down kept as a sentence and said in one log line.
 */
final class EngineFactory {
    private static final Logger LOG = LoggerFactory.getLogger(EngineFactory.class);
    private static final int SMALLEST_RING = 32;
    private static final AtomicInteger NUMBER = new AtomicInteger();

    /**
     * What was started.
     *
     * @param release lets go of the binding, after the engine was closed
     */
    record Opened(EngineKind kind, EngineLoop loop, PoolMemory memory, List<String> notes, Runnable release) {

        Opened held(NativeIo nativeIo) {
            return new Opened(kind, loop, memory, notes, () -> Bindings.release(nativeIo));
        }
    }

    private EngineFactory() {}

    static Opened open(IoEngineConfig config) throws EngineUnavailableException {
        Optional<EngineKind> wanted = config.engine();
        if (wanted.equals(Optional.of(EngineKind.BLOCKING))) {
            return start(
                    config, EngineKind.BLOCKING, () -> new JavaDriver(config.slots(), config.workers()), List.of());
        }
        List<String> notes = new ArrayList<>();
        Bindings bindings = Bindings.load(config.binding());
        if (bindings.nativeIo().isEmpty()) {
            String reason = "no native library: " + bindings.reasons();
            Optional<String> binding = wantedBinding(config);
            if (wanted.isPresent() || binding.isPresent()) {
                throw new EngineUnavailableException("the engine "
                        + wanted.map(EngineKind::label).orElse("by binding " + binding.orElse(""))
                        + " cannot be had: " + reason);
            }
            notes.add(reason);
        } else {
            NativeIo nativeIo = bindings.nativeIo().get();
            Optional<Opened> opened = Optional.empty();
            try {
                opened = openNative(config, nativeIo, bindings.constants().orElseThrow(), notes);
            } finally {
                if (opened.isEmpty()) {
                    Bindings.release(nativeIo);
                }
            }
            if (opened.isPresent()) {
                return said(opened.get().held(nativeIo));
            }
        }
        return said(start(config, EngineKind.BLOCKING, () -> new JavaDriver(config.slots(), config.workers()), notes));
    }

    /** io_uring, else epoll; empty where neither can be had and none was asked for, with the reasons in the notes. */
    private static Optional<Opened> openNative(
            IoEngineConfig config, NativeIo nativeIo, NativeConstants constants, List<String> notes)
            throws EngineUnavailableException {
        Optional<EngineKind> wanted = config.engine();
        if (!wanted.equals(Optional.of(EngineKind.EPOLL))) {
            Optional<Opened> ring = openRing(config, nativeIo, constants, notes);
            if (ring.isPresent()) {
                return ring;
            }
            if (wanted.isPresent()) {
                throw new EngineUnavailableException("the engine io_uring cannot be had: " + String.join("; ", notes));
            }
        }
        try {
            return Optional.of(start(
                    config,
                    EngineKind.EPOLL,
                    nativeDriver(config, nativeIo, constants, NativeDriver.EPOLL, config.slots()),
                    notes));
        } catch (Refused e) {
            notes.add(e.refusal().getMessage());
            if (wanted.isPresent()) {
                throw new EngineUnavailableException("the engine epoll cannot be had: " + String.join("; ", notes));
            }
            return Optional.empty();
        }
    }

    /** The binding that the program asked for, or the settings where native code is not switched off by them. */
    private static Optional<String> wantedBinding(IoEngineConfig config) {
        Optional<String> asked = config.binding();
        if (asked.isEmpty() && !Settings.isOff(Bindings.NATIVE_PROPERTY, Bindings.NATIVE_VARIABLE)) {
            asked = Settings.read(Bindings.BINDING_PROPERTY, Bindings.BINDING_VARIABLE);
        }
        return asked.filter(name -> !name.equals("auto"));
    }

    private static Opened said(Opened opened) {
        if (!opened.notes().isEmpty()) {
            LOG.warn("Millrace runs on the engine {}: {}", opened.kind().label(), String.join("; ", opened.notes()));
        }
        return opened;
    }

    /** io_uring, with a smaller ring where a finite RLIMIT_MEMLOCK refuses the full one. */
    private static Optional<Opened> openRing(
            IoEngineConfig config, NativeIo nativeIo, NativeConstants constants, List<String> notes)
            throws EngineUnavailableException {
        if (Settings.isOff(IoEngineConfig.IO_URING_PROPERTY, IoEngineConfig.IO_URING_VARIABLE)) {
            notes.add("io_uring is switched off by " + IoEngineConfig.IO_URING_PROPERTY + " or "
                    + IoEngineConfig.IO_URING_VARIABLE);
            return Optional.empty();
        }
        int slots = config.slots();
        List<String> soFar = new ArrayList<>(notes);
        while (true) {
            try {
                return Optional.of(start(
                        config,
                        EngineKind.IO_URING,
                        nativeDriver(config, nativeIo, constants, NativeDriver.IO_URING, slots),
                        soFar));
            } catch (Refused e) {
                if (!e.refusal().report().isOfMemlock() || slots / 2 < SMALLEST_RING) {
                    notes.add(e.refusal().getMessage());
                    return Optional.empty();
                }
                slots /= 2;
                soFar = new ArrayList<>(notes);
                soFar.add(e.refusal().report().whySmallerRing(slots, config.slots()));
            }
        }
    }

    private static Supplier<Driver> nativeDriver(
            IoEngineConfig config, NativeIo nativeIo, NativeConstants constants, int kind, int slots) {
        return () -> {
            try {
                return new NativeDriver(nativeIo, constants, kind, slots, config.workers(), config.kernelWorkers());
            } catch (EngineRefusedException e) {
                throw new Refused(e);
            }
        };
    }

    static Opened start(IoEngineConfig config, EngineKind kind, Supplier<Driver> driver, List<String> notes)
            throws EngineUnavailableException {
        EngineLoop loop = EngineLoop.start("millrace-engine-" + NUMBER.getAndIncrement(), config.queue(), driver);
        // Registration belongs to the engine thread, as everything that touches the ring does.
        CompletableFuture<PoolMemory> mapped = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                mapped.complete(loop.driver().mapPool(config.buffers(), config.bufferSize()));
            } catch (Throwable t) {
                mapped.completeExceptionally(t);
            }
        });
        PoolMemory memory;
        try {
            memory = mapped.join();
        } catch (CompletionException e) {
            loop.close();
            throw new EngineUnavailableException(
                    "an engine with " + config.buffers() + " buffers of " + config.bufferSize()
                            + " bytes cannot be had: " + e.getCause().getMessage());
        }
        List<String> all = new ArrayList<>(notes);
        memory.note().ifPresent(all::add);
        return new Opened(kind, loop, memory, List.copyOf(all), () -> {});
    }

    /** Carries a refusal out of the supplier. */
    private static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient EngineRefusedException refusal;

        Refused(EngineRefusedException refusal) {
            super(refusal);
            this.refusal = refusal;
        }

        EngineRefusedException refusal() {
            return refusal;
        }
    }
}
