// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import static dev.millrace.server.churn.FakeManagementServer.LAYER_BYTES;
import static dev.millrace.server.churn.FakeManagementServer.id;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.churn.FakeManagementServer.Answer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Runs of the benchmark against a server that counts what it is asked for. */
@Timeout(60)
class ChurnTest {
    private static final Duration SHORT = Duration.ofMillis(50);
    /** For runs that something else ends. */
    private static final Duration LONG = Duration.ofSeconds(50);

    private static final String ENOUGH = "enough";

    private FakeManagementServer server;

    @BeforeEach
    void start() throws IOException {
        server = FakeManagementServer.start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private ChurnConfig config(Duration runtime) {
        return ChurnConfig.of(server.endpoint(), runtime);
    }

    private static ChurnResult run(ChurnConfig config) throws Exception {
        return new Churn(config, line -> {}).run();
    }

    /** Ends it at so many requests for layers, so that nothing hangs on how fast this machine is. */
    private ChurnResult runUntil(long requests, ChurnConfig config) throws Exception {
        Churn churn = new Churn(config, line -> {});
        server.onLayer((at, count) -> {
            if (count >= requests) {
                churn.end(ENOUGH);
            }
            return Optional.empty();
        });
        ChurnResult result = churn.run();
        assertThat(result.partial()).contains(ENOUGH);
        return result;
    }

    private void assertCountsAreTheServers(ChurnResult result) {
        assertThat(result.downloads()).isEqualTo(server.count("downloaded"));
        assertThat(result.downloadedBytes()).isEqualTo(server.count("downloaded") * LAYER_BYTES);
        assertThat(result.evictions()).isEqualTo(server.count("evicted"));
    }

    @Test
    void evictsWhatIsResidentAndDownloadsWhatIsNot() throws Exception {
        server.with(1, 1, 20);
        ChurnResult result = runUntil(200, config(LONG));
        assertCountsAreTheServers(result);
        assertThat(result.downloads() + result.evictions()).isEqualTo(200);
        assertThat(result.downloads()).isPositive();
        assertThat(result.evictions()).isPositive();
        assertThat(result.restarts()).isZero();
        assertThat(server.count("late")).isZero();
        assertThat(server.count("maps")).isEqualTo(1);
        assertThat(result.benchmarkCpuSeconds()).isPositive();
        assertThat(result.benchmarkProcessCpuSeconds())
                .as("this JVM did something before")
                .isGreaterThan(result.benchmarkCpuSeconds());
        for (var percentiles : List.of(result.downloadMillis(), result.evictionMillis())) {
            assertThat(percentiles.keySet()).containsExactly("p50", "p90", "p99", "p99.9", "max");
            assertThat(new ArrayList<>(percentiles.values())).isSorted().allMatch(millis -> millis > 0);
            assertThat(percentiles.get("max"))
                    .isLessThanOrEqualTo(result.runtime().toNanos() / 1e6 * 1.01);
        }
    }

    @Test
    void aRunThatIsEndedBeforeItBeginsAsksForNoLayer() throws Exception {
        AtomicLong asked = new AtomicLong();
        server.with(1, 1, 20).onLayer((at, count) -> {
            asked.set(count);
            return Optional.empty();
        });
        Churn churn = new Churn(config(LONG).withLoad(3, 5), line -> {});
        churn.end(ENOUGH);
        ChurnResult result = churn.run();
        assertThat(result.partial()).contains(ENOUGH);
        assertThat(asked).hasValue(0);
        assertThat(result.downloads() + result.evictions()).isZero();
    }

    /** Each answer would begin the next request; those that come after the end begin none, whoever has been stopped by then. */
    @Test
    void answersThatComeAfterTheEndBeginNoMoreRequests() throws Exception {
        int underWay = 12;
        AtomicLong asked = new AtomicLong();
        CountDownLatch all = new CountDownLatch(underWay);
        CountDownLatch ended = new CountDownLatch(1);
        Churn churn = new Churn(config(LONG).withLoad(3, 4), line -> {});
        server.with(1, 1, 500).onLayer((at, count) -> {
            asked.incrementAndGet();
            all.countDown();
            assertThat(all.await(20, TimeUnit.SECONDS)).isTrue();
            if (count == 1) {
                churn.end(ENOUGH);
                ended.countDown();
            }
            assertThat(ended.await(20, TimeUnit.SECONDS)).isTrue();
            return Optional.empty();
        });
        ChurnResult result = churn.run();
        assertThat(result.partial()).contains(ENOUGH);
        assertThat(asked).hasValue(underWay);
        assertCountsAreTheServers(result);
    }

    @Test
    void aWholeRunLastsAsLongAsAsked() throws Exception {
        server.with(1, 1, 20);
        ChurnResult result = run(config(SHORT));
        assertThat(result.partial()).isEmpty();
        assertThat(result.json()).doesNotContainKeys("partial", "reason");
        assertThat(result.runtime()).isGreaterThanOrEqualTo(SHORT);
        assertCountsAreTheServers(result);
    }

    @Test
    void latenciesAreThoseOfTheAnswers() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        server.with(1, 1, 2).onLayer((at, count) -> {
            if (count == 1) {
                assertThat(never.await(80, TimeUnit.MILLISECONDS)).isFalse();
            }
            return Optional.empty();
        });
        ChurnResult result = run(config(SHORT));
        double slowest = Math.max(
                result.downloadMillis().getOrDefault("max", 0.0),
                result.evictionMillis().getOrDefault("max", 0.0));
        assertThat(slowest).isGreaterThanOrEqualTo(79);
    }

