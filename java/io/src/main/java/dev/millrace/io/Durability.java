// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.JfrEvents;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The fsyncs of one file. A failure stays: what the kernel dropped then, a second fsync would not miss. */
final class Durability {
    private final IoEngine engine;
    private final Descriptor descriptor;
    private volatile Optional<FatalIoException> failed = Optional.empty();

    Durability(Descriptor descriptor) {
        this.engine = descriptor.engine();
        this.descriptor = descriptor;
    }

    /** {@link VirtualFile#sync}. */
    void sync() throws IoFailure {
        descriptor.enter("fsync");
        try {
            if (failed.isPresent()) {
                throw failed.get();
            }
            Optional<BlockingCallEvent> event = JfrEvents.ARE_THERE ? BlockingCallEvent.begun() : Optional.empty();
            int result = engine.syscalls().fsync(descriptor.fd());
            if (event.isPresent()) {
                event.get().ended("fsync", descriptor.path(), 0, Math.max(0, -result));
            }
            if (result < 0) {
                throw failure(result);
            }
        } finally {
            descriptor.exit();
        }
    }

    /** {@link VirtualFile#syncAsync}. */
    CompletableFuture<Void> syncAsync() {
        try {
            descriptor.enter("fsync");
        } catch (IoFailure e) {
            return CompletableFuture.failedFuture(e);
        }
        if (failed.isPresent()) {
            descriptor.exit();
            return CompletableFuture.failedFuture(failed.get());
        }
        CompletableFuture<Void> future = new CompletableFuture<>();
        engine.loop().submit(new SyncOperation(future));
        return future;
    }

    private final class SyncOperation extends Operation {
        private final CompletableFuture<Void> future;

        SyncOperation(CompletableFuture<Void> future) {
            this.future = future;
            reset(OpCode.FSYNC);
            path = descriptor.path();
            fd = descriptor.fd();
        }

        @Override
        protected void completed(int result) {
            Optional<IoFailure> failure = result >= 0 ? Optional.empty() : Optional.of(failure(result));
            descriptor.exit();
            engine.completeLater(() -> {
                if (failure.isEmpty()) {
                    future.complete(null);
                } else {
                    future.completeExceptionally(failure.get());
                }
            });
        }
    }

    /** A cancelled fsync says nothing about the disk: the engine was closed before it ran. */
    private IoFailure failure(int result) {
        if (result == -Errno.ECANCELED) {
            return engine.failure("fsync", descriptor.path(), Errno.ECANCELED, 0, false);
        }
        FatalIoException fatal = new FatalIoException("fsync", descriptor.path(), -result, "");
        failed = Optional.of(fatal);
        return fatal;
    }
}
