// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.testkit.sim.VirtualClock;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.zip.CRC32C;

/**
 * A store in memory that answers by a virtual clock and fails as the seed says: errors, no answer, bodies that break, stall,
 * end early or come garbled. Each object fails a few times at most, so that a download with patience succeeds.
 */
final class SimulatedSource implements ObjectSource {
    private static final long LATENCY_NANOS = 50_000_000;
    private static final long CHUNK_NANOS = 2_000_000;
    private static final int MOST_CHUNK = 6000;

    private enum Fate {
        GOOD,
        SLOW_DOWN,
        INTERNAL_ERROR,
        NO_CONNECTION,
        NO_ANSWER,
        BREAKS,
        STALLS,
        ENDS_EARLY,
        GARBLED
    }

    private static final class Stored {
        private final byte[] bytes;
        private int failuresLeft;
        private boolean garbled;

        Stored(byte[] bytes, int failures) {
            this.bytes = bytes;
            this.failuresLeft = failures;
        }
    }

    private final VirtualClock clock;
    private final SplittableRandom random;
    private final Map<String, Stored> objects = new HashMap<>();

    SimulatedSource(VirtualClock clock, SplittableRandom random) {
        this.clock = clock;
        this.random = random;
    }

    /** Stores an object that fails so many times before it is read in peace. */
    void put(String key, byte[] content, int failures) {
        objects.put(key, new Stored(content, failures));
    }

    @Override
    public String name() {
        return "the simulated store";
    }

    @Override
    public Fetch get(FetchRequest request, FetchListener listener) {
        Get get = new Get(request, listener);
        clock.after(random.nextLong(LATENCY_NANOS), get::answer);
        return get;
    }

    private Fate fateOf(Stored object) {
        if (object.failuresLeft == 0 || random.nextInt(4) == 0) {
            return Fate.GOOD;
        }
        object.failuresLeft--;
        Fate fate = Fate.values()[1 + random.nextInt(Fate.values().length - 1)];
        if (fate == Fate.GARBLED) {
            if (object.garbled) {
                return Fate.BREAKS; // bytes that are wrong twice are an error for good
            }
            object.garbled = true;
        }
        return fate;
    }

    /** One GET; its calls come from the scenario's thread, or from the engine's while that waits. */
    private final class Get implements Fetch {
        private final FetchRequest request;
        private final FetchListener listener;
        private Fate fate = Fate.GOOD;
        private byte[] body = new byte[0];
        private int sent;
        private int failsAt;
        private long allowed;
        private boolean scheduled;
        private boolean headSent;
        private boolean over;

        Get(FetchRequest request, FetchListener listener) {
            this.request = request;
            this.listener = listener;
        }

        private void answer() {
            if (over) {
                return;
            }
            Stored object = objects.get(request.object().key());
            if (object == null) {
                fail(SourceFailure.of(SourceFailure.Kind.ANSWER, "no such object")
                        .answer(404, "NoSuchKey"));
                return;
            }
            fate = fateOf(object);
            switch (fate) {
                case SLOW_DOWN ->
                    fail(SourceFailure.of(SourceFailure.Kind.ANSWER, "slow down")
                            .answer(503, "SlowDown"));
                case INTERNAL_ERROR ->
                    fail(SourceFailure.of(SourceFailure.Kind.ANSWER, "trouble").answer(500, "InternalError"));
                case NO_CONNECTION -> fail(SourceFailure.of(SourceFailure.Kind.CONNECTION, "refused"));
                case NO_ANSWER -> {
                    // for ever
                }
                default -> begin(object);
            }
        }

        private void begin(Stored object) {
            int first = request.range().map(range -> (int) range.first()).orElse(0);
            int end = object.bytes.length;
            body = Arrays.copyOfRange(object.bytes, first, end);
            failsAt = random.nextInt(body.length + 1);
            if (fate == Fate.GARBLED && body.length > 0) {
                body[Math.min(failsAt, body.length - 1)] ^= 1;
            }
            boolean part = request.range().isPresent();
            CRC32C sum = new CRC32C();
            sum.update(object.bytes);
            byte[] value = ByteBuffer.allocate(4).putInt((int) sum.getValue()).array();
            headSent = true;
            listener.head(new ObjectHead(
                    part ? 206 : 200,
                    OptionalLong.of(body.length),
                    false,
                    part ? Optional.of("bytes " + first + "-" + (end - 1) + "/" + end) : Optional.empty(),
                    Optional.of("\"etag\""),
                    Map.of("crc32c", Base64.getEncoder().encodeToString(value)),
                    Optional.of("FULL_OBJECT"),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty()));
            schedule();
        }

        private void schedule() {
            if (!scheduled && headSent && !over && (allowed > 0 || sent == body.length)) {
                scheduled = true;
                clock.after(random.nextLong(CHUNK_NANOS), this::send);
            }
        }

        private void send() {
            scheduled = false;
            if (over) {
                return;
            }
            boolean fails = fate == Fate.BREAKS || fate == Fate.STALLS || fate == Fate.ENDS_EARLY;
            if (fails && sent >= failsAt) {
                switch (fate) {
                    case BREAKS -> fail(SourceFailure.of(SourceFailure.Kind.CONNECTION, "reset"));
                    case ENDS_EARLY -> end();
                    default -> {
                        // nothing any more, for ever
                    }
                }
                return;
            }
            if (sent == body.length) {
                end();
                return;
            }
            int most = Math.min((fails ? failsAt : body.length) - sent, MOST_CHUNK);
            int count = 1 + random.nextInt(most);
            ByteBuffer chunk = ByteBuffer.wrap(Arrays.copyOfRange(body, sent, sent + count));
            sent += count;
            allowed--;
            listener.chunk(chunk);
            schedule();
        }

        private void end() {
            over = true;
            listener.end();
        }

        private void fail(SourceFailure.Builder failure) {
            over = true;
            listener.failed(failure.build());
        }

        @Override
        public void request(long chunks) {
            allowed += chunks;
            schedule();
        }

        @Override
        public void cancel() {
            clock.after(0, () -> {
                if (!over) {
                    fail(SourceFailure.of(SourceFailure.Kind.CANCELLED, "cancelled"));
                }
            });
        }
    }

    @Override
    public CompletableFuture<ObjectHead> head(FetchRequest request) {
        throw new UnsupportedOperationException("nobody asks");
    }

    @Override
    public ListPage list(String bucket, String prefix, Optional<String> token) {
        throw new UnsupportedOperationException("nobody asks");
    }

    @Override
    public void close() {
        // nothing is held
    }
}
