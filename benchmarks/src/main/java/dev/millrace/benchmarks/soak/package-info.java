// SPDX-License-Identifier: Apache-2.0
/** {@code make soak}: full load on every engine for a time, each byte that is read checked. */
package dev.millrace.benchmarks.soak;
