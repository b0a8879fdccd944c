// SPDX-License-Identifier: Apache-2.0
/**
 * Who read a layer, for what and when, and when it came and went.
 *
 * <p>{@link dev.millrace.layers.stats.AccessStatistics} is what a layer keeps, small and without locks between readers;
 * {@link dev.millrace.layers.stats.LayerAccessStats} is what it looked like at a moment, as people and JSON see it.
 */
package dev.millrace.layers.stats;
