// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.Settings;
import dev.millrace.io.engine.PoolMemory;
import dev.millrace.io.engine.ScriptedDriver;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Assumptions;

/** Engines for tests: each kind that this machine has, or one over a scripted driver. */
final class TestEngines {
    static final int BUFFER = 64 << 10;
    static final int BUFFERS = 8;

    /** Engines of the test that runs. */
    private static final List<IoEngine> OPENED = Collections.synchronizedList(new ArrayList<>());

    private TestEngines() {}

    static void forgetOpened() {
        OPENED.clear();
    }

    /** Fails where an engine of the test that ran keeps a slot, a place in line, a descriptor or a buffer. */
    static void checkOpened() {
        for (IoEngine engine : List.copyOf(OPENED)) {
            assertThat(engine.pendingFromCallers()).as("places still taken").isZero();
            assertThat(engine.counters().inFlight()).as("slots still taken").isZero();
            assertThat(engine.descriptors().open())
                    .as("descriptors still open")
                    .isZero();
            assertThat(engine.descriptors().kept())
                    .as("descriptors still kept")
                    .isZero();
            assertThat(engine.descriptors().mostOpen())
                    .as("most descriptors open")
                    .isLessThanOrEqualTo(engine.descriptors().limit());
            assertThat(engine.buffers().available())
                    .as("buffers in the pool")
                    .isEqualTo(engine.buffers().size());
        }
    }

    static IoEngineConfig config(EngineKind kind) {
        return IoEngineConfig.defaults()
                .withEngine(kind)
                .withSlots(64)
                .withWorkers(4)
                .withPool(BUFFERS, BUFFER);
    }

    /** The binding that native engines of this run must have: the one asked for, else the JDK's best. */
    static String binding() {
        return Settings.read(Bindings.BINDING_PROPERTY, Bindings.BINDING_VARIABLE)
                .filter(name -> !name.equals("auto"))
                .orElse(Runtime.version().feature() >= 22 ? "ffm" : "jni");
    }

    /** Opens, or skips the test with the reason where this machine or JDK has no such engine. */
    static IoEngine open(IoEngineConfig config) {
        try {
            IoEngine engine = IoEngine.open(config);
            OPENED.add(engine);
            return engine;
        } catch (EngineUnavailableException e) {
            return Assumptions.abort(e.getMessage());
        }
    }

    static IoEngine scripted(ScriptedDriver driver, int buffers, int size) {
        return scripted(driver, buffers, size, IoEngineConfig.defaults().descriptors());
    }

    static IoEngine scripted(ScriptedDriver driver, int buffers, int size, int descriptors) {
        return scripted(
                IoEngineConfig.defaults().withWorkers(1).withDescriptors(descriptors),
                driver,
                PoolMemory.ofJava(buffers, size));
    }

    static IoEngine scripted(IoEngineConfig config, ScriptedDriver driver, PoolMemory memory) {
        try {
            IoEngine engine = new IoEngine(config, EngineFactory.over(config, () -> driver, () -> memory));
            OPENED.add(engine);
            return engine;
        } catch (EngineUnavailableException e) {
            throw new AssertionError(e);
        }
    }

    /** Threads that park instead of blocking a carrier; nothing on a JDK that has none. */
    static Optional<ExecutorService> virtualThreads() {
        try {
            return Optional.of((ExecutorService) java.lang.invoke.MethodHandles.publicLookup()
                    .findStatic(
                            Executors.class,
                            "newVirtualThreadPerTaskExecutor",
                            java.lang.invoke.MethodType.methodType(ExecutorService.class))
                    .invokeExact());
        } catch (NoSuchMethodException e) {
            return Optional.empty();
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}
