// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Runs a scenario for many seeds, or for the one of {@code -Dseed=}, and tells of the first that fails by its number and
 * the trace of what happened.
 */
public final class Seeds {
    private static final String PROPERTY = "seed";

    private Seeds() {}

    /** What is run for each seed. */
    public interface Scenario {
        /** Runs once; throws where something does not hold. */
        void run(SplittableRandom random, Trace trace) throws Exception;
    }

    /** Runs seeds 0 to {@code count - 1}. */
    public static void run(int count, Scenario scenario) {
        Long only = Long.getLong(PROPERTY);
        if (only != null) {
            runOne(only, scenario);
            return;
        }
        for (long seed = 0; seed < count; seed++) {
            runOne(seed, scenario);
        }
    }

    private static void runOne(long seed, Scenario scenario) {
        Trace trace = new Trace();
        try {
            scenario.run(new SplittableRandom(seed), trace);
        } catch (Exception | AssertionError e) {
            throw new AssertionError(
                    "seed " + seed + " fails (-D" + PROPERTY + "=" + seed + " runs it alone): " + e + "\n" + trace, e);
        }
    }

    /**
     * The first seed for which the scenario fails, as it should with a planted fault, and the first line of what it says;
     * empty where none does.
     */
    public static Optional<String> firstThatFails(int count, Scenario scenario) {
        for (long seed = 0; seed < count; seed++) {
            try {
                scenario.run(new SplittableRandom(seed), new Trace());
            } catch (Exception | AssertionError found) {
                String what = String.valueOf(found.getMessage()).strip();
                return Optional.of(
                        "seed " + seed + ": " + what.lines().findFirst().orElse(""));
            }
        }
        return Optional.empty();
    }
}
