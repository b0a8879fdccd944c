// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * All tests of the store on every other combination of engine and object store than the main one, on which they run as they
 * are. A few of them run on each combination in every build: {@link StoreContractTest}.
 */
@Tag("slow")
final class StoreMatrixTest {
    private static final String COMBINATIONS = "dev.millrace.layers.store.Combination#allButMain";

    @Nested
    @ParameterizedClass(name = "{0}")
    @MethodSource(COMBINATIONS)
    class OfLayers extends LayerTest {
        @Parameter
        Combination on;

        @Override
        Combination on() {
            return on;
        }
    }

    @Nested
    @ParameterizedClass(name = "{0}")
    @MethodSource(COMBINATIONS)
    class OfEviction extends EvictionTest {
        @Parameter
        Combination on;

        @Override
        Combination on() {
            return on;
        }
    }

    @Nested
    @ParameterizedClass(name = "{0}")
    @MethodSource(COMBINATIONS)
    class OfTheDisksBounds extends DiskBoundsTest {
        @Parameter
        Combination on;

        @Override
        Combination on() {
            return on;
        }
    }

    @Nested
    @ParameterizedClass(name = "{0}")
    @MethodSource(COMBINATIONS)
    class OfTheStore extends LayerStoreTest {
        @Parameter
        Combination on;

        @Override
        Combination on() {
            return on;
        }
    }

    @Nested
    @ParameterizedClass(name = "{0}")
    @MethodSource(COMBINATIONS)
    class OfTheRemoteStore extends RemoteStoreTest {
        @Parameter
        Combination on;

        @Override
        Combination on() {
            return on;
        }
    }

    @Nested
    @ParameterizedClass(name = "{0}")
    @MethodSource(COMBINATIONS)
    class OfReads extends LayerReadsTest {
        @Parameter
        Combination on;

        @Override
        Combination on() {
            return on;
        }
    }
}
