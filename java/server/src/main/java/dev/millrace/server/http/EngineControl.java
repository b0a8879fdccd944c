// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import dev.millrace.io.EngineClosedException;
import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineStatus;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.IoMode;
import java.util.Optional;

/** What the management API asks of the engine under a store. Any thread may call anything. */
public interface EngineControl {
    /** What runs and why. */
    EngineStatus status();

    /**
     * Lets the next operations run on another engine.
     *
     * @throws ApiException 409 with the reason where that engine cannot run here; nothing has changed then
     */
    void switchTo(EngineKind kind) throws ApiException;

    /** Which files pass the page cache by. */
    IoMode mode();

    /** Lets other files pass it by, from the next operation on also those that are open. */
    void switchMode(IoMode mode) throws ApiException;

    /** That of an engine. */
    static EngineControl of(IoEngine engine) {
        return new EngineControl() {
            @Override
            public EngineStatus status() {
                return engine.status();
            }

            @Override
            public void switchTo(EngineKind kind) throws ApiException {
                try {
                    engine.switchTo(kind);
                } catch (EngineUnavailableException e) {
                    throw new ApiException(409, e.getMessage(), Optional.empty(), e);
                } catch (IoFailure e) {
                    throw new ApiException(503, e.getMessage(), Optional.of(ApiException.SOON), e);
                }
            }

            @Override
            public IoMode mode() {
                return engine.mode();
            }

            @Override
            public void switchMode(IoMode mode) throws ApiException {
                try {
                    engine.switchMode(mode);
                } catch (EngineClosedException e) {
                    throw new ApiException(503, e.getMessage(), Optional.of(ApiException.SOON), e);
                }
            }
        };
    }
}
