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
 * <p><b>How many rings.</b> One, unless one engine thread is full
 * ({@link dev.millrace.io.IoEngineConfig#withRings}): it takes a whole processor before the device has more to give, which
 * is where many small operations wait for a fast device, or come from the page cache. A file has its ring from its opening
 * on, so that its operations share turns and nothing is shared between rings but the pool and the way to the system; more
 * rings than files, or than processors to spare for them, bring nothing. {@code make bench-io} measures one against two
 * ({@code handler-2-rings}, {@code future-2-rings}). On a machine of two processors, 64 reads of 4 KiB at once: from the page
 * cache the second ring was worth 1.57 times the operations at 1.07 times the CPU for one (handlers) and 1.62 times at 0.76
 * (futures); of direct reads, where the disk was the limit, 1.00 times at 1.13 and 1.10 times at 1.02.
 *
 * <p>The pool's memory is the engine's and not a ring's. Each ring registers all of it, from the first buffer on: a buffer
 * is handed out before anybody knows for which file, so that with a share for each ring only every n-th operation of n
 * rings would find its buffer registered. The price is that RLIMIT_MEMLOCK is charged once for each ring, though the
 * memory is there once. Where it is finite and rings are too many, the ladder is: smaller rings, fewer rings, fewer buffers
 * registered with the later ones; the first has what it would have alone, but for what the others themselves take.
 *
 * <p><b>Switching.</b> {@link dev.millrace.io.IoEngine#switchTo} puts rings of another kind beside those that run and then in
 * their place. Each operation holds its ring from its begin to its end, over short results too; a copy asks anew for each of
 * its buffers. The last operation that holds an old ring has it closed, on its own thread; nobody waits for that but
 * {@link dev.millrace.io.IoEngine#close}. No file is opened anew, since all engines of native code use the process's own
 * descriptors: {@code blocking} too, which is then worker threads over the same calls. Only an engine that was opened as
 * {@code blocking} by name loads no native code, keeps descriptors that mean nothing outside it, and cannot switch
 * ({@link dev.millrace.io.IoEngineConfig#withSwitching}). As long as old rings hold registered memory, a new one that does
 * not get all of it registers none, because a part could not be made more while operations use it; it registers what it
 * can as soon as they are gone.
 *
 * <p><b>What is refused.</b> An engine asked for by name is that one or an
 * {@link dev.millrace.io.EngineUnavailableException}; otherwise each refusal is a step down, told once in
 * {@link dev.millrace.io.EngineStatus#notes} with its remedy: a smaller ring, fewer rings, fewer or no registered buffers
 * (the rest are used all the same, as {@code fixed} and {@code plain} of the counters tell), the next engine. A filter that
 * forbids io_uring while an engine runs ends that engine: what is in flight may be half done, so that nobody but its caller
 * knows whether it can be done again. Each operation ends with an {@link dev.millrace.io.EngineClosedException} that names
 * the cause, and each buffer comes back once the kernel has let go of it. A switch to another engine makes the same files
 * and buffers usable again, and the next engine that is opened is one that works. What each rule of this package is held
 * by, {@code java/io/CONTRACT.md} lists.
 *
 * <p><b>JFR.</b> A recording shows {@code dev.millrace.Operation} (what went through an engine thread, with its time in
 * line) and {@code dev.millrace.BlockingCall} (what held a caller up), both from 10 ms on unless it asks for shorter ones,
 * and {@code dev.millrace.EngineOpened} (with the reasons of each step down), {@code EngineClosed} and
 * {@code CompletionOverflow}. Without a recording none is made.
 */
package dev.millrace.io;
