// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import dev.millrace.io.engine.OpCode;
import java.util.HashMap;
import java.util.Map;

/** Operations that are to fail as a test says, beside those that chance chooses. Thread-safe. */
public final class PlannedFailures {
    private record Plan(int after, int errno) {}

    private final Map<Integer, Plan> plans = new HashMap<>();

    PlannedFailures() {}

    /**
     * Of the operations of a kind that are carried out from now on, blocking calls too, one fails, once. In place of what was
     * planned for that kind before.
     *
     * @param code of {@link OpCode}
     * @param nth which one; 1 is the next
     */
    public synchronized void fail(int code, int nth, int errno) {
        plans.put(code, new Plan(nth - 1, errno));
    }

    /** True while something planned has not happened yet. */
    public synchronized boolean isAnyLeft() {
        return !plans.isEmpty();
    }

    /** An operation of a kind is carried out: the errno that it is to fail with, or 0. */
    synchronized int next(int code) {
        Plan plan = plans.remove(code);
        if (plan != null && plan.after() > 0) {
            plans.put(code, new Plan(plan.after() - 1, plan.errno()));
        }
        return plan != null && plan.after() == 0 ? plan.errno() : 0;
    }
}
