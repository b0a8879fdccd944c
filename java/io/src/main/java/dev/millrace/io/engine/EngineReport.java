// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import java.nio.ByteBuffer;

/**
 * What creation of a native engine said ({@code struct mr_engine_report}).
 *
 * @param kind {@link NativeDriver#IO_URING} or {@link NativeDriver#EPOLL}
 * @param depth submission entries that were got
 * @param features {@code IORING_FEAT_*} bits
 * @param setupFlags {@code IORING_SETUP_*} in force
 * @param ringFlags {@code enum mr_ring_flag}
 * @param kernelOps bit per operation code that the kernel's ring carries out
 * @param error 0, or the errno that refused the engine
 * @param errorCall {@code enum mr_call} that gave it
 * @param memlockSoft RLIMIT_MEMLOCK in bytes, -1 for unlimited
 * @param memlockHard the same, hard
 */
public record EngineReport(
        int kind,
        int depth,
        long features,
        int setupFlags,
        int ringFlags,
        long kernelOps,
        int error,
        int errorCall,
        long memlockSoft,
        long memlockHard) {

    static final int CALL_SYSCTL = 8;

    static EngineReport read(ByteBuffer buffer, int at, long handle) {
        int error = buffer.getInt(at + 32);
        return new EngineReport(
                buffer.getInt(at),
                buffer.getInt(at + 4),
                buffer.getLong(at + 8),
                buffer.getInt(at + 16),
                buffer.getInt(at + 20),
                buffer.getLong(at + 24),
                handle < 0 && error == 0 ? (int) -handle : error,
                buffer.getInt(at + 36),
                buffer.getLong(at + 40),
                buffer.getLong(at + 48));
    }

    static EngineReport ofMemory(int error) {
        return new EngineReport(0, 0, 0, 0, 0, 0, error, 4, -1, -1);
    }

    /** Name of the call that refused. */
    public static String callName(int call) {
        return switch (call) {
            case 1 -> "io_uring_setup";
            case 2 -> "io_uring_enter";
            case 3 -> "io_uring_register";
            case 4 -> "mmap";
            case 5 -> "eventfd";
            case 6 -> "epoll";
            case 7 -> "the start of a thread";
            case CALL_SYSCTL -> "io_uring_setup";
            case 9 -> "a test operation";
            default -> "an unknown call";
        };
    }

    /** Why the engine was refused and what to do, as a sentence without its stop. */
    public String refusal() {
        String name = kind == NativeDriver.EPOLL ? "epoll" : "io_uring";
        return name + " is refused: " + callName(errorCall) + " failed with " + Errno.name(error) + remedy();
    }

    private String remedy() {
        if (errorCall == CALL_SYSCTL) {
            return " because the sysctl kernel.io_uring_disabled forbids it; set it to 0, or run with CAP_SYS_ADMIN where it is 1";
        }
        return switch (error) {
            case Errno.EPERM, Errno.EACCES ->
                " which a seccomp filter does (container runtimes forbid io_uring unless told otherwise); allow io_uring_setup,"
                        + " io_uring_enter and io_uring_register in its profile";
            case Errno.ENOSYS ->
                " because this kernel, or the sandbox around it, has no io_uring (Linux has it since 5.1)";
            case Errno.ENOMEM ->
                " because RLIMIT_MEMLOCK is " + bytes(memlockSoft)
                        + " over all processes of this user; raise it with ulimit -l";
            case Errno.EINVAL -> " because this kernel lacks what the engine needs";
            default -> "";
        };
    }

    /** The sentence for a pool of which only the first buffers are registered. */
    String whyFewerBuffers(int registered, int wanted, int reason) {
        String cause = reason == Errno.ENOMEM
                ? "RLIMIT_MEMLOCK is " + bytes(memlockSoft)
                : "io_uring_register failed with " + Errno.name(reason);
        return cause + ": registered " + registered + " of " + wanted + " buffers, the rest run unregistered"
                + (reason == Errno.ENOMEM ? "; raise it with ulimit -l" : "");
    }

    /** {@code 8 MiB}, {@code unlimited}. */
    public static String bytes(long bytes) {
        if (bytes < 0) {
            return "unlimited";
        }
        if (bytes >= 1 << 20 && bytes % (1 << 20) == 0) {
            return (bytes >> 20) + " MiB";
        }
        return bytes >= 1024 && bytes % 1024 == 0 ? (bytes >> 10) + " KiB" : bytes + " bytes";
    }
}
