// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

/**
 * A layer came or went, or was found here or there.
 *
 * @param timestampMillis when, in milliseconds since 1970
 * @param status where it has been since
 * @param reason why
 */
public record ResidenceEvent(long timestampMillis, ResidenceStatus status, ResidenceReason reason) {}
