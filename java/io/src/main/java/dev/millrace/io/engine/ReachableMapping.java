// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.NativeIo;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Pool memory that outlives its release by exactly as long as someone can reach a view of it. Release gives the pages
 * back at once and keeps the addresses, so that a late reader finds zeroes; the addresses go when the last view (each
 * slice and duplicate keeps the buffer it was made from) is unreachable. Without this, a view kept past close would be a
 * crash of the JVM.
 */
final class ReachableMapping {
    private static final Cleaner CLEANER = Cleaner.create();

    private final NativeIo nativeIo;
    private final long address;
    private final long length;

    ReachableMapping(NativeIo nativeIo, long address, long length, List<ByteBuffer> views) {
        this.nativeIo = nativeIo;
        this.address = address;
        this.length = length;
        Bindings.retain(nativeIo);
        AtomicInteger reachable = new AtomicInteger(views.size());
        for (ByteBuffer view : views) {
            CLEANER.register(view, () -> {
                if (reachable.decrementAndGet() == 0) {
                    nativeIo.memoryUnmap(address, length);
                    Bindings.release(nativeIo);
                }
            });
        }
    }

    void release() {
        nativeIo.memoryDiscard(address, length);
    }
}
