// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;

/**
 * What each engine must do alike. A subclass is one concept; it runs once for each engine, and each of its tests ends
 * with the pool whole; what else is left behind {@link NothingLeft} finds.
 */
@Timeout(60)
@ExtendWith(Matrix.class)
abstract class EngineContract {
    @Parameter
    EngineKind kind;

    @TempDir
    Path folder;

    IoEngine engine;

    IoEngineConfig config() {
        return TestEngines.config(kind);
    }

    @BeforeEach
    void openEngine() {
        engine = TestEngines.open(config());
        // A run that silently went over another way would prove nothing of this one.
        boolean java = kind == EngineKind.BLOCKING && !config().switching();
        assertThat(engine.status().binding()).isEqualTo(java ? "none" : TestEngines.binding());
    }

    @AfterEach
    void nothingIsLeftBehind() {
        if (engine == null) {
            return; // skipped
        }
        int available = engine.buffers().available();
        engine.close();
        assertThat(available)
                .as("buffers in the pool")
                .isEqualTo(engine.buffers().size());
    }

    static byte[] bytes(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    static <T extends Throwable> T thrownBy(Class<T> type, org.assertj.core.api.ThrowableAssert.ThrowingCallable body) {
        Throwable thrown = org.assertj.core.api.Assertions.catchThrowable(body);
        if (thrown instanceof java.util.concurrent.CompletionException
                || thrown instanceof java.util.concurrent.ExecutionException) {
            thrown = thrown.getCause();
        }
        assertThat(thrown).isInstanceOf(type);
        return type.cast(thrown);
    }
}
