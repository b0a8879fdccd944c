// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The engines that work on this machine, each opened once for all tests: small buffers, so that sizes stay small. */
final class Engines {
    static final int BUFFER = 64 << 10;
    static final int BUFFERS = 24;

    private static final Map<EngineKind, IoEngine> OPEN = new EnumMap<>(EngineKind.class);
    private static final List<String> MISSING = new ArrayList<>();

    static {
        for (EngineKind kind : EngineKind.values()) {
            try {
                OPEN.put(
                        kind,
                        IoEngine.open(IoEngineConfig.defaults().withEngine(kind).withPool(BUFFERS, BUFFER)));
            } catch (EngineUnavailableException e) {
                MISSING.add(kind + ": " + e.getMessage());
            }
        }
        if (!MISSING.isEmpty()) {
            System.err.println("SKIPPED engines: " + MISSING);
        }
    }

    private Engines() {}

    static Stream<EngineKind> working() {
        return OPEN.keySet().stream();
    }

    static IoEngine open(EngineKind kind) {
        return OPEN.get(kind);
    }
}
