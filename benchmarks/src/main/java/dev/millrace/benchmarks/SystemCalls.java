// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.util.List;

/** What {@code strace -c} says. */
final class SystemCalls {
    private SystemCalls() {}

    /** Calls in all: the fourth field of the line that ends in {@code total}. */
    static long total(List<String> lines) {
        String last = lines.stream()
                .map(String::strip)
                .filter(line -> line.endsWith(" total"))
                .reduce((earlier, later) -> later)
                .orElseThrow(() -> new IllegalArgumentException("strace gave no line of totals."));
        return Long.parseLong(last.split(" +", -1)[3]);
    }
}
