// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

/** A file does not hold what it must, or an operation did not end as it must. */
final class MismatchException extends Exception {
    private static final long serialVersionUID = 1L;

    MismatchException(String what) {
        super(what);
    }
}