    @Test
    void tasksThatFightCountRestartsAndNoWorkThatSomeoneElseDid() throws Exception {
        server.with(1, 1, 2).with(1, 2, 2);
        ChurnResult result = runUntil(300, config(LONG).withLoad(3, 2));
        assertCountsAreTheServers(result);
        assertThat(result.restarts()).isPositive().isLessThanOrEqualTo(server.count("late"));
        assertThat(server.count("maps")).isEqualTo(2 + result.restarts());
    }

    @Test
    void hasAsManyRequestsUnderWayAsAllowedAndNeverMore() throws Exception {
        CountDownLatch all = new CountDownLatch(14);
        server.with(1, 1, 500).onLayer((at, count) -> {
            all.countDown();
            assertThat(all.await(20, TimeUnit.SECONDS)).isTrue();
            return Optional.empty();
        });
        ChurnResult result = run(config(SHORT).withLoad(2, 7));
        assertThat(result.partial()).isEmpty();
        assertCountsAreTheServers(result);
        assertThat(server.mostUnderWay()).isEqualTo(14);
        assertThat(server.underWay()).isZero();
    }

    @Test
    void moreRequestsThanLayersAllHaveTheirOwn() throws Exception {
        server.with(1, 1, 3);
        ChurnResult result = runUntil(200, config(LONG).withLoad(1, 100));
        assertThat(server.mostUnderWay()).isLessThanOrEqualTo(3);
        assertThat(server.count("late")).isZero();
        assertCountsAreTheServers(result);
    }

    @Test
    void layersThatCannotBeEvictedDoNotKeepTheServerBusy() throws Exception {
        server.with(1, 1, 1).onLayer((at, count) -> Optional.of(new Answer(304, "")));
        ChurnResult result = run(config(Duration.ofMillis(150)));
        assertThat(result.evictions()).isZero();
        // After pauses of 10, 20, 40 and 80 ms the time is over.
        assertThat(result.restarts()).isBetween(1L, 4L);
    }

