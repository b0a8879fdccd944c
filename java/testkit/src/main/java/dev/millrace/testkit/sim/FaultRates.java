// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

/**
 * How often what happens, of a thousand operations each.
 *
 * @param shortResults reads and writes that move less than they were asked to
 * @param errors operations that fail, with any errno
 * @param interruptions operations of the engine that come back with EINTR, or with an ECANCELED that nobody asked for
 * @param late operations of the engine that take a hundred times as long as the others
 */
public record FaultRates(int shortResults, int errors, int interruptions, int late) {
    /** Nothing but reordering. */
    public static final FaultRates NONE = new FaultRates(0, 0, 0, 50);
    /** What a correct program never shows its caller: short results, interruptions, any order. */
    public static final FaultRates HARMLESS = new FaultRates(300, 0, 60, 100);
    /** Errors too. */
    public static final FaultRates ERRORS = new FaultRates(200, 40, 30, 100);
}
