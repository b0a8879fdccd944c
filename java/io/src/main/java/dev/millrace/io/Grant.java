// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** Room for a request; with the descriptor that has to be closed first. Carried out by whoever begins it first. */
final class Grant {
    private final DescriptorCache.Request request;
    private final Optional<Descriptor> victim;
    private final AtomicBoolean begun = new AtomicBoolean();

    Grant(DescriptorCache.Request request, Optional<Descriptor> victim) {
        this.request = request;
        this.victim = victim;
    }

    DescriptorCache.Request request() {
        return request;
    }

    Optional<Descriptor> victim() {
        return victim;
    }

    boolean begin() {
        return begun.compareAndSet(false, true);
    }
}
