// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.NativeConstants;
import dev.millrace.bindings.NativeIo;
import dev.millrace.io.engine.JavaSyscalls;
import dev.millrace.io.engine.NativeSyscalls;
import dev.millrace.io.engine.PoolMemory;
import dev.millrace.io.engine.Syscalls;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What an engine keeps while its lanes come and go: the way to the system, whose descriptors every lane understands, and
 * the memory of its pool.
 *
 * @param nativeCalls the same as {@code syscalls} where that is native code
 * @param syscalls blocking calls on the caller's thread
 * @param withoutNative why there is no native code, as a sentence without its stop; empty where there is
 * @param close gives back what calls have kept, after the lanes were closed; late calls stay possible
 * @param release lets go of the binding, after the last call
 */
record Foundation(
        Optional<NativeSyscalls> nativeCalls,
        Syscalls syscalls,
        PoolMemory memory,
        String withoutNative,
        Runnable close,
        Runnable release) {

    /** Native code, which was loaded for it. Lets go of it where there is no memory. */
    static Foundation ofNative(IoEngineConfig config, NativeIo nativeIo, NativeConstants constants)
            throws EngineUnavailableException {
        PoolMemory memory;
        try {
            memory = mapped(config, () -> PoolMemory.ofNative(nativeIo, config.buffers(), config.bufferSize()));
        } catch (EngineUnavailableException | RuntimeException | Error e) {
            Bindings.release(nativeIo);
            throw e;
        }
        NativeSyscalls calls = new NativeSyscalls(nativeIo, constants);
        return new Foundation(Optional.of(calls), calls, memory, "", calls::close, () -> Bindings.release(nativeIo));
    }

    /** Pure Java. */
    static Foundation ofJava(IoEngineConfig config, String withoutNative) throws EngineUnavailableException {
        return of(
                new JavaSyscalls(),
                mapped(config, () -> PoolMemory.ofJava(config.buffers(), config.bufferSize())),
                withoutNative);
    }

    /** Calls and memory that are brought along. */
    static Foundation of(Syscalls syscalls, PoolMemory memory, String withoutNative) {
        return new Foundation(Optional.empty(), syscalls, memory, withoutNative, () -> {}, () -> {});
    }

    static PoolMemory mapped(IoEngineConfig config, Supplier<PoolMemory> map) throws EngineUnavailableException {
        try {
            return map.get();
        } catch (OutOfMemoryError e) {
            throw new EngineUnavailableException("an engine with " + config.buffers() + " buffers of "
                    + config.bufferSize() + " bytes cannot be had: " + e.getMessage());
        }
    }

    /** The way to native code, {@code none} in pure Java. */
    String binding() {
        return nativeCalls.map(NativeSyscalls::binding).orElse("none");
    }

    /** Ends what was begun for an engine that did not come to be. */
    void abandon() {
        memory.release().run();
        close.run();
        release.run();
    }
}
