// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import java.util.Locale;

/** Who takes part. */
public enum Contender {
    /** Our blocking calls, on as many platform threads as are at once. */
    BLOCKING(true),
    /** Our blocking calls on virtual threads, which park. */
    VIRTUAL(true),
    /** Our futures, each of which begins the next. */
    FUTURE(true),
    /** Operations of the engine, whose handlers begin the next on the engine thread. */
    HANDLER(true),
    /** The same on two rings, half of them on each. */
    HANDLER_2_RINGS(true),
    /** Our futures on an engine of two rings, on one file that was opened for each. */
    FUTURE_2_RINGS(true),
    /** The same as handler on epoll with 8 worker threads. */
    EPOLL_HANDLER(true),
    /** {@code FileChannel} on as many platform threads as are at once; sequential writes on one. */
    CHANNEL(false),
    /** The same on 8 platform threads. */
    CHANNEL_8_THREADS(false),
    /** {@code FileChannel} behind a pool of 8 threads, which is given each operation as a task. */
    CHANNEL_POOL_8(false),
    /** {@code FileChannel} as {@link #CHANNEL}, through the page cache. */
    CHANNEL_BUFFERED(false),
    /** {@code FileChannel} on virtual threads. */
    CHANNEL_VIRTUAL(false),
    /** {@code AsynchronousFileChannel}, whose handlers begin the next. */
    ASYNC_CHANNEL(false),
    /** The library jasyncfio, whose futures begin the next; through the page cache, since it aligns no memory. */
    JASYNCFIO(false),
    /** fio on io_uring, in batches, with registered buffers and files: a program of its own. */
    FIO(false);

    private final boolean ours;

    Contender(boolean ours) {
        this.ours = ours;
    }

    /** True for what this project makes: it must run, and as what it says. */
    boolean isOurs() {
        return ours;
    }

    /** The name in lines and tables. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The one with this label. */
    static Contender of(String label) {
        return valueOf(label.toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    /** The engine that must really run. */
    String engine() {
        return switch (this) {
            case BLOCKING, VIRTUAL, FUTURE, HANDLER, HANDLER_2_RINGS, FUTURE_2_RINGS, FIO -> "io_uring";
            case EPOLL_HANDLER -> "epoll";
            case JASYNCFIO -> "jasyncfio";
            default -> "jdk";
        };
    }

    /** Rings of those that are ours. */
    int rings() {
        return this == HANDLER_2_RINGS || this == FUTURE_2_RINGS ? 2 : 1;
    }

    /** Opens it on a file that is there. */
    Load open(Target target) throws Exception {
        return switch (this) {
            case BLOCKING -> new VirtualFileLoad(target, false);
            case VIRTUAL -> new VirtualFileLoad(target, true);
            case FUTURE, FUTURE_2_RINGS -> new FutureLoad(target);
            case HANDLER, HANDLER_2_RINGS, EPOLL_HANDLER -> new HandlerLoad(target);
            case CHANNEL, CHANNEL_BUFFERED ->
                new ChannelLoad(target, target.workload().kind() == Workload.Kind.WRITE ? 1 : target.depth(), false);
            case CHANNEL_8_THREADS -> new ChannelLoad(target, 8, false);
            case CHANNEL_POOL_8 -> new PoolLoad(target, 8);
            case CHANNEL_VIRTUAL -> new ChannelLoad(target, target.depth(), true);
            case ASYNC_CHANNEL -> new AsyncChannelLoad(target);
            case JASYNCFIO -> new JasyncfioLoad(target);
            case FIO -> throw new IllegalArgumentException("fio is a program of its own");
        };
    }
}
