// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static dev.millrace.transfer.Rig.assertSame;
import static dev.millrace.transfer.Rig.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.Fault;
import dev.millrace.testkit.Headers;
import dev.millrace.testkit.Request;
import dev.millrace.testkit.S3Checksum;
import dev.millrace.testkit.ScriptedObject;
import dev.millrace.testkit.ScriptedObject.Quirk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a download must survive, on every engine. */
final class SurvivalTest {
    private static final Content CONTENT = Content.pattern(7, 1_000_003);
    private static final ScriptedObject OBJECT = ScriptedObject.of(CONTENT).withChecksum(S3Checksum.CRC64NVME);

    @TempDir
    Path folder;

    static List<EngineKind> engines() {
        return Engines.working().toList();
    }

    private Rig rig(EngineKind kind) throws IOException {
        return new Rig(kind, folder).put("key", OBJECT);
    }

    private Rig hasty(EngineKind kind) throws IOException {
        return new Rig(kind, folder, Rig.HASTY).put("key", OBJECT).warm();
    }

    private static void arrives(Rig rig, int retries) throws IOException {
        DownloadResult result = rig.get("key");
        assertSame(rig.target("out"), CONTENT);
        assertThat(result.bytes()).isEqualTo(CONTENT.length());
        assertThat(result.verified()).isEqualTo("crc64nvme");
        assertThat(result.retries()).isEqualTo(retries);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldResumeAfterAResetInMidBody(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().once().then(new Fault.ResetAfter(700_000));
            arrives(rig, 1);
            Request second = rig.server.requests().get(1);
            assertThat(second.header("Range")).isPresent();
            assertThat(second.header("If-Match")).isEqualTo(OBJECT.etag());
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldAskAgainAfterAResetBeforeTheFirstByte(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().once().then(new Fault.ResetBeforeHead());
            arrives(rig, 1);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldNotCountPooledConnectionsThatDied(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            arrives(rig, 0);
            rig.server.onAny().once().then(new Fault.CloseBeforeHead());
            arrives(rig, 0);
            assertThat(rig.timing.sleeps()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldBeDoneWhenTheConnectionBreaksAfterTheLastByte(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().once().then(new Fault.ResetAfterBody());
            DownloadResult result = rig.get("key");
            assertSame(rig.target("out"), CONTENT);
            assertThat(result.verified()).isEqualTo("crc64nvme");
            // On a busy machine the reset overtakes bytes that were not read yet: those are asked for, once.
            assertThat(result.retries()).isLessThanOrEqualTo(1);
            assertThat(rig.requestsFor("key")).isEqualTo(1 + result.retries());
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldResumeAfterAnEarlyClose(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().inTurn(new Fault.CloseAfter(1), new Fault.CloseAfter(500_000), new Fault.CloseAfter(0));
            DownloadResult result = rig.get("key");
            assertSame(rig.target("out"), CONTENT);
            assertThat(result.retries()).isBetween(2, 3);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldKeepWhatWasAskedForWhenMoreIsSent(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().then(new Fault.ExtraBytes(1000));
            arrives(rig, 0);
            arrives(rig, 0); // over a connection with too much in it: as one that had died
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldCutAStalledTransferAndResumeOverANewConnection(EngineKind kind) throws IOException {
        try (Rig rig = hasty(kind)) {
            rig.server.onAny().once().then(new Fault.StallAfter(300_000, Duration.ofMinutes(5)));
            arrives(rig, 1);
            List<Request> requests =
                    rig.server.requests(request -> request.path().endsWith("key"));
            assertThat(requests.get(1).connection())
                    .isNotEqualTo(requests.get(0).connection());
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldCutATrickleThatNeverStopsForLong(EngineKind kind) throws IOException {
        try (Rig rig = hasty(kind)) {
            rig.server.onAny().once().then(new Fault.Trickle(10, Duration.ofMillis(50)));
            arrives(rig, 1);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldNotCutAHealthyPause(EngineKind kind) throws IOException {
        try (Rig rig = hasty(kind)) {
            rig.server.onAny().once().then(new Fault.StallAfter(300_000, Duration.ofMillis(400)));
            arrives(rig, 0);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldAskAgainWhenNoAnswerBegins(EngineKind kind) throws IOException {
        try (Rig rig = hasty(kind)) {
            rig.server.onAny().once().then(new Fault.StallBeforeHead(Duration.ofMinutes(5)));
            arrives(rig, 1);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldGoOnWhenAStoppedServerGoesOn(EngineKind kind) throws Exception {
        try (Rig rig = hasty(kind)) {
            rig.server.stop();
            CompletableFuture<DownloadResult> download = rig.downloader.download(rig.request("key"));
            long before = rig.server.connectionCount();
            for (int i = 0; i < 600 && rig.server.connectionCount() < before + 2; i++) {
                Thread.sleep(50);
            }
            assertThat(rig.server.connectionCount()).isGreaterThanOrEqualTo(before + 2);
            rig.server.resume();
            assertThat(await(download).retries()).isPositive();
            assertSame(rig.target("out"), CONTENT);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldWaitOutAStoreThatIsBusyForAWhile(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().times(4).then(Fault.slowDown());
            arrives(rig, 4);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldWaitAsLongAsTheStoreAsks(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().once().then(Fault.tooManyRequests(Duration.ofSeconds(7)));
            arrives(rig, 1);
            assertThat(rig.timing.sleeps()).anyMatch(sleep -> sleep.compareTo(Duration.ofMillis(6900)) >= 0);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldGiveUpAfterElevenTriesWithoutProgress(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().then(Fault.error(500, "InternalError"));
            assertThatThrownBy(() -> rig.get("key"))
                    .isInstanceOf(DownloadFailure.SourceUnreachable.class)
                    .hasMessageContaining("11 tries")
                    .hasMessageContaining("InternalError")
                    .hasMessageContaining("s3://bucket/key");
            assertThat(rig.requestsFor("key")).isEqualTo(11);
            assertThat(rig.target("out")).doesNotExist();
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldCountTriesFromTheFurthestByteSoThatProgressGoesOn(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            // Each answer brings some bytes and breaks: far more than eleven in all.
            rig.server.on(request -> request.isGet()).times(15).then(new Fault.CloseAfter(60_000));
            DownloadResult result = rig.get("key");
            assertSame(rig.target("out"), CONTENT);
            assertThat(result.retries()).isEqualTo(15);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldSayThatAnObjectIsMissing(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            assertThatThrownBy(() -> rig.get("other"))
                    .isInstanceOf(DownloadFailure.ObjectMissing.class)
                    .hasMessageContaining("s3://bucket/other")
                    .hasMessageContaining("404 NoSuchKey");
            assertThatThrownBy(() -> rig.get(DownloadRequest.of(new ObjectId("nowhere", "a"), rig.target("out"))))
                    .isInstanceOf(DownloadFailure.ObjectMissing.class)
                    .hasMessageContaining("NoSuchBucket");
            assertThat(rig.server.requestCount()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldNotAskAgainWhenAccessIsRefused(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            for (String code :
                    List.of("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidObjectState")) {
                rig.server.onAny().once().then(Fault.forbidden(code));
                assertThatThrownBy(() -> rig.get("key"))
                        .isInstanceOf(DownloadFailure.AccessRefused.class)
                        .hasMessageContaining(code);
            }
            assertThat(rig.server.requestCount()).isEqualTo(4);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldAskAgainAfterAnExpiredToken(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().once().then(Fault.forbidden("ExpiredToken"));
            arrives(rig, 1);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldNotTakeAnErrorDocumentForBytes(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().inTurn(new Fault.ResetAfter(600_000), new Fault.ErrorBody("InternalError"));
            arrives(rig, 2);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldGoOnWhereItWasWhenARangeIsIgnored(EngineKind kind) throws IOException {
        try (Rig rig = new Rig(kind, folder).put("key", OBJECT.with(Quirk.IGNORES_RANGE))) {
            rig.server.onAny().once().then(new Fault.ResetAfter(600_000));
            arrives(rig, 1);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldRefuseAnotherRangeNamingBoth(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.on(request -> request.header("Range").isPresent()).then(new Fault.ShiftRange(-5));
            assertThatThrownBy(() -> rig.get(rig.request("key").withRange(ByteRange.of(100, 199))))
                    .isInstanceOf(DownloadFailure.RequestRefused.class)
                    .hasMessageContaining("bytes 95-194/1000003")
                    .hasMessageContaining("100-199");
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldAskAgainWhenAnotherRangeComesOnce(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().inTurn(new Fault.ResetAfter(600_000), new Fault.OtherRange(0, OptionalLong.of(99)));
            arrives(rig, 2);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldBeginAgainWhenTheObjectChanges(EngineKind kind) throws IOException {
        Content old = Content.pattern(8, CONTENT.length());
        for (boolean honoursIfMatch : new boolean[] {true, false}) {
            try (Rig rig = new Rig(kind, folder)) {
                ScriptedObject next = honoursIfMatch ? OBJECT : OBJECT.with(Quirk.IGNORES_IF_MATCH);
                rig.server.putInTurn(
                        Rig.BUCKET, "key", ScriptedObject.of(old).withChecksum(S3Checksum.CRC64NVME), next, next);
                rig.server.onAny().once().then(new Fault.ResetAfter(600_000));
                arrives(rig, 2);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldGiveUpOnAnObjectThatKeepsChanging(EngineKind kind) throws IOException {
        try (Rig rig = new Rig(kind, folder)) {
            ScriptedObject[] turns = new ScriptedObject[20];
            for (int i = 0; i < turns.length; i++) {
                turns[i] = ScriptedObject.of(Content.pattern(i, CONTENT.length()));
            }
            rig.server.putInTurn(Rig.BUCKET, "key", turns);
            rig.server.onAny().then(new Fault.ResetAfter(600_000));
            assertThatThrownBy(() -> rig.get("key"))
                    .isInstanceOf(DownloadFailure.ObjectChanged.class)
                    .hasMessageContaining("changes while it is read");
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldRefuseAnotherObjectThanPromised(EngineKind kind) throws IOException {
        for (boolean honoursIfMatch : new boolean[] {true, false}) {
            try (Rig rig = new Rig(kind, folder)) {
                rig.put("key", honoursIfMatch ? OBJECT : OBJECT.with(Quirk.IGNORES_IF_MATCH));
                assertThatThrownBy(() -> rig.get(rig.request("key").withExpectedETag("\"other\"")))
                        .isInstanceOf(DownloadFailure.ObjectChanged.class);
                assertThat(rig.requestsFor("key")).isEqualTo(1);
                rig.get(rig.request("key").withExpectedETag(OBJECT.etag().orElseThrow()));
                assertSame(rig.target("out"), CONTENT);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldBeginAgainWithoutAStrongETag(EngineKind kind) throws IOException {
        for (ScriptedObject object : List.of(OBJECT.withoutETag(), OBJECT.withETag("W/\"weak\""))) {
            try (Rig rig = new Rig(kind, folder).put("key", object)) {
                rig.server.onAny().once().then(new Fault.ResetAfter(600_000));
                arrives(rig, 1);
                assertThat(rig.server.requests().get(1).header("Range")).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldFetchAnewOnceWhenBytesAreWrong(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().once().then(new Fault.CorruptByte(123_456));
            arrives(rig, 1);
        }
        try (Rig rig = rig(kind)) {
            rig.server.onAny().then(new Fault.CorruptByte(123_456));
            assertThatThrownBy(() -> rig.get(rig.request("key").withProgress(Progress.NONE)))
                    .isInstanceOf(DownloadFailure.ChecksumMismatch.class)
                    .hasMessageContaining(S3Checksum.CRC64NVME.of(CONTENT))
                    .hasMessageContaining("twice");
            assertThat(rig.requestsFor("key")).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldRefuseAnotherLengthThanPromised(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            assertThatThrownBy(() -> rig.get(rig.request("key").withExpectedLength(CONTENT.length() + 1)))
                    .isInstanceOf(DownloadFailure.ObjectChanged.class)
                    .hasMessageContaining("1000003")
                    .hasMessageContaining("1000004");
            rig.get(rig.request("key").withExpectedLength(CONTENT.length()));
            assertSame(rig.target("out"), CONTENT);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldTakeAnEmptyObjectThatRefusesEveryRange(EngineKind kind) throws IOException {
        try (Rig rig = new Rig(kind, folder)) {
            rig.put("key", ScriptedObject.of(Content.of("")).with(Quirk.REFUSES_RANGES));
            assertThat(rig.get("key").bytes()).isZero();
            assertThat(rig.target("out")).isEmptyFile();
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldTakeABodyInChunksWithoutALength(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().then(new Fault.ChunkedBody(7777));
            arrives(rig, 0);
            rig.server.clearRules();
            rig.server.onAny().once().then(new Fault.ChunkedBody(7777), new Fault.CloseAfter(500_000));
            arrives(rig, 1);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldAskOnceWhetherMoreFollowsWhereTheLengthIsNotKnown(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().once().then(new Fault.ChunkedBody(7777), new Fault.CloseAfter(CONTENT.length()));
            arrives(rig, 1);
            assertThat(rig.requestsFor("key")).isEqualTo(2);
            assertThat(rig.server.requests().get(1).header("Range")).contains("bytes=1000003-");
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldNotTakeAClosedConnectionForTheEndOfAChunkedBody(EngineKind kind) throws IOException {
        try (Rig rig = new Rig(kind, folder).put("key", CONTENT)) {
            rig.server.onAny().once().then(new Fault.ChunkedBody(10_000), new Fault.CloseAfter(500_000));
            DownloadResult result = rig.get("key");
            assertSame(rig.target("out"), CONTENT);
            assertThat(result.retries()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldTakeABodyWithoutFramingOnlyWhereSomethingProvesItWhole(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.server.onAny().then(new Fault.UnframedBody());
            arrives(rig, 0);
            rig.put("plain", CONTENT);
            assertThatThrownBy(() -> rig.get("plain"))
                    .isInstanceOf(DownloadFailure.RequestRefused.class)
                    .hasMessageContaining("neither a length nor chunks");
            rig.get(rig.request("plain").withExpectedLength(CONTENT.length()));
            assertSame(rig.target("out"), CONTENT);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldSaveEncodedBytesAsTheyWereSent(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            rig.put("key", OBJECT.withHeader("Content-Encoding", "gzip"));
            arrives(rig, 0);
            rig.put("key", OBJECT.withHeader("Content-Encoding", "aws-chunked"));
            arrives(rig, 0);
            assertThat(rig.server.requests().get(0).header("Accept-Encoding")).contains("identity");
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldSayHowItVerified(EngineKind kind) throws IOException {
        try (Rig rig = new Rig(kind, folder)) {
            for (S3Checksum sum : S3Checksum.values()) {
                rig.put("key", ScriptedObject.of(CONTENT).withChecksum(sum));
                assertThat(rig.get("key").verified()).isEqualTo(sum.name().toLowerCase(java.util.Locale.ROOT));
            }
            rig.put("key", ScriptedObject.of(CONTENT).withChecksum(S3Checksum.CRC32C, "q8wtWQ==-3", "COMPOSITE"));
            assertThat(rig.get("key").verified()).isEqualTo("not verified: composite");
            rig.put("key", CONTENT);
            assertThat(rig.get("key").verified()).isEqualTo("not verified: no checksum");
            rig.put("key", OBJECT.with(Quirk.CHECKSUM_ON_PARTIAL_ANSWERS));
            assertThat(rig.get(rig.request("key").withRange(ByteRange.of(5, 500_004)))
                            .verified())
                    .isEqualTo("not verified: part of an object");
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldFetchRanges(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            byte[] all = CONTENT.toBytes();
            for (ByteRange range : List.of(
                    ByteRange.of(0, 0),
                    ByteRange.of(5, 500_004),
                    ByteRange.from(1_000_002),
                    ByteRange.from(0),
                    ByteRange.of(999_000, 2_000_000))) {
                rig.get(rig.request("key").withRange(range));
                int last = (int) Math.min(range.last().orElse(Long.MAX_VALUE), all.length - 1);
                assertThat(Files.readAllBytes(rig.target("out")))
                        .isEqualTo(java.util.Arrays.copyOfRange(all, (int) range.first(), last + 1));
            }
            rig.server.onAny().once().then(new Fault.ResetAfter(200_000));
            rig.get(rig.request("key").withRange(ByteRange.of(5, 500_004)));
            assertThat(Files.readAllBytes(rig.target("out"))).isEqualTo(java.util.Arrays.copyOfRange(all, 5, 500_005));
            assertThatThrownBy(() -> rig.get(rig.request("key").withRange(ByteRange.from(1_000_003))))
                    .isInstanceOf(DownloadFailure.RequestRefused.class)
                    .hasMessageContaining("416");
            rig.put("key", OBJECT.with(Quirk.IGNORES_RANGE));
            rig.get(rig.request("key").withRange(ByteRange.of(5, 500_004)));
            assertThat(Files.readAllBytes(rig.target("out"))).isEqualTo(java.util.Arrays.copyOfRange(all, 5, 500_005));
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldSendEveryHeaderOfTheCallerAgainWhenItResumes(EngineKind kind) throws IOException {
        try (Rig rig = new Rig(kind, folder)) {
            rig.put("key", OBJECT.withVersion("v1"));
            rig.server.onAny().once().then(new Fault.ResetAfter(600_000));
            rig.get(rig.request("key")
                    .withVersionId("v1")
                    .withHeaders(java.util.Map.of("x-amz-request-payer", "requester")));
            assertSame(rig.target("out"), CONTENT);
            for (Request request : rig.server.requests()) {
                assertThat(request.parameter("versionId")).contains("v1");
                assertThat(request.header("x-amz-request-payer")).contains("requester");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldReportProgressThatOnlyGrows(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            List<Long> seen = new java.util.concurrent.CopyOnWriteArrayList<>();
            rig.server.onAny().inTurn(new Fault.ResetAfter(600_000), new Fault.CorruptByte(10));
            rig.get(rig.request("key").withProgress(seen::add));
            assertThat(seen).isSorted().doesNotHaveDuplicates().endsWith(CONTENT.length());
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldStopAtItsBudget(EngineKind kind) throws IOException {
        try (Rig rig = new Rig(kind, folder, Rig.CONFIG.withBudget(Duration.ofSeconds(20))).put("key", OBJECT)) {
            rig.server.onAny().then(new Fault.StallAfter(1000, Duration.ofMinutes(5)));
            assertThatThrownBy(() -> rig.get("key"))
                    .isInstanceOf(DownloadFailure.SourceUnreachable.class)
                    .hasMessageContaining("budget");
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldSayThatNobodyListens(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind).warm()) {
            rig.server.close();
            assertThatThrownBy(() -> rig.get("key"))
                    .isInstanceOf(DownloadFailure.SourceUnreachable.class)
                    .hasMessageContaining("Connection refused")
                    .hasMessageContaining(rig.server.endpoint().toString());
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldLearnTheClockFromTheStore(EngineKind kind) throws IOException {
        try (Rig rig = rig(kind)) {
            String date = java.time.format.DateTimeFormatter.RFC_1123_DATE_TIME.format(
                    java.time.ZonedDateTime.now(java.time.ZoneOffset.UTC).plusHours(3));
            rig.server.onAny().once().then(Fault.error(403, "RequestTimeTooSkewed", Headers.of("Date", date)));
            arrives(rig, 1);
            String signedAt = rig.server.requests().get(1).header("x-amz-date").orElseThrow();
            assertThat(java.time.LocalDateTime.parse(
                            signedAt, java.time.format.DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'")))
                    .isAfter(java.time.LocalDateTime.now(java.time.ZoneOffset.UTC)
                            .plusHours(2));
        } finally {
            // The SDK keeps what it learnt for the whole process.
            software.amazon.awssdk.core.SdkGlobalTime.setGlobalTimeOffset(0);
        }
    }
}
