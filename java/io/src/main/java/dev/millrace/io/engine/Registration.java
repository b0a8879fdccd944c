// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import java.util.Optional;

/**
 * Which buffers of a pool a ring knows.
 *
 * @param buffers how many, from the front
 * @param note why not all, as a sentence; empty also where the engine has no such thing
 */
public record Registration(int buffers, Optional<String> note) {
    /** None, and nothing to say about it. */
    public static final Registration NONE = new Registration(0, Optional.empty());
}
