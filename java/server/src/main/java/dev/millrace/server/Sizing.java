// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

/**
 * The pool of buffers for so many downloads at once: a few of 1 MiB for each, smaller and fewer where there are many, so
 * that memory stays within bounds.
 *
 * @param buffers in the pool
 * @param bufferSize bytes of each
 * @param perDownload buffers that one download may hold
 */
record Sizing(int buffers, int bufferSize, int perDownload) {
    private static final long MAX_POOL = 512L << 20;
    private static final int FEWEST = 8;
    private static final int USUAL = 4;
    private static final int LEAST = 2;

    static Sizing of(int concurrency) {
        int size = 1 << 20;
        while ((long) LEAST * concurrency * size > MAX_POOL) {
            size /= 2;
        }
        int buffers = (int) Math.max(FEWEST, Math.min((long) USUAL * concurrency, 64));
        buffers = Math.max(buffers, LEAST * concurrency);
        return new Sizing(buffers, size, Math.max(LEAST, Math.min(FEWEST, buffers / concurrency)));
    }
}
