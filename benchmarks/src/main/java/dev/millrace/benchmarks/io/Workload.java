// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import static dev.millrace.benchmarks.io.Contender.ASYNC_CHANNEL;
import static dev.millrace.benchmarks.io.Contender.BLOCKING;
import static dev.millrace.benchmarks.io.Contender.CHANNEL;
import static dev.millrace.benchmarks.io.Contender.CHANNEL_8_THREADS;
import static dev.millrace.benchmarks.io.Contender.CHANNEL_BUFFERED;
import static dev.millrace.benchmarks.io.Contender.CHANNEL_POOL_8;
import static dev.millrace.benchmarks.io.Contender.CHANNEL_VIRTUAL;
import static dev.millrace.benchmarks.io.Contender.EPOLL_HANDLER;
import static dev.millrace.benchmarks.io.Contender.FIO;
import static dev.millrace.benchmarks.io.Contender.FUTURE;
import static dev.millrace.benchmarks.io.Contender.FUTURE_2_RINGS;
import static dev.millrace.benchmarks.io.Contender.HANDLER;
import static dev.millrace.benchmarks.io.Contender.HANDLER_2_RINGS;
import static dev.millrace.benchmarks.io.Contender.JASYNCFIO;
import static dev.millrace.benchmarks.io.Contender.VIRTUAL;

import java.util.List;

/** What is measured, and who takes part. */
public enum Workload {
    READ_1(
            "4 KiB random direct reads, one at a time",
            Kind.READ,
            4096,
            1,
            256,
            CHANNEL,
            List.of(BLOCKING, VIRTUAL, FUTURE, HANDLER, CHANNEL_VIRTUAL, ASYNC_CHANNEL)),
    READ_16(
            "4 KiB random direct reads, 16 at once",
            Kind.READ,
            4096,
            16,
            2048,
            FIO,
            List.of(BLOCKING, FUTURE, HANDLER, VIRTUAL, CHANNEL, ASYNC_CHANNEL)),
    READ_64(
            "4 KiB random direct reads, 64 at once",
            Kind.READ,
            4096,
            64,
            4096,
            FIO,
            List.of(
                    HANDLER,
                    HANDLER_2_RINGS,
                    FUTURE,
                    FUTURE_2_RINGS,
                    VIRTUAL,
                    BLOCKING,
                    EPOLL_HANDLER,
                    CHANNEL_POOL_8,
                    CHANNEL_8_THREADS,
                    CHANNEL,
                    CHANNEL_VIRTUAL,
                    ASYNC_CHANNEL)),
    READ_10000(
            "4 KiB random direct reads by 10 000 virtual threads",
            Kind.READ,
            4096,
            10_000,
            40_000,
            CHANNEL_VIRTUAL,
            List.of(VIRTUAL)),
    CACHED_1(
            "4 KiB random reads from the page cache, one at a time",
            Kind.CACHED_READ,
            4096,
            1,
            4096,
            CHANNEL,
            List.of(BLOCKING, VIRTUAL, FUTURE, HANDLER, ASYNC_CHANNEL, JASYNCFIO)),
    CACHED_64(
            "4 KiB random reads from the page cache, 64 at once",
            Kind.CACHED_READ,
            4096,
            64,
            16_384,
            CHANNEL,
            List.of(HANDLER, HANDLER_2_RINGS, FUTURE, FUTURE_2_RINGS, VIRTUAL, ASYNC_CHANNEL, JASYNCFIO)),
    WRITE_64K(
            "64 KiB sequential direct writes, 8 at once, reserved, durable",
            Kind.WRITE,
            64 << 10,
            8,
            4096,
            FIO,
            List.of(HANDLER, FUTURE, CHANNEL, CHANNEL_8_THREADS, CHANNEL_BUFFERED, ASYNC_CHANNEL, JASYNCFIO)),
    WRITE_256K(
            "256 KiB sequential direct writes, 8 at once, reserved, durable",
            Kind.WRITE,
            256 << 10,
            8,
            2048,
            FIO,
            List.of(HANDLER, FUTURE, CHANNEL, CHANNEL_8_THREADS, CHANNEL_BUFFERED, ASYNC_CHANNEL, JASYNCFIO)),
    WRITE_1M(
            "1 MiB sequential direct writes, 8 at once, reserved, durable",
            Kind.WRITE,
            1 << 20,
            8,
            512,
            FIO,
            List.of(HANDLER, FUTURE, CHANNEL, CHANNEL_8_THREADS, CHANNEL_BUFFERED, ASYNC_CHANNEL, JASYNCFIO)),
    SYNCED(
            "4 KiB writes through the page cache, an fsync after each",
            Kind.SYNCED_WRITE,
            4096,
            1,
            16,
            CHANNEL,
            List.of(BLOCKING, VIRTUAL, FUTURE, HANDLER, ASYNC_CHANNEL, FIO)),
    COLD_64(
            "4 KiB random cold reads through the page cache by 64 virtual threads, beside a ticker",
            Kind.COLD_READ,
            4096,
            64,
            8192,
            CHANNEL_VIRTUAL,
            List.of(VIRTUAL));

    /** What an operation is. */
    enum Kind {
        READ(true),
        CACHED_READ(false),
        COLD_READ(false),
        WRITE(true),
        SYNCED_WRITE(false);

        private final boolean direct;

        Kind(boolean direct) {
            this.direct = direct;
        }

        boolean writes() {
            return this == WRITE || this == SYNCED_WRITE;
        }
    }

    private final String title;
    private final Kind kind;
    private final int block;
    private final int depth;
    private final int operations;
    private final Contender yardstick;

    @SuppressWarnings("ImmutableEnumChecker") // made by List.of
    private final List<Contender> others;

    Workload(
            String title,
            Kind kind,
            int block,
            int depth,
            int operations,
            Contender yardstick,
            List<Contender> others) {
        this.title = title;
        this.kind = kind;
        this.block = block;
        this.depth = depth;
        this.operations = operations;
        this.yardstick = yardstick;
        this.others = others;
    }

    String title() {
        return title;
    }

    Kind kind() {
        return kind;
    }

    int block() {
        return block;
    }

    int depth() {
        return depth;
    }

    /** Operations of one invocation; those of a sequential write are a whole file. */
    int operations() {
        return operations;
    }

    /** By whom the others are measured. */
    Contender yardstick() {
        return yardstick;
    }

    List<Contender> others() {
        return others;
    }

    /** Whether this contender must pass the page cache by. */
    boolean isDirect(Contender contender) {
        return kind.direct && contender != CHANNEL_BUFFERED && contender != JASYNCFIO;
    }

    /** Bytes of the file. */
    long fileBytes() {
        return switch (kind) {
            case READ -> 1L << 30;
            case CACHED_READ, SYNCED_WRITE -> 128L << 20;
            case COLD_READ -> 512L << 20;
            case WRITE -> (long) operations * block;
        };
    }

    /** The file's name: workloads that only read share theirs. */
    String fileName() {
        return switch (kind) {
            case READ -> "read";
            case CACHED_READ -> "cached";
            case COLD_READ -> "cold";
            case SYNCED_WRITE -> "synced";
            case WRITE -> "written";
        };
    }
}
