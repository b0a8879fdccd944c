// SPDX-License-Identifier: Apache-2.0
/**
 * Layers: immutable files that hold a range of keys over a range of versions, in object storage and, when they are
 * <em>resident</em>, on local disk.
 *
 * <p>This package holds the words that all of it is said in: keys, versions ({@link dev.millrace.layers.Lsn}), ranges,
 * names, ids, and the context that a read carries.
 */
package dev.millrace.layers;
