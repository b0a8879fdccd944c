// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.Optional;

/** Opens an engine in a JVM of its own, where nothing is loaded yet, and prints what it got. */
final class ChoiceProbe {
    private ChoiceProbe() {}

    @SuppressWarnings("SystemOut") // its parent reads it
    public static void main(String[] arguments) {
        IoEngineConfig config = IoEngineConfig.defaults().withSlots(64).withPool(2, 4096);
        if (arguments.length > 0) {
            config = config.withEngine(EngineKind.parse(arguments[0]));
        } else {
            config = config.withEngine(Optional.empty());
        }
        try (IoEngine engine = IoEngine.open(config)) {
            System.out.println(engine.status());
        } catch (EngineUnavailableException e) {
            System.out.println("refused: " + e.getMessage());
        }
    }
}
