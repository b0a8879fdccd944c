// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;

/** Engine threads over drivers that do nothing. Apart from the tests, whose initialization waits for what this starts. */
final class Loops {
    private Loops() {}

    static EngineLoop start(String name, int slots) {
        return EngineLoop.start(name, 1 << 16, () -> new StressDriver(slots));
    }
}
