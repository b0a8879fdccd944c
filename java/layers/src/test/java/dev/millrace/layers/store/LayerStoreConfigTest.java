// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.layers.Generation;
import dev.millrace.transfer.DownloaderConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class LayerStoreConfigTest {
    private static final DownloaderConfig DOWNLOADER = DownloaderConfig.defaults();

    /** No component is what the defaults have, nor what another component has. */
    private static final LayerStoreConfig BASE = new LayerStoreConfig(
            new Generation(2),
            3_000,
            40,
            5_000,
            6_000,
            Duration.ofSeconds(7),
            Duration.ofSeconds(8),
            9,
            10_000,
            DOWNLOADER.withPermits(11, 12),
            LayerStoreConfigTest::ignore);

    private static final Map<String, Function<LayerStoreConfig, Object>> COMPONENTS = new LinkedHashMap<>();

    static {
        COMPONENTS.put("generation", LayerStoreConfig::generation);
        COMPONENTS.put("maxResidentBytes", LayerStoreConfig::maxResidentBytes);
        COMPONENTS.put("maxUsagePercent", LayerStoreConfig::maxUsagePercent);
        COMPONENTS.put("minAvailableBytes", LayerStoreConfig::minAvailableBytes);
        COMPONENTS.put("tenantMinimumBytes", LayerStoreConfig::tenantMinimumBytes);
        COMPONENTS.put("spaceTimeout", LayerStoreConfig::spaceTimeout);
        COMPONENTS.put("boundsInterval", LayerStoreConfig::boundsInterval);
        COMPONENTS.put("threads", LayerStoreConfig::threads);
        COMPONENTS.put("blockCacheBytes", LayerStoreConfig::blockCacheBytes);
        COMPONENTS.put("downloader", LayerStoreConfig::downloader);
        COMPONENTS.put("fatalHandler", LayerStoreConfig::fatalHandler);
    }

    private static void ignore(IOException failure) {
        assertThat(failure).isNotNull();
    }

    private static List<String> changed(LayerStoreConfig now) {
        return COMPONENTS.entrySet().stream()
                .filter(component -> !component
                        .getValue()
                        .apply(BASE)
                        .equals(component.getValue().apply(now)))
                .map(Map.Entry::getKey)
                .toList();
    }

    @Test
    void aChangeChangesWhatItNamesAndNothingElse() {
        assertThat(changed(BASE)).isEmpty();
        assertThat(changed(BASE.withGeneration(new Generation(20)))).containsExactly("generation");
        assertThat(changed(BASE.withBounds(30, 41, 50)))
                .containsExactly("maxResidentBytes", "maxUsagePercent", "minAvailableBytes");
        assertThat(changed(BASE.withTenantMinimum(60))).containsExactly("tenantMinimumBytes");
        assertThat(changed(BASE.withTimes(Duration.ofSeconds(70), Duration.ofSeconds(80))))
                .containsExactly("spaceTimeout", "boundsInterval");
        assertThat(changed(BASE.withBlockCache(100_000))).containsExactly("blockCacheBytes");
        assertThat(changed(BASE.withDownloader(DOWNLOADER))).containsExactly("downloader");
        assertThat(changed(BASE.withFatalHandler(failure -> {}))).containsExactly("fatalHandler");
    }

    @Test
    void aChangeBringsTheValuesThatItIsGiven() {
        LayerStoreConfig changed =
                BASE.withBounds(30, 41, 50).withTimes(Duration.ofSeconds(70), Duration.ofSeconds(80));
        assertThat(changed.maxResidentBytes()).isEqualTo(30);
        assertThat(changed.maxUsagePercent()).isEqualTo(41);
        assertThat(changed.minAvailableBytes()).isEqualTo(50);
        assertThat(changed.spaceTimeout()).isEqualTo(Duration.ofSeconds(70));
        assertThat(changed.boundsInterval()).isEqualTo(Duration.ofSeconds(80));
    }

    @Test
    void aChangeIsCheckedAsAConstructionIs() {
        assertThatThrownBy(() -> BASE.withBounds(-1, 41, 50))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxResidentBytes is -1 and must be 0 or more");
        assertThatThrownBy(() -> BASE.withTimes(Duration.ZERO, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("boundsInterval is PT0S and must be more than 0");
    }
}
