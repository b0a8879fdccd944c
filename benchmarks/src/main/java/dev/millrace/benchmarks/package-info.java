// SPDX-License-Identifier: Apache-2.0
/** Programs that measure. See {@code benchmarks/README.md}. */
package dev.millrace.benchmarks;
