// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import static dev.millrace.server.churn.FakeManagementServer.id;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs that cannot begin: one sentence says why. */
@Timeout(60)
class ChurnRefusalTest {
    private FakeManagementServer server;

    @BeforeEach
    void start() throws IOException {
        server = FakeManagementServer.start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private ChurnConfig config() {
        return ChurnConfig.of(server.endpoint(), Duration.ofSeconds(50));
    }

    private static AbstractThrowableAssert<?, ?> assertRefused(ChurnConfig config) {
        return assertThatThrownBy(() -> new Churn(config, line -> {}).run())
                .isInstanceOf(ChurnFailure.class)
                .hasMessageNotContaining("\n");
    }

    @Test
    void noServer() {
        server.with(1, 1, 1).die();
        assertRefused(config()).hasMessageContaining("The server at " + server.endpoint() + " cannot be reached: ");
    }

    @Test
    void noTimelineNoLayersAndNoSuchTarget() {
        assertRefused(config()).hasMessageContaining("has no timelines");
        server.with(1, 1, 0);
        assertRefused(config())
                .hasMessage("The timeline " + id(1) + "/" + id(1) + " has no layers, so there is nothing to churn");
        ChurnTarget other = ChurnTarget.parse(id(1) + "/" + id(7));
        assertRefused(config().withTargets(List.of(other), OptionalInt.empty()))
                .hasMessageContaining("There is no target " + other)
                .hasMessageContaining("answered 404: there is no timeline");
    }

    @Test
    void fewerTargetsThanTheLimit() {
        server.with(1, 1, 1).with(1, 2, 1);
        assertRefused(config().withTargets(List.of(), OptionalInt.of(3)))
                .hasMessage("--limit-to-first-n-targets is 3 and there are 2 targets");
    }

    @Test
    void noTokenAndAWrongOne() {
        server.with(1, 1, 1).wantsToken("right-token-right-token");
        assertRefused(config())
                .hasMessageContaining("wants a token: name its file by --token-file (401: no token was sent)");
        assertRefused(config().withToken(Optional.of("wrong")))
                .hasMessageContaining("does not allow what the benchmark does (403: that token is not known");
    }

    @Test
    void anEngineThatTheServerCannotHave() {
        server.with(1, 1, 1).refusesEngine("epoll", "epoll cannot run here: ENOSYS");
        assertRefused(config().withEngine(Optional.of("epoll")))
                .hasMessageContaining("The engine epoll cannot be set. ")
                .hasMessageContaining("answered 409: epoll cannot run here: ENOSYS (PUT /v1/io_engine)");
    }

    @Test
    void setsTheEngineBeforeTheRun() throws Exception {
        server.with(1, 1, 2);
        ChurnConfig config = ChurnConfig.of(server.endpoint(), Duration.ofMillis(50));
        assertThat(new Churn(config.withEngine(Optional.of("epoll")), line -> {})
                        .run()
                        .engine())
                .contains("epoll");
        assertThat(server.engine()).isEqualTo("epoll");
    }

    @Test
    void moreRequestsThanAMachineHasConnections() {
        server.with(1, 1, 1).with(1, 2, 1);
        assertRefused(config().withLoad(100, 100))
                .hasMessageContaining("are 20000 requests at once, and 10000 are the most");
    }

    @Test
    void aServerThatNeverGetsReady() {
        server.with(1, 1, 1).notReady("/v1/tenant", Integer.MAX_VALUE);
        try (ManagementApi api = new ManagementApi(server.endpoint(), Optional.empty(), Duration.ofSeconds(5))) {
            assertThatThrownBy(() -> new Targets(api, Duration.ofMillis(50)).find(List.of(), OptionalInt.empty()))
                    .isInstanceOf(ChurnFailure.class)
                    .hasMessageContaining("answered 503: not yet (GET /v1/tenant)");
        }
    }

    @Test
    void aServerThatNeverEndsAttaching() {
        server.with(1, 1, 1).attaching(Integer.MAX_VALUE);
        try (ManagementApi api = new ManagementApi(server.endpoint(), Optional.empty(), Duration.ofSeconds(5))) {
            assertThatThrownBy(() -> new Targets(api, Duration.ofMillis(50)).find(List.of(), OptionalInt.empty()))
                    .isInstanceOf(ChurnFailure.class)
                    .hasMessageContaining("is still attaching its timelines after 50ms (GET /v1/status)");
        }
    }

    @ParameterizedTest
    @CsvSource({"0,1", "1,0", "-3,1"})
    void numbersThatAreNotAboveZero(int tasks, int concurrency) {
        assertThatThrownBy(() -> config().withLoad(tasks, concurrency))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("must be at least 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "0", "0123456789abcdef0123456789abcdef", "../etc/passwd", "A/B"})
    void whatIsNoTarget(String text) {
        assertThatThrownBy(() -> ChurnTarget.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
