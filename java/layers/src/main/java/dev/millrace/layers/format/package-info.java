// SPDX-License-Identifier: Apache-2.0
/**
 * Layer files, version 1 of the format: images and deltas of keyed values in blocks of 8 KiB, each with its number and a
 * CRC-32C, so that a torn, misplaced or rotten one is noticed when it is first read.
 *
 * <ul>
 *   <li>block 0 is the {@linkplain dev.millrace.layers.format.LayerSummary summary};
 *   <li>from block 1 on lie the values, one behind the other in the order of their keys, over the ends of blocks where they
 *       do not fit, each compressed where that is wanted and smaller. Their offsets count the blocks' contents only;
 *   <li>then comes the index: a B-tree of blocks, packed, each without the prefix that its keys have in common; its leaves
 *       one behind the other, then each level above them, and the root last. An entry of a leaf says where a value lies, how
 *       long it is, whether it is compressed, and whether it needs no older one: a read is planned from the index alone.
 * </ul>
 *
 * {@link dev.millrace.layers.format.LayerWriter} writes, {@link dev.millrace.layers.format.LayerReader} reads one layer,
 * {@link dev.millrace.layers.format.BatchReader} many at once, and {@link dev.millrace.layers.format.Reconstruct} finds what
 * the value of a key at a version is made of.
 */
package dev.millrace.layers.format;
