// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

/**
 * What an engine has counted since it was made, over all its rings, those that are gone too.
 *
 * @param turns crossings of the border, each of which submits, waits and reaps
 * @param enters system calls that entered the ring, or waited in epoll
 * @param submitted operations handed in
 * @param completed operations that came back
 * @param fixed reads and writes through registered buffers
 * @param plain reads and writes through others
 * @param bytesRead bytes that reads and recvs brought
 * @param bytesWritten bytes that writes moved
 * @param bytesSent bytes that sends moved
 * @param toWorkers operations carried out by the engine's own worker threads
 * @param wakes wake-ups that were seen
 * @param overflows completions that the kernel had to keep outside its queue
 * @param inFlight operations handed in and not yet back
 * @param kernelWorkers most {@code iou-wrk} threads seen
 * @param registeredBuffers buffers registered now, once for each ring that knows them
 */
public record EngineCounters(
        long turns,
        long enters,
        long submitted,
        long completed,
        long fixed,
        long plain,
        long bytesRead,
        long bytesWritten,
        long bytesSent,
        long toWorkers,
        long wakes,
        long overflows,
        long inFlight,
        long kernelWorkers,
        long registeredBuffers) {
    static final int TURNS = 0;
    static final int SUBMITTED = 2;
    static final int COMPLETED = 3;
    static final int PLAIN = 5;
    static final int BYTES_READ = 6;
    static final int BYTES_WRITTEN = 7;
    static final int TO_WORKERS = 9;
    static final int OVERFLOWS = 11;
    static final int IN_FLIGHT = 12;
    static final int KERNEL_WORKERS = 13;
    static final int REGISTERED_BUFFERS = 14;

    /** From the array of {@link Driver#stats}. */
    public static EngineCounters of(long[] v) {
        return new EngineCounters(
                v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12], v[13], v[14]);
    }

    /**
     * Adds the counters of one ring to those of others. Of the kernel's workers, which are the process's, the most seen is
     * kept.
     */
    public static void add(long[] sum, long[] ring) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] = i == KERNEL_WORKERS ? Math.max(sum[i], ring[i]) : sum[i] + ring[i];
        }
    }

    /** The same of a ring that is gone: nothing of it is in flight or registered. */
    public static void addClosed(long[] sum, long[] ring) {
        long[] counted = ring.clone();
        counted[IN_FLIGHT] = 0;
        counted[REGISTERED_BUFFERS] = 0;
        add(sum, counted);
    }

    /** Operations a turn carried on average. */
    public double operationsPerTurn() {
        return turns == 0 ? 0 : (double) submitted / turns;
    }
}
