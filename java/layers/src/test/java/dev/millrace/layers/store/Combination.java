// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** What a store stands on in a test: an engine below it and a store of objects behind it. */
record Combination(EngineKind engine, Remote remote) {
    /** Where its objects are. */
    enum Remote {
        /** In a folder, laid out like a bucket. */
        FOLDER,
        /** On an S3 server in this process. */
        S3
    }

    private static final Map<EngineKind, IoEngine> OPEN = new EnumMap<>(EngineKind.class);
    private static final Map<EngineKind, String> MISSING = new EnumMap<>(EngineKind.class);

    static {
        for (EngineKind kind : EngineKind.values()) {
            try {
                OPEN.put(
                        kind,
                        IoEngine.open(IoEngineConfig.defaults().withEngine(kind).withPool(32, 64 << 10)));
            } catch (EngineUnavailableException e) {
                MISSING.put(kind, String.valueOf(e.getMessage()));
            }
        }
        if (!MISSING.isEmpty()) {
            System.err.println("SKIPPED engines: " + MISSING);
        }
    }

    /** What all tests run on: the best engine of this machine, which should be io_uring, and S3. */
    static final Combination MAIN = new Combination(OPEN.keySet().iterator().next(), Remote.S3);

    static Stream<Combination> all() {
        return Arrays.stream(EngineKind.values())
                .flatMap(kind -> Arrays.stream(Remote.values()).map(remote -> new Combination(kind, remote)));
    }

    static Stream<Combination> allButMain() {
        return all().filter(one -> !one.equals(MAIN));
    }

    /** Opened once for all tests; skips the test, with the reason, where this machine has none of the kind. */
    IoEngine openEngine() {
        return engine(engine);
    }

    static IoEngine engine(EngineKind kind) {
        IoEngine open = OPEN.get(kind);
        return open == null ? Assumptions.abort(MISSING.get(kind)) : open;
    }

    @Override
    public String toString() {
        return engine.label() + ", " + remote.name().toLowerCase(Locale.ROOT);
    }
}
