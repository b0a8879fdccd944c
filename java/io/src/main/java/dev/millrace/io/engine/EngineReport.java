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

    static final int CALL_SETUP = 1;
    static final int CALL_THREAD = 7;
    static final int CALL_SYSCTL = 8;

    private static final String FILTERED =
            " which a seccomp filter does (container runtimes forbid io_uring unless told otherwise)";
    private static final String ALLOW = "; allow io_uring_setup, io_uring_enter and io_uring_register in its profile";

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
            case CALL_SETUP, CALL_SYSCTL -> "io_uring_setup";
            case 2 -> "io_uring_enter";
            case 3 -> "io_uring_register";
            case 4 -> "mmap";
            case 5 -> "eventfd";
            case 6 -> "epoll";
            case CALL_THREAD -> "the start of a thread";
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
            case Errno.EPERM, Errno.EACCES -> FILTERED + ALLOW;
            // A kernel that has the first of the three calls has them all.
            case Errno.ENOSYS ->
                errorCall == CALL_SETUP
                        ? " because this kernel, or the sandbox around it, has no io_uring (Linux has it since 5.1)"
                        : FILTERED + ALLOW;
            case Errno.ENOMEM ->
                isOfMemlock()
                        ? " because RLIMIT_MEMLOCK is " + bytes(memlockSoft)
                                + " over all processes of this user; raise it with ulimit -l"
                        : " because memory is short";
            case Errno.EMFILE, Errno.ENFILE ->
                " because no descriptor is left (RLIMIT_NOFILE, or the system's bound); raise it with ulimit -n";
            case Errno.EAGAIN ->
                errorCall == CALL_THREAD
                        ? " because no more threads are allowed (RLIMIT_NPROC, or the control group's pids.max); raise it with"
                                + " ulimit -u"
                        : "";
            case Errno.EINVAL -> " because this kernel lacks what the engine needs";
            default -> "";
        };
    }

    /** Why a ring that ran can be entered no more, as a sentence without its stop. */
    static String refusedTurn(int error) {
        return "io_uring failed while it ran: io_uring_enter failed with " + Errno.name(error)
                + switch (error) {
                    case Errno.EPERM, Errno.EACCES, Errno.ENOSYS ->
                        FILTERED + ALLOW
                                + " for the whole life of the process, or open another engine, which takes the next"
                                + " one that works";
                    default -> ": " + Errno.meaning(error);
                };
    }

    /** True where a ring was refused because it did not fit into a finite RLIMIT_MEMLOCK: a smaller one may. */
    public boolean isOfMemlock() {
        return error == Errno.ENOMEM && errorCall == CALL_SETUP && memlockSoft >= 0;
    }

    /** The sentence for a ring that is smaller than was asked for, of the refusal of a larger one. */
    public String whySmallerRing(int entries, int wanted) {
        return "RLIMIT_MEMLOCK is " + bytes(memlockSoft) + " over all processes of this user: a ring of " + entries
                + " entries instead of " + wanted + "; raise it with ulimit -l";
    }

    /** The sentence for fewer rings than were asked for, of the refusal of a later one. */
    public String whyFewerRings(int got, int wanted) {
        String rings = (got == 1 ? "1 ring" : got + " rings") + " instead of " + wanted;
        return isOfMemlock()
                ? "RLIMIT_MEMLOCK is " + bytes(memlockSoft) + " over all processes of this user: " + rings
                        + "; raise it with ulimit -l"
                : rings + ", since the next one of " + refusal();
    }

    /** The sentence for a pool of which only the first buffers are registered. */
    String whyFewerBuffers(int registered, int wanted, int reason) {
        boolean limited = reason == Errno.ENOMEM && memlockSoft >= 0;
        boolean filtered = reason == Errno.EPERM || reason == Errno.EACCES || reason == Errno.ENOSYS;
        String cause = limited
                ? "RLIMIT_MEMLOCK is " + bytes(memlockSoft)
                : "io_uring_register failed with " + Errno.name(reason) + (filtered ? FILTERED : "");
        return cause + ": registered " + registered + " of " + wanted + " buffers, the rest run unregistered"
                + (limited ? "; raise it with ulimit -l" : filtered ? ALLOW : "");
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
