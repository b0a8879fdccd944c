// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

/** What a writer does with values. A reader sees from each value's entry how it is stored. */
public enum Compression {
    /** Stores values as they are. */
    NONE,
    /** Stores a value compressed by zstd where that is smaller. Needs {@code com.github.luben:zstd-jni} to write and read. */
    ZSTD
}
