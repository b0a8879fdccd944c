// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

/**
 * A layer as the layer map tells it.
 *
 * @param name its file name
 * @param bytes its size
 * @param remote not resident
 */
record LayerState(String name, long bytes, boolean remote) {}
