// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** Direct I/O was asked for with an offset, length or memory position that the file cannot take. */
public final class MisalignedException extends IoFailure {
    private static final long serialVersionUID = 1L;

    MisalignedException(String operation, String path, long position, int at, int length, Alignment alignment) {
        super(
                operation,
                path,
                operation + " of " + path + " at offset " + position + ", " + length + " bytes from buffer position "
                        + at
                        + ", is not aligned: direct I/O on this file needs offsets and lengths in multiples of "
                        + alignment.offset() + " and memory in multiples of " + alignment.memory() + " bytes");
    }
}
