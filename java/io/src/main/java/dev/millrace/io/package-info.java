// SPDX-License-Identifier: Apache-2.0
/**
 * File I/O on io_uring for the JVM, with an epoll engine where io_uring is blocked and a pure-Java one everywhere else.
 *
 * <p>{@link dev.millrace.io.IoEngine} opens an engine; {@link dev.millrace.io.VirtualFile} is a file on it;
 * {@link dev.millrace.io.OwnedBuffer} is the memory that both sides hand back and forth;
 * {@link dev.millrace.io.CopyLoop} puts a stream of chunks onto disk, {@link dev.millrace.io.SequentialReader} reads one
 * ahead of its consumer; {@link dev.millrace.io.AtomicFile} replaces a small file.
 *
 * <p><b>Who submits, and why.</b> One engine thread a ring submits and reaps everything but the blocking calls of
 * platform threads, which run where they are. Callers that submit to a shared ring under a lock, with a reaper beside
 * them, reached 0.25 to 0.4 of {@code FileChannel}'s operations with many virtual threads; the engine thread 0.9 to 1.75
 * at 0.3 to 0.7 of the CPU. A ring per carrier thread was rejected because registered memory is charged per ring, and
 * because a request dies with the thread that entered it.
 *
 * <p><b>What is refused.</b> An engine asked for by name is that one or an
 * {@link dev.millrace.io.EngineUnavailableException}; otherwise each refusal is a step down, told once in
 * {@link dev.millrace.io.EngineStatus#notes} with its remedy: a smaller ring, fewer or no registered buffers (the rest are
 * used all the same, as {@code fixed} and {@code plain} of the counters tell), the next engine. A filter that forbids
 * io_uring while an engine runs ends that engine: what is in flight may be half done, so that nobody but its caller knows
 * whether it can be done again. Each operation ends with an {@link dev.millrace.io.EngineClosedException} that names the
 * cause, each buffer comes back once the kernel has let go of it, and the next engine that is opened is one that works. What
 * each rule of this package is held by, {@code java/io/CONTRACT.md} lists.
 *
 * <p><b>JFR.</b> A recording shows {@code dev.millrace.Operation} (what went through an engine thread, with its time in
 * line) and {@code dev.millrace.BlockingCall} (what held a caller up), both from 10 ms on unless it asks for shorter ones,
 * and {@code dev.millrace.EngineOpened} (with the reasons of each step down), {@code EngineClosed} and
 * {@code CompletionOverflow}. Without a recording none is made.
 */
package dev.millrace.io;
