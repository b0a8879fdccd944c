// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.JfrEvents;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Syscalls;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The fsyncs of one file. A failure stays: what the kernel dropped then, a second fsync would not miss. */
final class Durability {
    private final IoEngine engine;
    private final Descriptor descriptor;
    private final LaneHolder lanes;
    private final Syscalls syscalls;

    Durability(Descriptor descriptor, LaneHolder lanes, Syscalls syscalls) {
        this.lanes = lanes;
        this.syscalls = syscalls;
        this.engine = descriptor.engine();
        this.descriptor = descriptor;
    }

    /** {@link VirtualFile#sync}. */
    void sync() throws IoFailure {
        int fd = descriptor.enter("fsync");
        try {
            // Looked at with the descriptor in hand: giving it up for another file may have failed a sync, too.
            if (descriptor.syncFailure().isPresent()) {
                throw descriptor.syncFailure().get();
            }
            Optional<BlockingCallEvent> event = JfrEvents.ARE_THERE ? BlockingCallEvent.begun() : Optional.empty();
            descriptor.beginsSync();
            int result = syscalls.fsync(fd);
            if (event.isPresent()) {
                event.get().ended("fsync", descriptor.path(), 0, Math.max(0, -result));
            }
            if (result < 0) {
                throw failure(result);
            }
        } finally {
            descriptor.exit(false);
        }
    }

    /** {@link VirtualFile#syncAsync}. */
    CompletableFuture<Void> syncAsync() {
        try {
            descriptor.checkOpen("fsync");
        } catch (IoFailure e) {
            return CompletableFuture.failedFuture(e);
        }
        if (descriptor.syncFailure().isPresent()) {
            return CompletableFuture.failedFuture(descriptor.syncFailure().get());
        }
        CompletableFuture<Void> future = new CompletableFuture<>();
        SyncOperation operation = new SyncOperation(future);
        descriptor.enter("fsync", operation);
        return future;
    }

    private final class SyncOperation extends LaneOperation implements PinWaiter {
        private final CompletableFuture<Void> future;

        SyncOperation(CompletableFuture<Void> future) {
            this.future = future;
            reset(OpCode.FSYNC);
        }

        @Override
        public void pinned() {
            if (descriptor.syncFailure().isPresent()) {
                descriptor.exit(false);
                refused(descriptor.syncFailure().get());
                return;
            }
            path = descriptor.path();
            fd = descriptor.fd();
            descriptor.beginsSync();
            submitTo(lanes);
        }

        @Override
        public void refused(IoFailure why) {
            engine.completeLater(() -> future.completeExceptionally(why));
        }

        @Override
        void finished(int result) {
            Optional<IoFailure> failure = result >= 0 ? Optional.empty() : Optional.of(failure(result));
            descriptor.exit(false);
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
            descriptor.syncedNothing();
            return engine.failure("fsync", descriptor.path(), Errno.ECANCELED, 0, false);
        }
        return descriptor.syncFailed("fsync", -result, "");
    }
}
