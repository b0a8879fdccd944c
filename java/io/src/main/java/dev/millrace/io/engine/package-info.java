// SPDX-License-Identifier: Apache-2.0
/**
 * What lies below {@code dev.millrace.io}: the engine thread, its operations and slots, and the drivers it turns.
 *
 * <p><b>Not API</b>, but for the records that {@code dev.millrace.io} hands out
 * ({@link dev.millrace.io.engine.EngineCounters}, {@link dev.millrace.io.engine.FileStat}). The rest is public only so
 * that test drivers and the benchmarks can stand on it, and may change in any release.
 *
 * <p>One byte's way: a caller fills an {@link dev.millrace.io.engine.Operation} and gives it to
 * {@link dev.millrace.io.engine.EngineLoop#submit}; the engine thread stages it with the
 * {@link dev.millrace.io.engine.Driver}, turns, and calls {@link dev.millrace.io.engine.Operation#completed} with the
 * result. Everything that happens to an operation between those two calls happens on the engine thread.
 */
package dev.millrace.io.engine;
