// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.testkit.sim.VirtualClock;
import dev.millrace.transfer.ByteRange;
import dev.millrace.transfer.Fetch;
import dev.millrace.transfer.FetchListener;
import dev.millrace.transfer.FetchRequest;
import dev.millrace.transfer.ListPage;
import dev.millrace.transfer.ObjectHead;
import dev.millrace.transfer.ObjectSource;
import dev.millrace.transfer.SourceFailure;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.zip.CRC32C;

/**
 * Objects in memory, told by a virtual clock. Answers fail or break off now and then, twice in a row for an object at most, so
 * that a download that asks again succeeds; what else a store of objects may do, downloads are tested for on their own.
 */
final class SimulatedRemote implements ObjectSource {
    private static final long LATENCY_NANOS = 20_000_000;
    private static final long CHUNK_NANOS = 2_000_000;
    private static final int MOST_CHUNK = 9000;
    private static final int MOST_FAILURES = 2;

    private final VirtualClock clock;
    private final SplittableRandom random;
    private final int failsOneIn;
    private final Map<String, byte[]> objects = new HashMap<>();
    private final Map<String, Integer> failures = new HashMap<>();

    /** {@code failsOneIn}: of so many answers one fails; 0 for none. */
    SimulatedRemote(VirtualClock clock, SplittableRandom random, int failsOneIn) {
        this.clock = clock;
        this.random = random;
        this.failsOneIn = failsOneIn;
    }

    void put(String key, byte[] content) {
        objects.put(key, content);
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

    private boolean fails(String key) {
        int before = failures.getOrDefault(key, 0);
        boolean fails = failsOneIn > 0 && before < MOST_FAILURES && random.nextInt(failsOneIn) == 0;
        failures.put(key, fails ? before + 1 : 0);
        return fails;
    }

    /** One GET; its calls come from the scenario's thread, or from the engine's while that waits. */
    private final class Get implements Fetch {
        private final FetchRequest request;
        private final FetchListener listener;
        private byte[] body = new byte[0];
        private int sent;
        private int breaksAt = Integer.MAX_VALUE;
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
            byte[] object = objects.get(request.object().key());
            if (object == null) {
                fail(SourceFailure.of(SourceFailure.Kind.ANSWER, "there is no " + request.object())
                        .answer(404, "NoSuchKey"));
                return;
            }
            boolean fails = fails(request.object().key());
            if (fails && random.nextBoolean()) {
                fail(SourceFailure.of(SourceFailure.Kind.ANSWER, "trouble with " + request.object())
                        .answer(500, "InternalError"));
                return;
            }
            Optional<ByteRange> range = request.range();
            int first = range.map(bytes -> (int) bytes.first()).orElse(0);
            body = Arrays.copyOfRange(object, first, object.length);
            if (fails) {
                breaksAt = random.nextInt(body.length + 1);
            }
            CRC32C sum = new CRC32C();
            sum.update(object);
            headSent = true;
            listener.head(new ObjectHead(
                    range.isPresent() ? 206 : 200,
                    OptionalLong.of(body.length),
                    false,
                    range.map(bytes -> "bytes " + first + "-" + (object.length - 1) + "/" + object.length),
                    Optional.of("\"" + sum.getValue() + "\""),
                    Map.of(),
                    Optional.empty(),
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
            if (sent >= breaksAt) {
                fail(SourceFailure.of(SourceFailure.Kind.CONNECTION, "reset"));
                return;
            }
            if (sent == body.length) {
                over = true;
                listener.end();
                return;
            }
            int count = 1 + random.nextInt(Math.min(Math.min(breaksAt, body.length) - sent, MOST_CHUNK));
            ByteBuffer chunk = ByteBuffer.wrap(Arrays.copyOfRange(body, sent, sent + count));
            sent += count;
            allowed--;
            listener.chunk(chunk);
            schedule();
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
