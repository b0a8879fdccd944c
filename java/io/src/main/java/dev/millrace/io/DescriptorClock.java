// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.ArrayList;
import java.util.Optional;

/**
 * Descriptors in a circle, and a hand that says which one can best be spared: one that nobody uses or has used since the
 * hand last came by, and without unsynced writes if there is any. Guarded by the cache's lock; uses come and go meanwhile.
 */
final class DescriptorClock {
    private final ArrayList<Descriptor> circle = new ArrayList<>();
    private int hand;

    boolean isEmpty() {
        return circle.isEmpty();
    }

    void add(Descriptor descriptor) {
        descriptor.clockIndex(circle.size());
        circle.add(descriptor);
    }

    /** Takes one out that is in it; does nothing for another. */
    void remove(Descriptor descriptor) {
        int index = descriptor.clockIndex();
        if (index >= 0) {
            Descriptor last = circle.remove(circle.size() - 1);
            if (!last.equals(descriptor)) {
                circle.set(index, last);
                last.clockIndex(index);
            }
            descriptor.clockIndex(-1);
        }
    }

    /** The next one. Not for an empty clock. */
    Descriptor advance() {
        hand = hand + 1 < circle.size() ? hand + 1 : 0;
        return circle.get(hand);
    }

    /** One that can be spared, which nobody can use from now on; empty where all are in use. */
    Optional<Descriptor> claim() {
        for (int i = 0; i < 2 * circle.size(); i++) {
            Descriptor next = advance();
            if (!next.isPinned() && !next.wasUsed() && !next.isDirty() && next.claim()) {
                return Optional.of(next);
            }
        }
        for (int i = 0; i < circle.size(); i++) {
            Descriptor next = advance();
            if (next.claim()) {
                return Optional.of(next);
            }
        }
        return Optional.empty();
    }
}
