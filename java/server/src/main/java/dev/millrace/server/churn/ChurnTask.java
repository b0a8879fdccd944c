// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import dev.millrace.server.churn.ManagementApi.Reply;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * One task on one target: keeps so many requests under way, each on a random layer that has none, and evicts what its copy of the
 * layer map says is resident and downloads what is not. Where an answer shows that the copy is out of date, no more are begun
 * until those under way are answered; then it fetches the map again. It has no thread: each answer begins the next request.
 */
final class ChurnTask {
    /** From the second fetch of a map in a row that led to nothing, so that hopeless layers do not keep a server busy. */
    private static final long LEAST_PAUSE_MILLIS = 10;

    private static final long LONGEST_PAUSE_MILLIS = 1000;

    private final ManagementApi api;
    private final ChurnTarget target;
    private final int concurrency;
    private final Tally tally;
    private final BooleanSupplier over;
    private final Consumer<String> failure;
    private final SplittableRandom random;
    private final CountDownLatch finished = new CountDownLatch(1);

    private List<LayerState> layers = List.of();
    private boolean[] remote = {};
    /** Layers without a request: the first {@link #idleCount} of these. */
    private int[] idle = {};

    private int idleCount;
    private int underWay;
    private boolean stale;
    private boolean fetching;
    private boolean stopped;
    private boolean fruitful;
    private long pauseMillis;

    /** What an answer means. */
    private enum Outcome {
        /** The layer is where it was to go. */
        DONE,
        /** Someone else was first, or it is not over yet: the copy of the map is out of date. */
        OUT_OF_DATE
    }

    /** What is to be done next. */
    private enum Kind {
        NOTHING,
        FETCH,
        EVICT,
        DOWNLOAD
    }

    private record Step(Kind kind, int layer) {
        static final Step NOTHING = new Step(Kind.NOTHING, -1);
        static final Step FETCH = new Step(Kind.FETCH, -1);
    }

    /**
     * A task that has not begun.
     *
     * @param known layers of the target's map as it was just fetched
     * @param over whether the run has ended, for all tasks at once: looked at before each request, of which none is begun then
     * @param failure told, by a sentence, of what ends the run
     */
    ChurnTask(
            ManagementApi api,
            ChurnTarget target,
            List<LayerState> known,
            int concurrency,
            Tally tally,
            BooleanSupplier over,
            Consumer<String> failure,
            long seed) {
        this.api = api;
        this.target = target;
        this.concurrency = concurrency;
        this.tally = tally;
        this.over = over;
        this.failure = failure;
        this.random = new SplittableRandom(seed);
        take(known);
    }

    /** Begins requests. */
    void begin() {
        while (true) {
            Step step = next();
            switch (step.kind()) {
                case NOTHING -> {
                    return;
                }
                case FETCH -> {
                    fetch();
                    return;
                }
                case EVICT, DOWNLOAD -> carryOut(step);
            }
        }
    }

    /** Begins no more requests, and is finished when those under way are answered. */
    synchronized void stop() {
        stopped = true;
        finishIfDrained();
    }

    /** Waits until a stopped task has no request under way; false where it took longer. */
    boolean awaitFinished(long nanos) throws InterruptedException {
        return finished.await(nanos, TimeUnit.NANOSECONDS);
    }

    /** Requests that are not answered. */
    synchronized int underWay() {
        return underWay;
    }

    /** With the lock held. A run that has ended is seen here before anybody has come round to stop each task. */
    private boolean isStopped() {
        return stopped || over.getAsBoolean();
    }

    private void finishIfDrained() {
        if (stopped && underWay == 0) {
            finished.countDown();
        }
    }

    // ------------------------------------------------------------------ what next

    private synchronized Step next() {
        if (isStopped() || fetching) {
            return Step.NOTHING;
        }
        if (stale) {
            if (underWay > 0) {
                return Step.NOTHING;
            }
            fetching = true;
            return Step.FETCH;
        }
        if (underWay == concurrency || idleCount == 0) {
            return Step.NOTHING;
        }
        int at = random.nextInt(idleCount);
        int layer = idle[at];
        idleCount--;
        idle[at] = idle[idleCount];
        underWay++;
        return new Step(remote[layer] ? Kind.DOWNLOAD : Kind.EVICT, layer);
    }

    private synchronized LayerState state(int layer) {
        return layers.get(layer);
    }

