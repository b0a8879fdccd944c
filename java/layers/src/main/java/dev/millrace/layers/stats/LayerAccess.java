// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

import dev.millrace.layers.AccessKind;

/**
 * A layer was read.
 *
 * @param whenMillis when, in milliseconds since 1970
 * @param taskKind the label of who read; a text, since a document may name kinds that this process has not
 * @param accessKind what for
 */
public record LayerAccess(long whenMillis, String taskKind, AccessKind accessKind) {}
