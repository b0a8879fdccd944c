// SPDX-License-Identifier: Apache-2.0
/**
 * The simulated engine: an {@link dev.millrace.io.IoEngine} whose driver and disk live in memory and take every choice from
 * a seed, so that what happens once in a million runs happens in a second, and again whenever it is asked for.
 *
 * <ul>
 *   <li>{@link dev.millrace.testkit.sim.SimulatedDisk}: a file system with a volatile and a durable state, and power loss.
 *   <li>{@link dev.millrace.testkit.sim.SimulatedDriver}: order and delay of completions, short results, any errno at any
 *       operation, cancel races.
 *   <li>{@link dev.millrace.testkit.sim.PlannedFailures}: single operations that are to fail, for tests of what follows.
 *   <li>{@link dev.millrace.testkit.sim.VirtualClock}: time that nobody waits for.
 *   <li>{@link dev.millrace.testkit.sim.Simulation}: the engine over them, and the proof that nothing was left behind.
 *   <li>{@link dev.millrace.testkit.sim.PlantedFault}: faults put below a correct program, to show that they are found.
 *   <li>{@link dev.millrace.testkit.sim.FileScenario}, {@link dev.millrace.testkit.sim.CopyScenario}: a file and copy loops
 *       against arrays, for the tests of this module and for the soak.
 *   <li>{@link dev.millrace.testkit.sim.Seeds}: runs a scenario for many seeds, or for that of {@code -Dseed=}.
 * </ul>
 *
 * <p><b>Where the tests are.</b> It stands on {@code java/io}'s public seam {@link dev.millrace.io.IoEngine#over}, and
 * {@code java/io}'s own tests cannot use what is built after it. So the tests of the copy loop, of files and of the pool on
 * the simulated engine lie in this module's tests; those of publishing and downloading in {@code java/transfer}'s, those of the
 * store of layers in {@code java/layers}'s.
 *
 * <p><b>One seed, one run.</b> At any moment one thread of a scenario does something: the scenario's own, or the engine
 * thread while the other waits for it (or hands operations in, which the engine thread may take in at once, but does not
 * complete). Neither the machine's clock nor the scheduler decides anything. What has threads of its own, as a downloader
 * has, is given pools that the scenario runs by hand. Calls of virtual threads are not simulated: their order is their
 * scheduler's.
 */
package dev.millrace.testkit.sim;
