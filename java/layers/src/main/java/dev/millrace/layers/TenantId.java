// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

/**
 * The id of a tenant: 32 lower-case hex digits, so that nothing else ever becomes part of a path.
 *
 * @param text the digits
 */
public record TenantId(String text) implements Comparable<TenantId> {
    /** Digits of an id. */
    public static final int DIGITS = 32;

    /** Refuses all but 32 lower-case hex digits. */
    public TenantId {
        if (text.length() != DIGITS || !Hex.isLower(text)) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not the id of a tenant, which is 32 lower-case hex digits");
        }
    }

    @Override
    public int compareTo(TenantId other) {
        return text.compareTo(other.text);
    }

    @Override
    public String toString() {
        return text;
    }
}
