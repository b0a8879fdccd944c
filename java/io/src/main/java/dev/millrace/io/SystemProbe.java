// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.NativeIo;
import dev.millrace.bindings.Settings;
import dev.millrace.io.engine.EngineReport;
import dev.millrace.io.engine.Errno;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What this kernel and process allow, found out by real, tiny operations ({@code struct mr_probe} of
 * {@code native/include/millrace.h}).
 *
 * @param binding the binding the question went through
 * @param uringAsked false where io_uring is switched off: then no call of it was made and nothing is known of it
 * @param uringError errno that refuses io_uring, 0 for none
 * @param uringCall name of the call that gave it; empty for none
 * @param uringDisabled the sysctl {@code kernel.io_uring_disabled}, -1 where the kernel has none
 * @param seccomp 0 none, 1 strict, 2 a filter is in force, -1 unknown
 * @param features {@code IORING_FEAT_*} bits
 * @param operations bit per operation code that the ring carries out itself
 * @param setupFlags {@code IORING_SETUP_*} bits that were accepted
 * @param ringFlags {@code enum mr_ring_flag} bits that were accepted
 * @param registerError errno of registering a buffer of 4 KiB, 0 for none
 * @param hugePages whether huge pages are to be had
 * @param memlockSoft RLIMIT_MEMLOCK in bytes, -1 for unlimited
 * @param memlockHard the same, hard
 * @param epollError errno that refuses the epoll engine, 0 for none
 * @param epollCall name of the call that gave it; empty for none
 * @param pageSize bytes of a page
 */
