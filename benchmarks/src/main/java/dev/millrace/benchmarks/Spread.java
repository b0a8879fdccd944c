// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** Least, middle and most of some values; not a number where there are none. */
public record Spread(double least, double middle, double most) {
    /** Of a value of each item. */
    public static <T> Spread of(Collection<T> items, ToDoubleFunction<T> value) {
        return of(items.stream().mapToDouble(value).toArray());
    }

    /** Of these. */
    public static Spread of(double... values) {
        if (values.length == 0) {
            return new Spread(Double.NaN, Double.NaN, Double.NaN);
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        double middle = sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
        return new Spread(sorted[0], middle, sorted[sorted.length - 1]);
    }

    /** True where there were no values. */
    public boolean isEmpty() {
        return Double.isNaN(middle);
    }

    /** The middle, and the others in brackets. */
    public String show(String format) {
        return String.format(Locale.ROOT, format + " (" + format + "–" + format + ")", middle, least, most);
    }
}
