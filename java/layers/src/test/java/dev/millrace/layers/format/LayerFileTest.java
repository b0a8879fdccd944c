// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A folder for layers and an engine, whose pool is whole in the end. */
@Timeout(60)
abstract class LayerFileTest {
    @TempDir
    Path folder;

    IoEngine engine;
    LayerReaders readers;

    @BeforeEach
    void openEngine() {
        engine = Layers.engine(EngineKind.BLOCKING);
        readers = Layers.readers(engine);
    }

    @AfterEach
    void thePoolIsWhole() {
        int available = engine.buffers().available();
        engine.close();
        assertThat(available).as("buffers in the pool").isEqualTo(Layers.BUFFERS);
    }
}
