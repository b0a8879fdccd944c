// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.Locale;
import java.util.Optional;

/** The engines. */
public enum EngineKind {
    /** Linux's io_uring: one system call a turn, registered buffers. */
    IO_URING,
    /** Linux without io_uring: native worker threads, one epoll set. */
    EPOLL,
    /** Pure Java on {@code FileChannel}: every system, no native library. */
    BLOCKING;

    /** {@code io_uring}, {@code epoll}, {@code blocking}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * An engine by its name; empty for {@code auto}.
     *
     * @throws IllegalArgumentException for any other text
     */
    public static Optional<EngineKind> parse(String text) {
        if (text.equals("auto")) {
            return Optional.empty();
        }
        for (EngineKind kind : values()) {
            if (kind.label().equals(text)) {
                return Optional.of(kind);
            }
        }
        throw new IllegalArgumentException("there is no engine " + text + ": choose auto, io_uring, epoll or blocking");
    }
}
