// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.ScriptedDriver;
import dev.millrace.io.engine.ScriptedDriver.Flight;
import dev.millrace.io.engine.Syscalls;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;

/** An engine over a scripted driver with real files below, and what its tests share. */
final class ScriptedFiles implements AutoCloseable {
    /** What a stub answers instead of a blocking call; null lets the call through. */
    interface Stub {
        Object answer(String method, Object[] arguments);
    }

    final ScriptedDriver driver;
    final IoEngine engine;
    /** Codes of what was staged, in order. */
    final List<Flight> seen = Collections.synchronizedList(new ArrayList<>());

    ScriptedFiles(int buffers, int size) {
        this(buffers, size, (method, arguments) -> null);
    }

    ScriptedFiles(int buffers, int size, Stub stub) {
        this(buffers, size, IoEngineConfig.defaults().descriptors(), stub);
    }

    ScriptedFiles(int buffers, int size, int descriptors, Stub stub) {
        driver = new ScriptedDriver(64);
        answerAll();
        Syscalls real = driver.syscalls();
        driver.syscalls((Syscalls) Proxy.newProxyInstance(
                Syscalls.class.getClassLoader(), new Class<?>[] {Syscalls.class}, (proxy, method, arguments) -> {
                    Object answer = stub.answer(method.getName(), arguments);
                    try {
                        return answer == null ? method.invoke(real, arguments) : answer;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
        engine = TestEngines.scripted(driver, buffers, size, descriptors);
    }

    /** Carries everything out on real files. */
    void answerAll() {
        script(flight -> OptionalInt.of(driver.perform(flight.operation())));
    }

    void script(Function<Flight, OptionalInt> script) {
        driver.script(flight -> {
            seen.add(flight);
            return script.apply(flight);
        });
    }

    /** Answers one kind of operation by a script and the rest by the files. */
    void script(int code, Function<Flight, OptionalInt> script) {
        script(flight ->
                flight.code() == code ? script.apply(flight) : OptionalInt.of(driver.perform(flight.operation())));
    }

    /** Leaves one kind of operation in flight. */
    void hold(int code) {
        script(code, flight -> OptionalInt.empty());
    }

    /** Carries out what is in flight and answers it. */
    void release(Flight flight) {
        driver.complete(flight, driver.perform(flight.operation()));
    }

    long count(int code) {
        synchronized (seen) {
            return seen.stream().filter(flight -> flight.code() == code).count();
        }
    }

    VirtualFile open(Path path) throws IoFailure {
        return VirtualFile.open(engine, path, OpenOptions.creating());
    }

    VirtualFile openDirect(Path path) throws IoFailure {
        return VirtualFile.open(engine, path, OpenOptions.creating().withDirect(DirectMode.REQUIRED));
    }

    /** Lets everything held go, and checks that nothing stays behind. */
    @Override
    public void close() {
        for (Flight flight : held()) {
            release(flight);
        }
        int available = engine.buffers().available();
        engine.close();
        assertThat(available)
                .as("buffers in the pool")
                .isEqualTo(engine.buffers().size());
        assertThat(driver.openFiles()).as("open files").isZero();
        assertThat(driver.callsAfterDestroy()).isZero();
    }

    private List<Flight> held() {
        try {
            return driver.awaitInFlight(0);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    static boolean isTransfer(Flight flight) {
        return flight.code() == OpCode.WRITE || flight.code() == OpCode.READ;
    }
}