public record SystemProbe(
        String binding,
        boolean uringAsked,
        int uringError,
        String uringCall,
        int uringDisabled,
        int seccomp,
        long features,
        long operations,
        int setupFlags,
        int ringFlags,
        int registerError,
        HugePages hugePages,
        long memlockSoft,
        long memlockHard,
        int epollError,
        String epollCall,
        long pageSize) {
    private static final int STRUCT_BYTES = 80;
    private static final int NO_URING = 1;
    private static final int MEMORY_SMALL_PAGES_LAZY = 3;
    private static final List<String> FEATURES = List.of(
            "SINGLE_MMAP",
            "NODROP",
            "SUBMIT_STABLE",
            "RW_CUR_POS",
            "CUR_PERSONALITY",
            "FAST_POLL",
            "POLL_32BITS",
            "SQPOLL_NONFIXED",
            "EXT_ARG",
            "NATIVE_WORKERS",
            "RSRC_TAGS",
            "CQE_SKIP",
            "LINKED_FILE",
            "REG_REG_RING",
            "RECVSEND_BUNDLE",
            "MIN_TIMEOUT",
            "RW_ATTR",
            "NO_IOWAIT");
    private static final List<String> OPERATIONS = List.of(
            "nop",
            "open",
            "close",
            "read",
            "write",
            "fsync",
            "fdatasync",
            "fallocate",
            "ftruncate",
            "statx",
            "rename",
            "unlink",
            "mkdir",
            "socket",
            "connect",
            "recv",
            "send",
            "poll",
            "timeout",
            "cancel");

    /** {@code /sys/kernel/mm/transparent_hugepage/enabled}. */
    public enum HugePages {
        /** The system does not say. */
        UNKNOWN,
        /** Switched off. */
        NEVER,
        /** For those who ask, as pools of buffers do. */
        MADVISE,
        /** For all. */
        ALWAYS
    }

    /**
     * Asks the system.
     *
     * @param binding name of the binding to ask through; empty for the best that loads
     * @return empty where there is no native library: {@link Bindings#reasons} says why
     */
    public static Optional<SystemProbe> run(Optional<String> binding) {
        Optional<NativeIo> nativeIo = Bindings.load(binding).nativeIo();
        if (nativeIo.isEmpty()) {
            return Optional.empty();
        }
        try {
            return run(nativeIo.get());
        } finally {
            Bindings.release(nativeIo.get());
        }
    }

    private static Optional<SystemProbe> run(NativeIo nativeIo) {
        boolean off = Settings.isOff(IoEngineConfig.IO_URING_PROPERTY, IoEngineConfig.IO_URING_VARIABLE);
        long address = nativeIo.memoryMap(4096, MEMORY_SMALL_PAGES_LAZY);
        if (address < 0) {
            return Optional.empty();
        }
        try {
            return nativeIo.probe(address, off ? NO_URING : 0) < 0
                    ? Optional.empty()
                    : Optional.of(read(nativeIo.view(address, STRUCT_BYTES), nativeIo.binding(), !off));
        } finally {
            nativeIo.memoryUnmap(address, 4096);
        }
    }

    private static SystemProbe read(ByteBuffer probe, String binding, boolean asked) {
        int pages = probe.getInt(44);
        return new SystemProbe(
                binding,
                asked,
                asked ? probe.getInt(0) : 0,
                callName(probe.getInt(4)),
                probe.getInt(8),
                probe.getInt(12),
                probe.getLong(16),
                probe.getLong(24),
                probe.getInt(32),
                probe.getInt(36),
                probe.getInt(40),
                switch (pages) {
                    case 0 -> HugePages.NEVER;
                    case 1 -> HugePages.MADVISE;
                    case 2 -> HugePages.ALWAYS;
                    default -> HugePages.UNKNOWN;
                },
                probe.getLong(48),
                probe.getLong(56),
                probe.getInt(64),
                callName(probe.getInt(68)),
                probe.getLong(72));
    }

    private static String callName(int call) {
        return call == 0 ? "" : EngineReport.callName(call);
    }

    /** True where an io_uring engine can be had. */
    public boolean uringAllowed() {
        return uringAsked && uringError == 0;
    }

    /** Names of the ring's features, those without a name here as {@code bit 20}. */
    public List<String> featureNames() {
        return names(features, FEATURES);
    }

    /** Names of the operations that the kernel's ring carries out itself; the others go to worker threads. */
    public List<String> operationNames() {
        return names(operations, OPERATIONS);
    }

    private static List<String> names(long bits, List<String> known) {
        List<String> all = new ArrayList<>();
        for (int bit = 0; bit < Long.SIZE; bit++) {
            if ((bits >>> bit & 1) != 0) {
                all.add(bit < known.size() ? known.get(bit) : "bit " + bit);
            }
        }
        return all;
    }

    /** Why io_uring is refused and what to do, as a sentence without its stop; empty where it is not. */
    public Optional<String> uringRefusal() {
        if (!uringAsked) {
            return Optional.of("io_uring is switched off by " + IoEngineConfig.IO_URING_PROPERTY + " or "
                    + IoEngineConfig.IO_URING_VARIABLE + "; unset it to have io_uring tried");
        }
        if (uringError == 0) {
            return Optional.empty();
        }
        String what = "io_uring is refused: " + uringCall + " failed with " + Errno.name(uringError);
        if (uringError == Errno.EPERM && uringDisabled > 0) {
            return Optional.of(what + " because the sysctl kernel.io_uring_disabled is " + uringDisabled
                    + "; set it to 0, or run with CAP_SYS_ADMIN where it is 1");
        }
        return Optional.of(
                switch (uringError) {
                    case Errno.EPERM, Errno.EACCES ->
                        what + (seccomp == 2 ? " by the seccomp filter that is in force" : "")
                                + "; allow io_uring_setup, io_uring_enter and io_uring_register in the container's"
                                + " seccomp profile";
                    case Errno.ENOSYS ->
                        what
                                + (seccomp == 2
                                        ? " (by the seccomp filter in force, or for want of it in the kernel)"
                                        : "")
                                + "; Linux has io_uring since 5.1, and a sandbox may hide it";
                    case Errno.ENOMEM ->
                        what + ": RLIMIT_MEMLOCK is " + EngineReport.bytes(memlockSoft) + "; raise it with ulimit -l";
                    default -> what;
                });
    }

    /** Why epoll is refused; empty where it is not. */
    public Optional<String> epollRefusal() {
        return epollError == 0
                ? Optional.empty()
                : Optional.of("epoll is refused: " + epollCall + " failed with " + Errno.name(epollError));
    }
}
