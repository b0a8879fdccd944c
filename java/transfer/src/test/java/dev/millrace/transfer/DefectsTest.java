// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.DirectMode;
import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.Fault;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What throws where nobody foresaw it, as a class does that cannot be loaded: who waits hears of it, and all is given back. */
@Timeout(120)
final class DefectsTest {
    private static final Content CONTENT = Content.pattern(1, 500_000);

    @TempDir
    Path folder;

    /** Where in the life of a sink. */
    enum Step {
        OPEN,
        BEGIN,
        WRITE,
        FINISH,
        PUBLISH,
        ABORT,
        DISCARD,
        FAILED
    }

    private static NoClassDefFoundError defect(String where) {
        return new NoClassDefFoundError("planted/In" + where);
    }

    /** A file's sink that throws at one step, after what it should have done at the end. */
    private static final class PlantedSink implements Sink {
        private final Sink real;
        private final Step at;

        PlantedSink(Sink real, Step at) {
            this.real = real;
            this.at = at;
        }

        private void reach(Step step) {
            if (step == at) {
                throw defect(step.name());
            }
        }

        @Override
        public void begin(OptionalLong length, Digests digests, Runnable onReady) throws IOException {
            reach(Step.BEGIN);
            real.begin(length, digests, onReady);
        }

        @Override
        public boolean hasBegun() {
            return real.hasBegun();
        }

        @Override
        public boolean write(ByteBuffer chunk) throws IOException {
            reach(Step.WRITE);
            return real.write(chunk);
        }

        @Override
        public long position() {
            return real.position();
        }

        @Override
        public void finish(Consumer<Optional<? extends IOException>> then) {
            reach(Step.FINISH);
            real.finish(then);
        }

        @Override
        public void abort(Runnable then) {
            if (at == Step.ABORT) {
                CompletableFuture<Boolean> idle = new CompletableFuture<>();
                real.abort(() -> idle.complete(true));
                idle.join();
            }
            reach(Step.ABORT);
            real.abort(then);
        }

        @Override
        public void publish() throws IOException {
            reach(Step.PUBLISH);
            if (endsBadly(at)) {
                throw new IOException("planted, to end badly");
            }
            real.publish();
        }

        @Override
        public void discard() {
            real.discard();
            reach(Step.DISCARD);
        }

        @Override
        public boolean canBeginAgain() {
            return real.canBeginAgain();
        }

        @Override
        public boolean isDirect() {
            return real.isDirect();
        }
    }

    /** Steps of a download that has failed already. */
    private static boolean endsBadly(Step step) {
        return step == Step.DISCARD || step == Step.FAILED;
    }

    private Download.SinkMaker maker(IoEngine engine, Step at) {
        return new Download.SinkMaker() {
            @Override
            public Sink open() throws IOException {
                if (at == Step.OPEN) {
                    throw defect(at.name());
                }
                return new PlantedSink(
                        FileSink.open(engine, Target.of(folder.resolve("out")), true, 2, DirectMode.OFF), at);
            }

            @Override
            public void failed() {
                if (at == Step.FAILED) {
                    throw defect(at.name());
                }
            }

            @Override
            public void succeeded() {
                throw new AssertionError("nothing succeeds here");
            }
        };
    }

    @ParameterizedTest
    @EnumSource(Step.class)
    void shouldTellWhoWaitsWhicheverStepThrows(Step step) throws IOException {
        try (Rig rig = new Rig(EngineKind.BLOCKING, folder).put("key", CONTENT)) {
            if (step == Step.ABORT) {
                rig.server.onAny().inTurn(new Fault.CloseAfter(200_000), Fault.forbidden("AccessDenied"));
            }
            Downloader.Shared shared = rig.downloader.new Shared();
            Download download = new Download(shared, rig.request("key"), rig.target("out"), maker(rig.engine, step));
            download.start();
            assertThatThrownBy(() -> Rig.await(download.future()))
                    .isInstanceOf(
                            step == Step.ABORT ? DownloadFailure.AccessRefused.class : DownloadFailure.LocalDisk.class)
                    .hasMessageContaining(
                            step == Step.ABORT
                                    ? "AccessDenied"
                                    : endsBadly(step) ? "to end badly" : "a defect in this program");
            assertThat(shared.layerPermits().available())
                    .isEqualTo(shared.layerPermits().size());
            rig.assertNothingLeft();
        }
    }

