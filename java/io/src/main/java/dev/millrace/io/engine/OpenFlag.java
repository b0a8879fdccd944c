// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

/** Open flags as bits of our own, since {@code O_DIRECT} and others differ between processors; drivers translate. */
public final class OpenFlag {
    public static final int READ = 1;
    public static final int WRITE = 2;
    public static final int CREATE = 4;
    public static final int EXCLUSIVE = 8;
    public static final int TRUNCATE = 16;
    public static final int DIRECT = 32;
    public static final int DIRECTORY = 64;
    public static final int NO_FOLLOW = 128;

    private OpenFlag() {}
}
