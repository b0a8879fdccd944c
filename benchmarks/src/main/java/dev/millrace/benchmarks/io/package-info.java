// SPDX-License-Identifier: Apache-2.0
/** {@code make bench-io}: file I/O of ours beside the JDK's, another library's and fio's, by JMH. */
package dev.millrace.benchmarks.io;
