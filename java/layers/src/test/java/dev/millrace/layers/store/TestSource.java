// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.transfer.Fetch;
import dev.millrace.transfer.FetchListener;
import dev.millrace.transfer.FetchRequest;
import dev.millrace.transfer.ListPage;
import dev.millrace.transfer.ObjectHead;
import dev.millrace.transfer.ObjectId;
import dev.millrace.transfer.ObjectSource;
import dev.millrace.transfer.SourceFailure;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/** A store that counts what is asked, holds answers back and refuses requests as a test says. */
final class TestSource implements ObjectSource {
    private final ObjectSource source;
    private final ConcurrentHashMap<String, AtomicLong> gets = new ConcurrentHashMap<>();
    private final AtomicLong lists = new AtomicLong();
    private final List<Held> held = new ArrayList<>();
    private Predicate<String> holding = key -> false;
    private volatile Predicate<String> refusing = key -> false;
    private volatile Predicate<String> breaking = key -> false;

    TestSource(ObjectSource source) {
        this.source = source;
    }

    /** A GET that is not sent yet. */
    private final class Held implements Fetch {
        private final FetchRequest request;
        private final FetchListener listener;
        private final AtomicBoolean over = new AtomicBoolean();
        private long allowed;
        private Optional<Fetch> sent = Optional.empty();

        Held(FetchRequest request, FetchListener listener) {
            this.request = request;
            this.listener = listener;
        }

        @Override
        public void request(long chunks) {
            Optional<Fetch> to;
            synchronized (held) {
                allowed += sent.isPresent() ? 0 : chunks;
                to = sent;
            }
            to.ifPresent(fetch -> fetch.request(chunks));
        }

        @Override
        public void cancel() {
            Optional<Fetch> to;
            synchronized (held) {
                held.remove(this);
                to = sent;
            }
            if (to.isPresent()) {
                to.get().cancel();
            } else if (over.compareAndSet(false, true)) {
                listener.failed(failure(SourceFailure.Kind.CANCELLED, request));
            }
        }

        void send() {
            if (over.compareAndSet(false, true)) {
                Fetch fetch = source.get(request, listener);
                long wanted;
                synchronized (held) {
                    sent = Optional.of(fetch);
                    wanted = allowed;
                }
                if (wanted > 0) {
                    fetch.request(wanted);
                }
            }
        }
    }

    private static SourceFailure failure(SourceFailure.Kind kind, FetchRequest request) {
        return SourceFailure.of(kind, "GET of " + request.object() + " does as the test says")
                .answer(
                        kind == SourceFailure.Kind.ANSWER ? 403 : 0,
                        kind == SourceFailure.Kind.ANSWER ? "AccessDenied" : "")
                .build();
    }

    /** GETs of these keys are held back from now on; those of others that were are sent. */
    void hold(Predicate<String> keys) {
        List<Held> free = new ArrayList<>();
        synchronized (held) {
            holding = keys;
            held.removeIf(one -> !keys.test(one.request.object().key()) && free.add(one));
        }
        free.forEach(Held::send);
    }

    void holdNone() {
        hold(key -> false);
    }

    int heldBack() {
        synchronized (held) {
            return held.size();
        }
    }

    /** GETs of these keys are refused for good. */
    void refuse(Predicate<String> keys) {
        refusing = keys;
    }

    /** GETs for which this says so lose their connection. */
    void breakConnection(Predicate<String> keys) {
        breaking = keys;
    }

    /** GETs of keys that end so. */
    long gets(String end) {
        return gets.entrySet().stream()
                .filter(entry -> entry.getKey().endsWith(end))
                .mapToLong(entry -> entry.getValue().get())
                .sum();
    }

    long allGets() {
        return gets("");
    }

    long lists() {
        return lists.get();
    }

    @Override
    public String name() {
        return source.name();
    }

    @Override
    public Fetch get(FetchRequest request, FetchListener listener) {
        String key = request.object().key();
        gets.computeIfAbsent(key, any -> new AtomicLong()).incrementAndGet();
        if (refusing.test(key) || breaking.test(key)) {
            listener.failed(
                    failure(refusing.test(key) ? SourceFailure.Kind.ANSWER : SourceFailure.Kind.CONNECTION, request));
            return new Held(request, listener);
        }
        synchronized (held) {
            if (holding.test(key)) {
                Held one = new Held(request, listener);
                held.add(one);
                return one;
            }
        }
        return source.get(request, listener);
    }

    @Override
    public CompletableFuture<ObjectHead> head(FetchRequest request) {
        return source.head(request);
    }

    @Override
    public ListPage list(String bucket, String prefix, Optional<String> token) throws SourceFailure {
        lists.incrementAndGet();
        return source.list(bucket, prefix, token);
    }

    @Override
    public CompletableFuture<ObjectHead> head(ObjectId object) {
        return source.head(object);
    }

    @Override
    public void close() {
        source.close();
    }
}