    @Test
    void anEvictionThatGoesOnWithoutUsAndALayerThatIsGoneAreNoWork() throws Exception {
        server.with(1, 1, 1)
                .onLayer((at, count) -> Optional.of(
                        count == 1 ? new Answer(202, "{\"evicted\":false}") : new Answer(404, "{\"msg\":\"gone\"}")));
        ChurnResult result = run(config(SHORT));
        assertThat(result.evictions() + result.downloads()).isZero();
        assertThat(result.partial()).isEmpty();
    }

    @Test
    @Tag("slow")
    void tellsALineEachSecond() throws Exception {
        server.with(1, 1, 4);
        List<String> lines = new ArrayList<>();
        new Churn(config(Duration.ofMillis(1010)), lines::add).run();
        assertThat(lines).hasSize(1);
        assertThat(lines.get(0)).matches(" +1 s: [0-9.]+ evictions/s, [0-9.]+ downloads/s, [0-9.]+ MiB/s, 0 restarts");
    }

    // ------------------------------------------------------------------ targets

    @Test
    void takesTheFirstTargetsWhenSorted() throws Exception {
        server.with(2, 1, 2).with(1, 9, 2).with(1, 3, 2);
        ChurnConfig config = config(SHORT).withTargets(List.of(), OptionalInt.of(2));
        ManagementApi api = new ManagementApi(config.endpoint(), Optional.empty(), SHORT);
        try (api) {
            assertThat(new Targets(api).find(List.of(), OptionalInt.of(2)).keySet())
                    .extracting(ChurnTarget::toString)
                    .containsExactly(id(1) + "/" + id(3), id(1) + "/" + id(9));
        }
        assertThat(run(config).partial()).isEmpty();
    }

    @Test
    void waitsForATenantThatIsNotReady() throws Exception {
        String tenant = "/v1/tenant/" + id(1);
        server.with(1, 1, 2).notReady(tenant, 3).notReady(tenant + "/timeline/" + id(1) + "/layer", 2);
        assertThat(run(config(SHORT)).partial()).isEmpty();
    }

    @Test
    void waitsForAServerThatIsStillAttaching() throws Exception {
        server.with(1, 1, 2).with(1, 2, 2).attaching(3);
        try (ManagementApi api = new ManagementApi(server.endpoint(), Optional.empty(), LONG)) {
            assertThat(new Targets(api).find(List.of(), OptionalInt.empty()).keySet())
                    .extracting(ChurnTarget::toString)
                    .containsExactly(id(1) + "/" + id(1), id(1) + "/" + id(2));
        }
    }

    // ------------------------------------------------------------------ what the server says of itself

    @Test
    void cpuAndMemoryAreWhatTheServerTells() throws Exception {
        server.with(1, 1, 1).tells(Optional.of(metrics(10.5)));
        Churn churn = new Churn(config(LONG), line -> {});
        server.onLayer((at, count) -> {
            at.tells(Optional.of(metrics(12.75)));
            if (count == 2) { // the eviction of the one layer, and its download
                churn.end(ENOUGH);
            }
            return Optional.empty();
        });
        ChurnResult result = churn.run();
        assertThat(result.downloads()).isEqualTo(1);
        assertThat(result.serverCpuSeconds()).hasValue(2.25);
        assertThat(result.serverCpuSecondsPerGib()).hasValue(2.25 / (LAYER_BYTES / (double) (1 << 30)));
        assertThat(result.serverResidentBytes()).hasValue(123_456_789L);
        assertThat(result.engine()).contains("io_uring");
        assertThat(result.binding()).contains("ffm");
    }

    private static String metrics(double cpu) {
        return "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total " + cpu
                + "\nprocess_cpu_seconds_total_more 99\nprocess_resident_memory_bytes{a=\"b\"} 1.23456789E8\n";
    }

    @Test
    void aServerWithoutMetricsLeavesGapsOnly() throws Exception {
        server.with(1, 1, 1).tells(Optional.empty());
        ChurnResult result = run(config(SHORT));
        assertThat(result.partial()).isEmpty();
        assertThat(result.serverCpuSeconds()).isEmpty();
        assertThat(result.json()).containsEntry("server_cpu_seconds", null).containsEntry("server_rss_bytes", null);
    }

