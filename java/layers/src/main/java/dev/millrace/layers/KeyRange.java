// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

/**
 * Keys from {@code start} up to, and without, {@code end}; never empty.
 *
 * @param start the first
 * @param end the first beyond
 */
public record KeyRange(LayerKey start, LayerKey end) {
    /** All keys but {@link LayerKey#MAX}. */
    public static final KeyRange ALL = new KeyRange(LayerKey.MIN, LayerKey.MAX);

    /** Refuses an empty or reversed range. */
    public KeyRange {
        int order = start.compareTo(end);
        if (order >= 0) {
            throw new IllegalArgumentException("the key range " + start + '-' + end + " is "
                    + (order == 0 ? "empty" : "reversed") + ": it ends before it holds a key");
        }
    }

    /** True where the key lies in it. */
    public boolean contains(LayerKey key) {
        return start.compareTo(key) <= 0 && key.compareTo(end) < 0;
    }

    /** True where both have a key in common. */
    public boolean overlaps(KeyRange other) {
        return start.compareTo(other.end) < 0 && other.start.compareTo(end) < 0;
    }

    @Override
    public String toString() {
        return start.toString() + '-' + end;
    }
}
