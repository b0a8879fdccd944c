// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

/**
 * Versions from {@code start} up to, and without, {@code end}; never empty.
 *
 * @param start the first
 * @param end the first beyond
 */
public record LsnRange(Lsn start, Lsn end) {
    /** Refuses an empty or reversed range. */
    public LsnRange {
        int order = start.compareTo(end);
        if (order >= 0) {
            throw new IllegalArgumentException("the LSN range " + start.toName() + '-' + end.toName() + " is "
                    + (order == 0 ? "empty" : "reversed") + ": it ends before it holds a version");
        }
    }

    /** True where the version lies in it. */
    public boolean contains(Lsn lsn) {
        return start.compareTo(lsn) <= 0 && lsn.compareTo(end) < 0;
    }

    /** True where both have a version in common. */
    public boolean overlaps(LsnRange other) {
        return start.compareTo(other.end) < 0 && other.start.compareTo(end) < 0;
    }

    /** As in names. */
    @Override
    public String toString() {
        return start.toName() + '-' + end.toName();
    }
}