    // ------------------------------------------------------------------ partial results

    private static void assertPartial(ChurnResult result, String reason) {
        assertThat(result.partial()).hasValueSatisfying(text -> assertThat(text).contains(reason));
        assertThat(result.json())
                .containsEntry("partial", true)
                .containsEntry("reason", result.partial().get());
    }

    @Test
    void aServerThatDiesLeavesWhatWasDoneUntilThen() throws Exception {
        server.with(1, 1, 50).onLayer((at, count) -> {
            if (count == 60) {
                at.die();
            }
            return Optional.empty();
        });
        ChurnResult result = run(config(LONG).withLoad(1, 4));
        assertThat(result.partial())
                .hasValueSatisfying(text -> assertThat(text)
                        .startsWith("The server at " + server.endpoint())
                        .containsAnyOf("cannot be reached", "has broken off"));
        // Four requests at most have had no answer.
        assertThat(result.downloads() + result.evictions()).isBetween(56L, 64L);
        assertThat(result.runtime()).isLessThan(LONG);
    }

    @Test
    void aRefusalInTheMiddleIsToldWithTheServersWords() throws Exception {
        server.with(1, 1, 10)
                .onLayer((at, count) -> count < 20
                        ? Optional.empty()
                        : Optional.of(new Answer(507, "{\"msg\":\"no space even after evicting\"}")));
        ChurnResult result = run(config(LONG));
        assertPartial(result, "answered 507: no space even after evicting (");
        assertCountsAreTheServers(result);
        assertThat(result.downloads() + result.evictions()).isEqualTo(19);
    }

    @Test
    void answersThatDoNotComeAreNotWaitedForWithoutEnd() throws Exception {
        server.with(1, 1, 10).onLayer((at, count) -> {
            new CountDownLatch(1).await();
            return Optional.empty();
        });
        ChurnConfig config = config(Duration.ofMillis(50)).withLoad(1, 2);
        assertPartial(
                run(config.withTimeouts(LONG, Duration.ofMillis(50))), "2 requests were not answered within 50ms");
        assertPartial(run(config(LONG).withTimeouts(Duration.ofMillis(100), LONG)), "has not answered within 100ms (");
    }

    @Test
    void aBodyThatDoesNotComeIsNoAnswerEither() throws Exception {
        server.with(1, 1, 10).onLayer((at, count) -> Optional.of(Answer.stalled()));
        assertPartial(run(config(LONG).withTimeouts(Duration.ofMillis(100), LONG)), "has not answered within 100ms (");
    }

    @Test
    void anEngineThatChangesInTheMiddleMarksTheResult() throws Exception {
        server.with(1, 1, 2).onLayer((at, count) -> {
            at.changeEngine("blocking");
            return Optional.empty();
        });
        assertPartial(run(config(SHORT)), "The engine changed during the run, from io_uring to blocking");
    }

    @Test
    void aServerThatWasStartedAnewMarksTheResult() throws Exception {
        server.with(1, 1, 2).tells(Optional.of(metrics(100))).onLayer((at, count) -> {
            at.launchAnew();
            at.tells(Optional.of(metrics(1)));
            return Optional.empty();
        });
        ChurnResult result = run(config(SHORT));
        assertPartial(result, "The server was started anew during the run");
        assertThat(result.serverCpuSeconds()).isEmpty();
    }

    @Test
    void whoEndsItHasThePartialResult() throws Exception {
        List<Churn> churns = new ArrayList<>();
        server.with(1, 1, 10).onLayer((at, count) -> {
            if (count == 30) {
                churns.get(0).end("Interrupted");
            }
            return Optional.empty();
        });
        Churn churn = new Churn(config(LONG), line -> {});
        churns.add(churn);
        ChurnResult result = churn.run();
        assertPartial(result, "Interrupted");
        assertCountsAreTheServers(result);
    }
}