    /** Where in the life of a fetch. */
    enum Call {
        GET,
        REQUEST,
        CANCEL
    }

    /** A source that throws at one call; of its own accord it says no more then. */
    private static final class PlantedSource implements ObjectSource {
        private final ObjectSource real;
        private final Call at;

        PlantedSource(ObjectSource real, Call at) {
            this.real = real;
            this.at = at;
        }

        @Override
        public String name() {
            return real.name();
        }

        @Override
        public Fetch get(FetchRequest request, FetchListener listener) {
            if (at == Call.GET) {
                throw defect("Get");
            }
            Fetch fetch = real.get(request, listener);
            return new Fetch() {
                @Override
                public void request(long chunks) {
                    if (at == Call.REQUEST) {
                        throw defect("Request");
                    }
                    fetch.request(chunks);
                }

                @Override
                public void cancel() {
                    if (at == Call.CANCEL) {
                        throw defect("Cancel");
                    }
                    fetch.cancel();
                }
            };
        }

        @Override
        public CompletableFuture<ObjectHead> head(FetchRequest request) {
            return real.head(request);
        }

        @Override
        public ListPage list(String bucket, String prefix, Optional<String> token) throws SourceFailure {
            return real.list(bucket, prefix, token);
        }

        @Override
        public void close() {
            real.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Call.class)
    void shouldTellWhoWaitsWhicheverCallOfTheSourceThrows(Call call) throws Exception {
        try (Rig rig = new Rig(EngineKind.BLOCKING, folder).put("key", CONTENT);
                Downloader downloader = Downloader.open(
                        rig.engine, new PlantedSource(rig.source, call), Rig.CONFIG, new TestTiming())) {
            if (call == Call.CANCEL) {
                rig.server.onAny().then(new Fault.StallAfter(200_000, Duration.ofMinutes(1)));
            }
            RunningDownload download = downloader.start(rig.request("key"));
            if (call == Call.CANCEL) {
                assertThat(rig.server.awaitRequests(1, Duration.ofSeconds(30))).isTrue();
                download.stop();
            }
            assertThatThrownBy(() -> Rig.await(download.result()))
                    .isInstanceOf(
                            call == Call.CANCEL ? DownloadFailure.Cancelled.class : DownloadFailure.LocalDisk.class)
                    .hasMessageContaining(call == Call.CANCEL ? "was cancelled" : "a defect in this program");
            rig.assertNothingLeft();
        }
    }

    @Test
    void shouldGoOnWhenAListenerOfProgressThrows() throws IOException {
        try (Rig rig = new Rig(EngineKind.BLOCKING, folder).put("key", CONTENT)) {
            rig.get(rig.request("key").withProgress(position -> {
                throw defect("Progress");
            }));
            Rig.assertSame(rig.target("out"), CONTENT);
        }
    }

    @Test
    void shouldFailWhenAChannelThrowsWhatItMayNot() throws IOException {
        try (Rig rig = new Rig(EngineKind.BLOCKING, folder).put("key", CONTENT)) {
            WritableByteChannel wrong = new WritableByteChannel() {
                private final ByteArrayOutputStream taken = new ByteArrayOutputStream();

                @Override
                public int write(ByteBuffer bytes) {
                    if (taken.size() > 0) {
                        throw new IllegalBlockingModeException();
                    }
                    byte[] some = new byte[100];
                    bytes.get(some);
                    taken.writeBytes(some);
                    return some.length;
                }

                @Override
                public boolean isOpen() {
                    return true;
                }

                @Override
                public void close() {}
            };
            assertThatThrownBy(() -> Rig.await(rig.downloader.stream(Rig.id("key"), wrong)))
                    .isInstanceOf(DownloadFailure.LocalDisk.class)
                    .hasMessageContaining("IllegalBlockingModeException");
        }
    }
}
