// SPDX-License-Identifier: Apache-2.0
/**
 * The simulated engine: an {@link dev.millrace.io.IoEngine} whose driver and disk live in memory and take every choice from
 * a seed, so that what happens once in a million runs happens in a second, and again whenever it is asked for.
 *
 * <ul>
 *   <li>{@link dev.millrace.testkit.sim.SimulatedDisk}: a file system with a volatile and a durable state, and power loss.
 *   <li>{@link dev.millrace.testkit.sim.SimulatedDriver}: order and delay of completions, short results, any errno at any
 *       operation, cancel races.
 *   <li>{@link dev.millrace.testkit.sim.VirtualClock}: time that nobody waits for.
 *   <li>{@link dev.millrace.testkit.sim.Simulation}: the engine over them, and the proof that nothing was left behind.
 *   <li>{@link dev.millrace.testkit.sim.PlantedFault}: faults put below a correct program, to show that they are found.
 *   <li>{@link dev.millrace.testkit.sim.Seeds}: runs a scenario for many seeds, or for that of {@code -Dseed=}.
 * </ul>
 *
 * <p><b>Where the tests are.</b> It stands on {@code java/io}'s public seam {@link dev.millrace.io.IoEngine#over}, and
 * {@code java/io}'s own tests cannot use what is built after it. So the tests of the copy loop, of files and of the pool on
 * the simulated engine lie in this module's tests; those of publishing and downloading in {@code java/transfer}'s.
 *
 * <p><b>One seed, one run.</b> At any moment one thread of a scenario runs: the scenario's own, or the engine thread while
 * the other waits for it. Neither the machine's clock nor the scheduler decides anything. Programs with threads of their
 * own (a whole download) run in {@link dev.millrace.testkit.sim.SimulatedDriver#runFreely free run}, where a seed gives
 * the same choices to the same calls, but not always the same order of calls.
 */
package dev.millrace.testkit.sim;
