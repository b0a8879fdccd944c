// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.Operation;

/** One request to a lane, which it holds until it has ended. */
abstract class LaneOperation extends Operation {
    private Lane lane;

    /** Submits what was filled in. */
    final void submitTo(LaneHolder holder) {
        lane = holder.hold();
        lane.loop().submit(this);
    }

    @Override
    protected final void completed(int result) {
        Lane held = lane;
        try {
            finished(result);
        } finally {
            held.letGo();
        }
    }

    /** The result, by the rules of {@link Operation#completed}. */
    abstract void finished(int result);
}
