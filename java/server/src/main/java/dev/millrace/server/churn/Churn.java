// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import dev.millrace.server.HumanTime;
import dev.millrace.server.ProcessCpu;
import dev.millrace.server.churn.ManagementApi.Reply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * A run of the churn benchmark on a server that runs already.
 *
 * <p>{@link #run} first sees that everything is there (server, engine, targets, layers), then begins the clock. After the runtime
 * no request is begun; the run ends when those under way are answered. What goes wrong once the clock runs ends the run, and its
 * result is told all the same, marked as partial.
 */
public final class Churn {
    private static final long SECOND = 1_000_000_000L;
    private static final double MIB = 1 << 20;

    private final ChurnConfig config;
    private final Consumer<String> live;
    private final Tally tally = new Tally();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final AtomicReference<Optional<String>> failure = new AtomicReference<>(Optional.empty());

    /**
     * A run that has not begun.
     *
     * @param live told a line each second, on the thread that runs
     */
    public Churn(ChurnConfig config, Consumer<String> live) {
        this.config = config;
        this.live = live;
    }

    /**
     * Ends a run before its time, for a reason; its result is partial. From its return on no task begins another request. Any
     * thread may call it, at any time; it does not wait for those under way.
     */
    public void end(String reason) {
        failure.compareAndSet(Optional.empty(), Optional.of(reason));
        ending.countDown();
    }

    private boolean isOver() {
        return ending.getCount() == 0;
    }

    /**
     * Runs; once.
     *
     * @throws ChurnFailure why it could not begin
     */
    public ChurnResult run() throws ChurnFailure, InterruptedException {
        try (ManagementApi api = new ManagementApi(config.endpoint(), config.token(), config.requestTimeout())) {
            ServerFigures.of(api); // a server that is not there, or a token that it does not know, before all else
            if (config.engine().isPresent()) {
                setEngine(api, config.engine().get());
            }
            Map<ChurnTarget, List<LayerState>> targets = new Targets(api).find(config.targets(), config.firstTargets());
            return run(api, tasks(api, targets));
        }
    }

    private static void setEngine(ManagementApi api, String engine) throws ChurnFailure, InterruptedException {
        String what = "PUT /v1/io_engine";
        Reply reply =
                api.await(what, api.put("/v1/io_engine", "\"" + engine.replaceAll("[\"\\\\\\p{Cntrl}]", "?") + "\""));
        if (reply.status() != 200) {
            throw new ChurnFailure("The engine " + engine + " cannot be set. " + api.refused(what, reply));
        }
    }

    private List<ChurnTask> tasks(ManagementApi api, Map<ChurnTarget, List<LayerState>> targets) throws ChurnFailure {
        long requests = (long) targets.size() * config.tasksPerTarget() * config.concurrencyPerTarget();
        if (requests > ChurnConfig.MAX_REQUESTS) {
            throw new ChurnFailure(targets.size() + " targets, " + config.tasksPerTarget() + " tasks on each and "
                    + config.concurrencyPerTarget() + " requests of each are " + requests + " requests at once, and "
                    + ChurnConfig.MAX_REQUESTS + " are the most");
        }
        SplittableRandom seeds = new SplittableRandom();
        List<ChurnTask> tasks = new ArrayList<>();
        targets.forEach((target, layers) -> {
            for (int i = 0; i < config.tasksPerTarget(); i++) {
                tasks.add(new ChurnTask(
                        api,
                        target,
                        layers,
                        config.concurrencyPerTarget(),
                        tally,
                        this::isOver,
                        this::end,
                        seeds.nextLong()));
            }
        });
        return tasks;
    }

    // ------------------------------------------------------------------ with the clock running

    private ChurnResult run(ManagementApi api, List<ChurnTask> tasks) throws ChurnFailure, InterruptedException {
        ServerFigures before = ServerFigures.of(api);
        double cpu = cpuSeconds();
        long start = System.nanoTime();
        tasks.forEach(ChurnTask::begin);
        watch(start);
        ending.countDown(); // for all tasks at once, those that are stopped last too
        tasks.forEach(ChurnTask::stop);
        drain(tasks);
        Duration runtime = Duration.ofNanos(System.nanoTime() - start);
        double wholeCpu = cpuSeconds();
        ServerFigures after = atEnd(api);
        return result(runtime, wholeCpu - cpu, wholeCpu, before, after);
    }

    /** Until the time is over or something ends the run; tells a line each second. */
    private void watch(long start) throws InterruptedException {
        long end = start + config.runtime().toNanos();
        long told = start;
        Tally.Counts last = tally.counts();
        while (true) {
            long now = System.nanoTime();
            long wait = Math.min(end, told + SECOND) - now;
            if (ending.await(Math.max(0, wait), TimeUnit.NANOSECONDS)) {
                return;
            }
            now = System.nanoTime();
            if (now - (told + SECOND) >= 0) {
                Tally.Counts counts = tally.counts();
                live.accept(line((now - start) / SECOND, (now - told) / 1e9, last, counts));
                last = counts;
                told = now;
            }
            if (now - end >= 0) {
                return;
            }
        }
    }

    private static String line(long second, double seconds, Tally.Counts last, Tally.Counts now) {
        return String.format(
                Locale.ROOT,
                "%4d s: %.1f evictions/s, %.1f downloads/s, %.1f MiB/s, %d restarts",
                second,
                (now.evictions() - last.evictions()) / seconds,
                (now.downloads() - last.downloads()) / seconds,
                (now.bytes() - last.bytes()) / MIB / seconds,
                now.restarts() - last.restarts());
    }

    /** Waits for the answers that are due. */
    private void drain(List<ChurnTask> tasks) throws InterruptedException {
        long end = System.nanoTime() + config.grace().toNanos();
        int unanswered = 0;
        for (ChurnTask task : tasks) {
            if (!task.awaitFinished(Math.max(0, end - System.nanoTime()))) {
                unanswered += task.underWay();
            }
        }
        if (unanswered > 0) {
            end((unanswered == 1 ? "1 request was" : unanswered + " requests were") + " not answered within "
                    + HumanTime.text(config.grace()) + " after the end of the run");
        }
    }

    private ServerFigures atEnd(ManagementApi api) throws InterruptedException {
        try {
            return ServerFigures.of(api);
        } catch (ChurnFailure e) {
            end(e.getMessage());
            return ServerFigures.unknown();
        }
    }

    private ChurnResult result(
            Duration runtime, double windowCpu, double wholeCpu, ServerFigures before, ServerFigures after) {
        OptionalDouble serverCpu = OptionalDouble.empty();
        if (!before.launched().equals(after.launched()) && after.launched().isPresent()) {
            end("The server was started anew during the run");
        } else if (before.cpuSeconds().isPresent() && after.cpuSeconds().isPresent()) {
            serverCpu = OptionalDouble.of(
                    after.cpuSeconds().getAsDouble() - before.cpuSeconds().getAsDouble());
        }
        if (after.engine().isPresent() && !before.engine().equals(after.engine())) {
            end("The engine changed during the run, from " + before.engine().orElse("an unknown one") + " to "
                    + after.engine().get());
        }
        Tally.Counts counts = tally.counts();
        return new ChurnResult(
                counts.downloads(),
                counts.bytes(),
                counts.evictions(),
                counts.restarts(),
                runtime,
                tally.downloadMillis(),
                tally.evictionMillis(),
                serverCpu,
                after.residentBytes(),
                windowCpu,
                wholeCpu,
                after.engine().or(before::engine),
                after.binding().or(before::binding),
                failure.get());
    }

    private static double cpuSeconds() {
        return ProcessCpu.nanos() / 1e9;
    }
}
