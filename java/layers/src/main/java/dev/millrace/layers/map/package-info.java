// SPDX-License-Identifier: Apache-2.0
/**
 * Which layers there are, and which of them can hold the newest value of a key at or below a version.
 *
 * <p>{@link dev.millrace.layers.map.LayerMap} keeps layers of keys in a segment tree over the keys
 * ({@code KeyTree}), whose nodes hold layers newest first ({@code EntryTree}). Both are immutable: a change makes new nodes on
 * its way to the root and shares the others, so that readers have a map that stands still.
 */
package dev.millrace.layers.map;
