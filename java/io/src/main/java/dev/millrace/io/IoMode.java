// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.OpenFlag;
import java.util.Locale;

/** Which of the files that were opened with {@link DirectMode#PREFERRED} pass the page cache by. */
public enum IoMode {
    /** None. */
    BUFFERED,
    /** Those that are open for reading only. */
    DIRECT,
    /** All of them: the default. */
    DIRECT_RW;

    /** {@code buffered}, {@code direct}, {@code direct-rw}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * A mode by its name.
     *
     * @throws IllegalArgumentException for any other text
     */
    public static IoMode parse(String text) {
        for (IoMode mode : values()) {
            if (mode.label().equals(text)) {
                return mode;
            }
        }
        throw new IllegalArgumentException("there is no mode " + text + ": choose buffered, direct or direct-rw");
    }

    /** Flags of {@link OpenFlag} as this mode wants them. */
    int flags(int flags) {
        boolean direct = this == DIRECT_RW || (this == DIRECT && (flags & OpenFlag.WRITE) == 0);
        return direct ? flags | OpenFlag.DIRECT : flags & ~OpenFlag.DIRECT;
    }
}
