// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import dev.millrace.bindings.NativeConstants;
import dev.millrace.bindings.NativeIo;
import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.EngineRefusedException;
import dev.millrace.io.engine.NativeDriver;
import dev.millrace.io.engine.NativeSyscalls;
import dev.millrace.io.engine.PoolMemory;
import dev.millrace.io.engine.Registration;
import java.util.concurrent.CompletableFuture;

/**
 * An engine thread over native code with buffers, and nothing of what the library puts above: for measurements of what
 * handlers do.
 *
 * @param loop the thread; closed by its owner
 * @param driver what it turns
 * @param syscalls blocking calls
 * @param buffers released after the loop was closed
 * @param registration which of them it knows
 */
public record NativeLoop(
        EngineLoop loop, NativeDriver driver, NativeSyscalls syscalls, PoolMemory buffers, Registration registration)
        implements AutoCloseable {
    /**
     * How large it is.
     *
     * @param slots operations in flight at most
     * @param workers threads for what the ring cannot do
     * @param kernelWorkers bound of the kernel's own
     * @param buffers how many
     * @param bufferSize bytes of each
     */
    public record Size(int slots, int workers, int kernelWorkers, int buffers, int bufferSize) {}

    /**
     * Starts one.
     *
     * @param kind {@link NativeDriver#IO_URING} or {@link NativeDriver#EPOLL}
     * @throws IllegalStateException where it cannot be had
     */
    public static NativeLoop start(String name, NativeIo nativeIo, NativeConstants constants, int kind, Size size) {
        NativeSyscalls syscalls = new NativeSyscalls(nativeIo, constants);
        EngineLoop loop = EngineLoop.start(name, 1024, () -> {
            try {
                return new NativeDriver(syscalls, kind, size.slots(), size.workers(), size.kernelWorkers());
            } catch (EngineRefusedException e) {
                throw new IllegalStateException(e.getMessage(), e);
            }
        });
        NativeDriver driver = (NativeDriver) loop.driver();
        PoolMemory buffers = PoolMemory.ofNative(nativeIo, size.buffers(), size.bufferSize());
        CompletableFuture<Registration> registered = new CompletableFuture<>();
        loop.execute(() -> registered.complete(driver.register(buffers)));
        return new NativeLoop(loop, driver, syscalls, buffers, registered.join());
    }

    @Override
    public void close() {
        loop.close();
        buffers.release().run();
        syscalls.close();
    }
}
