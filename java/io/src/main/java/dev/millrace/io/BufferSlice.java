// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/**
 * A stretch of an {@link OwnedBuffer}: a piece of a vectored read or write, or what a {@link SequentialReader} hands out.
 * That it lies in the buffer is checked where it is used.
 *
 * @param buffer the buffer; the slice neither owns nor closes it
 * @param at index of the first byte
 * @param length bytes
 */
public record BufferSlice(OwnedBuffer buffer, int at, int length) {}
