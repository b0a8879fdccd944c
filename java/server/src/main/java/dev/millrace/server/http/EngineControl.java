// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineStatus;
import java.util.Optional;

/** What the management API asks of the engine under a store. Any thread may call anything. */
public interface EngineControl {
    /** How files are opened, for the next operation also of those that are open. */
    enum Mode {
        /** Through the page cache. */
        BUFFERED("buffered"),
        /** Reads past the page cache. */
        DIRECT("direct"),
        /** Reads and writes past the page cache. */
        DIRECT_RW("direct-rw");

        private final String label;

        Mode(String label) {
            this.label = label;
        }

        /** As the API says it. */
        public String label() {
            return label;
        }

        static Optional<Mode> parse(String label) {
            for (Mode mode : values()) {
                if (mode.label.equals(label)) {
                    return Optional.of(mode);
                }
            }
            return Optional.empty();
        }
    }

    /** What runs and why. */
    EngineStatus status();

    /**
     * Lets the next operations run on another engine.
     *
     * @throws ApiException 409 with the reason where that engine cannot run here; nothing has changed then
     */
    void switchTo(EngineKind kind) throws ApiException;

    /** How files are opened. */
    Mode mode();

    /**
     * Lets files be opened another way.
     *
     * @throws ApiException 409 with the reason where that is not possible here; nothing has changed then
     */
    void switchMode(Mode mode) throws ApiException;
}
