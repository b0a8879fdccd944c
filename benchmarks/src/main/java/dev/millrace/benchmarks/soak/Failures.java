// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What went wrong; the first ends the run. */
final class Failures {
    private final List<String> lines = new CopyOnWriteArrayList<>();

    boolean none() {
        return lines.isEmpty();
    }

    /** Printed at once, since what follows may hang. */
    void add(String place, Throwable problem) {
        String line = place + ": " + problem;
        lines.add(line);
        System.err.println("soak: FAILED: " + line);
        problem.printStackTrace();
    }

    List<String> lines() {
        return new ArrayList<>(lines);
    }
}
