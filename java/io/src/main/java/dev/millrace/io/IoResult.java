// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/**
 * Outcome of a read or write, with the buffer, which is the caller's again.
 *
 * @param buffer the buffer that was handed over
 * @param bytes bytes moved; for a read fewer than asked only at the end of the file
 */
public record IoResult(OwnedBuffer buffer, int bytes) {}
