// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import java.util.ArrayDeque;
import java.util.regex.Pattern;

/** What happened, in order, for whoever has to understand a seed that failed: the last lines of it. Thread-safe. */
public final class Trace {
    private static final int MOST = 400;
    /** Temporary names are drawn by chance, not from the seed: left out, so that two runs of one seed read the same. */
    private static final Pattern CHANCE = Pattern.compile("\\.[0-9a-f]{32}\\.");

    private final ArrayDeque<String> lines = new ArrayDeque<>();
    private long dropped;
    private long faults;
    private long powerLosses;

    /** Adds a line. */
    public synchronized void add(String line) {
        if (lines.size() == MOST) {
            lines.poll();
            dropped++;
        }
        lines.add(line);
    }

    /** One more fault that the seed chose: an errno, a short result, an interruption, a cancel. */
    synchronized void addFault() {
        faults++;
    }

    /** The power went. */
    synchronized void addPowerLoss() {
        powerLosses++;
    }

    /** Faults so far. */
    public synchronized long faults() {
        return faults;
    }

    /** How often the power went. */
    public synchronized long powerLosses() {
        return powerLosses;
    }

    /** All of it, a line each. */
    @Override
    public synchronized String toString() {
        String head = dropped == 0 ? "" : "  ... " + dropped + " lines before\n";
        return head + CHANCE.matcher("  " + String.join("\n  ", lines)).replaceAll(".CHANCE.");
    }
}
