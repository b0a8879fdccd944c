// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link StoreModel} on real engines and threads; on the simulated one: {@link StoreSimulationTest}. */
class StoreModelTest {
    private static final int MANY_THREADS = 64;

    @TempDir
    Path root;

    @Test
    void holdsInAFewOperations() throws Exception {
        StoreModel.run(root, Combination.MAIN, MANY_THREADS, done -> done < 30, 1);
    }

    @Test
    @Tag("slow")
    void holdsInManyOperations() throws Exception {
        for (long seed = 1; seed <= 8; seed++) {
            StoreModel.run(root, Combination.MAIN, 8, done -> done < 2_000, seed);
        }
    }

    @Test
    @Tag("slow")
    void holdsInAMinuteOf64Threads() throws Exception {
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        StoreModel.run(root, Combination.MAIN, MANY_THREADS, done -> System.nanoTime() < end, 99);
    }
}
