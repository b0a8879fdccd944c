// SPDX-License-Identifier: Apache-2.0
/**
 * The JSON of layer maps and access statistics, as the management API speaks it. Both ways are streams: a map of any number
 * of layers passes in bounded memory.
 */
package dev.millrace.layers.json;
