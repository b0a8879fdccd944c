// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

/** Operation codes: {@code enum mr_op_code} of {@code millrace.h}, whose numbers the ABI version fixes. */
public final class OpCode {
    public static final int NOP = 0;
    public static final int OPEN = 1;
    public static final int CLOSE = 2;
    public static final int READ = 3;
    public static final int WRITE = 4;
    public static final int FSYNC = 5;
    public static final int FDATASYNC = 6;
    public static final int FALLOCATE = 7;
    public static final int FTRUNCATE = 8;
    public static final int STATX = 9;
    public static final int RENAME = 10;
    public static final int UNLINK = 11;
    public static final int MKDIR = 12;
    public static final int SOCKET = 13;
    public static final int CONNECT = 14;
    public static final int RECV = 15;
    public static final int SEND = 16;
    public static final int POLL = 17;
    public static final int TIMEOUT = 18;
    public static final int CANCEL = 19;

    /** {@code MR_OP_FIXED_BUFFER}. */
    public static final int FLAG_FIXED_BUFFER = 1;
    /** {@code MR_RECV_WAITALL}. */
    public static final int RECV_WAITALL = 1;
    /** {@code MR_RENAME_NOREPLACE}. */
    public static final int RENAME_NOREPLACE = 1;
    /** {@code MR_UNLINK_DIR}. */
    public static final int UNLINK_DIR = 1;
    /** {@code MR_MAX_TRANSFER}: the most bytes of one read or write. */
    public static final int MAX_TRANSFER = 0x7ffff000;

    private OpCode() {}

    /** True for operations on sockets and timers, which may never end by themselves. */
    static boolean mayNeverEnd(int code) {
        return code >= SOCKET && code <= TIMEOUT;
    }

    /** True where the result is a count of bytes. */
    static boolean movesBytes(int code) {
        return code == READ || code == WRITE || code == RECV || code == SEND;
    }

    /** Name for messages, in lower case. */
    public static String name(int code) {
        return switch (code) {
            case NOP -> "nop";
            case OPEN -> "open";
            case CLOSE -> "close";
            case READ -> "read";
            case WRITE -> "write";
            case FSYNC -> "fsync";
            case FDATASYNC -> "fdatasync";
            case FALLOCATE -> "fallocate";
            case FTRUNCATE -> "ftruncate";
            case STATX -> "stat";
            case RENAME -> "rename";
            case UNLINK -> "unlink";
            case MKDIR -> "mkdir";
            case SOCKET -> "socket";
            case CONNECT -> "connect";
            case RECV -> "recv";
            case SEND -> "send";
            case POLL -> "poll";
            case TIMEOUT -> "timeout";
            case CANCEL -> "cancel";
            default -> "operation " + code;
        };
    }
}
