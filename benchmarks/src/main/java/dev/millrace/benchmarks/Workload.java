// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.util.Locale;

/**
 * What each contender downloads in a round.
 *
 * @param scheme {@code http} or {@code https}
 * @param bucket the server's: {@code one}, {@code many64} or {@code many256}
 * @param objects in it, all of which are downloaded
 * @param objectBytes of each
 * @param concurrency downloads at once
 */
record Workload(String scheme, String bucket, int objects, long objectBytes, int concurrency) {
    private static final long MIB = 1 << 20;

    /** {@code 64 x 16 MiB, 16 at once, HTTPS}. */
    String name() {
        String many = objects == 1 ? "" : ", " + concurrency + " at once";
        return objects + " x " + size(objectBytes) + many + ", " + scheme.toUpperCase(Locale.ROOT);
    }

    private static String size(long bytes) {
        if (bytes % (1L << 30) == 0) {
            return (bytes >> 30) + " GiB";
        }
        return bytes % MIB == 0 ? (bytes >> 20) + " MiB" : (bytes >> 10) + " KiB";
    }

    long bytes() {
        return objects * objectBytes;
    }

    String key(int index) {
        return objects == 1 ? "object" : "o" + index;
    }

    boolean isSecure() {
        return scheme.equals("https");
    }

    /**
     * From {@code one} or a number of downloads at once. At 256 at once there are as many objects, so that all run.
     */
    static Workload parse(String text, String scheme, long bigBytes, long smallBytes) {
        if (text.equals("one")) {
            return new Workload(scheme, "one", 1, bigBytes, 1);
        }
        if (!text.matches("[1-9][0-9]{0,2}") || Integer.parseInt(text) > 256) {
            throw new IllegalArgumentException(
                    "There is no workload " + text + ": choose one, or a number of downloads at once from 1 to 256.");
        }
        int concurrency = Integer.parseInt(text);
        return concurrency <= 64
                ? new Workload(scheme, "many64", 64, smallBytes, concurrency)
                : new Workload(scheme, "many256", 256, smallBytes, concurrency);
    }
}