    private void carryOut(Step step) {
        LayerState layer = state(step.layer());
        boolean download = step.kind() == Kind.DOWNLOAD;
        String path = ManagementApi.layer(target, layer.name());
        String what = (download ? "GET " : "DELETE ") + path;
        long begun = System.nanoTime();
        CompletableFuture<Reply> reply = download ? api.get(path) : api.delete(path);
        reply.whenComplete((answer, problem) -> {
            long nanos = System.nanoTime() - begun;
            if (problem != null) {
                failed(api.noAnswer(what, ManagementApi.cause(problem)));
                return;
            }
            try {
                answered(
                        step.layer(), download ? downloaded(what, layer, answer, nanos) : evicted(what, answer, nanos));
            } catch (ChurnFailure e) {
                failed(e.getMessage());
            }
        });
    }

    // ------------------------------------------------------------------ answers

    private Outcome downloaded(String what, LayerState layer, Reply answer, long nanos) throws ChurnFailure {
        if (answer.status() == 404) {
            return Outcome.OUT_OF_DATE; // a layer may have gone; a target that has says so when its map is fetched
        }
        if (answer.status() != 200) {
            throw new ChurnFailure(api.refused(what, answer));
        }
        if (api.parse(what, answer.text()) instanceof Map<?, ?> json
                && json.get("downloaded") instanceof Boolean done) {
            if (!done) {
                return Outcome.OUT_OF_DATE;
            }
            tally.downloaded(json.get("bytes") instanceof Number bytes ? bytes.longValue() : layer.bytes(), nanos);
            return Outcome.DONE;
        }
        throw new ChurnFailure(
                "The server at " + api.endpoint() + " does not say whether it has downloaded (" + what + ")");
    }

    private Outcome evicted(String what, Reply answer, long nanos) throws ChurnFailure {
        return switch (answer.status()) {
            case 200 -> {
                tally.evicted(nanos);
                yield Outcome.DONE;
            }
            // 202: it waits for readers, and goes on without us.
            case 202, 304, 404 -> Outcome.OUT_OF_DATE;
            default -> throw new ChurnFailure(api.refused(what, answer));
        };
    }

    private void answered(int layer, Outcome outcome) {
        synchronized (this) {
            underWay--;
            if (outcome == Outcome.DONE) {
                fruitful = true;
                remote[layer] = !remote[layer];
                idle[idleCount] = layer;
                idleCount++;
            } else {
                stale = true;
            }
            finishIfDrained();
        }
        begin();
    }

    private void failed(String sentence) {
        failure.accept(sentence);
        synchronized (this) {
            underWay--;
            stopped = true;
            finishIfDrained();
        }
    }

    // ------------------------------------------------------------------ the map

    private void fetch() {
        long pause;
        synchronized (this) {
            pauseMillis = fruitful ? 0 : Math.min(LONGEST_PAUSE_MILLIS, Math.max(LEAST_PAUSE_MILLIS, 2 * pauseMillis));
            pause = pauseMillis;
            fruitful = false;
        }
        if (pause == 0) {
            fetchNow();
        } else {
            CompletableFuture.delayedExecutor(pause, TimeUnit.MILLISECONDS).execute(this::fetchNow);
        }
    }

    private void fetchNow() {
        synchronized (this) {
            if (isStopped()) {
                return;
            }
            underWay++;
        }
        tally.restarted();
        String what = "GET " + ManagementApi.layers(target);
        api.layerMap(target).whenComplete((answer, problem) -> {
            if (problem != null) {
                failed(api.noAnswer(what, ManagementApi.cause(problem)));
            } else if (answer.layers().isEmpty()) {
                failed(api.refused(what, answer));
            } else if (answer.layers().get().isEmpty()) {
                failed("The timeline " + target + " has no layers any more");
            } else {
                synchronized (this) {
                    underWay--;
                    take(answer.layers().get());
                    finishIfDrained();
                }
                begin();
            }
        });
    }

    private synchronized void take(List<LayerState> known) {
        layers = known;
        remote = new boolean[known.size()];
        idle = new int[known.size()];
        for (int i = 0; i < remote.length; i++) {
            remote[i] = known.get(i).remote();
            idle[i] = i;
        }
        idleCount = idle.length;
        stale = false;
        fetching = false;
    }
}
