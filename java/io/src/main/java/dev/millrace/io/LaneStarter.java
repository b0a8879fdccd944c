// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.bindings.Settings;
import dev.millrace.io.engine.Driver;
import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.EngineRefusedException;
import dev.millrace.io.engine.JavaDriver;
import dev.millrace.io.engine.NativeDriver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Starts lanes of a kind on a foundation, as many as are wanted and can be had: under a finite RLIMIT_MEMLOCK smaller
 * rings, then fewer, then fewer buffers registered. The first that cannot be had refuses the kind; a later one does not.
 */
final class LaneStarter implements Lanes.Source {
    private static final int SMALLEST_RING = 32;
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final IoEngineConfig config;
    private final Foundation foundation;

    LaneStarter(IoEngineConfig config, Foundation foundation) {
        this.config = config;
        this.foundation = foundation;
    }

    static String nextName() {
        return "millrace-engine-" + NUMBER.getAndIncrement();
    }

    /** An engine cannot run here; the message is the reason alone. */
    static final class RefusedException extends Exception {
        private static final long serialVersionUID = 1L;

        RefusedException(String reason) {
            super(reason);
        }
    }

    @Override
    public Lanes.Started start(EngineKind kind, boolean besideOthers) throws EngineUnavailableException {
        try {
            return startOrRefuse(kind, besideOthers);
        } catch (RefusedException e) {
            throw new EngineUnavailableException(Lanes.refused(kind) + e.getMessage());
        }
    }

    Lanes.Started startOrRefuse(EngineKind kind, boolean besideOthers) throws RefusedException {
        if (kind == EngineKind.IO_URING
                && Settings.isOff(IoEngineConfig.IO_URING_PROPERTY, IoEngineConfig.IO_URING_VARIABLE)) {
            throw new RefusedException("io_uring is switched off by " + IoEngineConfig.IO_URING_PROPERTY + " or "
                    + IoEngineConfig.IO_URING_VARIABLE);
        }
        if (kind != EngineKind.BLOCKING && foundation.nativeCalls().isEmpty()) {
            throw new RefusedException(foundation.withoutNative());
        }
        List<Lane> lanes = new ArrayList<>();
        boolean whole = false;
        try {
            List<String> notes = startAll(kind, lanes);
            for (Lane lane : lanes) {
                // Registration belongs to the engine thread, as everything that touches the ring does.
                lane.register(foundation.memory(), besideOthers).join();
            }
            whole = true;
            return new Lanes.Started(kind, lanes, notes);
        } catch (CompletionException e) {
            throw new RefusedException("the pool could not be registered: " + e.getCause());
        } finally {
            if (!whole) {
                lanes.forEach(lane -> lane.loop().close());
            }
        }
    }

    /** Adds the lanes that were had; returns the steps down. */
    private List<String> startAll(EngineKind kind, List<Lane> lanes) throws RefusedException {
        int slots = config.slots();
        List<String> fewer = List.of();
        Optional<EngineRefusedException> larger = Optional.empty();
        Optional<String> smaller = Optional.empty();
        while (lanes.size() < config.rings() && fewer.isEmpty()) {
            try {
                lanes.add(new Lane(kind, EngineLoop.start(nextName(), config.queue(), driver(kind, slots))));
                int got = slots;
                smaller = larger.map(refusal -> refusal.report().whySmallerRing(got, config.slots()));
            } catch (Refused e) {
                EngineRefusedException refusal = e.refusal();
                if (kind == EngineKind.IO_URING && refusal.report().isOfMemlock() && slots / 2 >= SMALLEST_RING) {
                    slots /= 2;
                    larger = Optional.of(refusal);
                } else if (lanes.isEmpty()) {
                    throw new RefusedException(refusal.getMessage());
                } else {
                    fewer = List.of(refusal.report().whyFewerRings(lanes.size(), config.rings()));
                }
            } catch (OutOfMemoryError e) {
                if (lanes.isEmpty()) {
                    throw e;
                }
                fewer = List.of(lanes.size() + " engine threads instead of " + config.rings() + ": " + e.getMessage());
            }
        }
        List<String> notes = new ArrayList<>(smaller.map(List::of).orElse(List.of()));
        notes.addAll(fewer);
        return notes;
    }

    private Supplier<Driver> driver(EngineKind kind, int slots) {
        if (kind == EngineKind.BLOCKING) {
            return () -> new JavaDriver(foundation.syscalls(), foundation.binding(), slots, config.workers());
        }
        int number = kind == EngineKind.IO_URING ? NativeDriver.IO_URING : NativeDriver.EPOLL;
        return () -> {
            try {
                return new NativeDriver(
                        foundation.nativeCalls().orElseThrow(),
                        number,
                        slots,
                        config.workers(),
                        config.kernelWorkers());
            } catch (EngineRefusedException e) {
                throw new Refused(e);
            }
        };
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
