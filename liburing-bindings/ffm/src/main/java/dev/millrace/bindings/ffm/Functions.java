// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * A downcall handle for each function of {@code millrace.h}. They are static and final because only then does the
 * compiler inline the call (4 ns instead of 20). None is linked as critical: a critical call keeps the garbage
 * collector waiting, and most of these can block.
 */
@SuppressWarnings("restricted") // native access is what this class is for
final class Functions {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup LIBRARY = SymbolLookup.libraryLookup(FfmProvider.libraryToBind(), Arena.global());

    static final MethodHandle ENGINE_CREATE =
            bind("mr_engine_create", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG));
    static final MethodHandle ENGINE_TURN = bind(
            "mr_engine_turn",
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG));
    static final MethodHandle ENGINE_WAKE = bind("mr_engine_wake", FunctionDescriptor.of(JAVA_INT, JAVA_LONG));
    static final MethodHandle ENGINE_REGISTER_BUFFERS = bind(
            "mr_engine_register_buffers", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG));
    static final MethodHandle ENGINE_UNREGISTER_BUFFERS =
            bind("mr_engine_unregister_buffers", FunctionDescriptor.of(JAVA_INT, JAVA_LONG));
    static final MethodHandle ENGINE_REGISTER_FILES =
            bind("mr_engine_register_files", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT));
    static final MethodHandle ENGINE_UPDATE_FILE =
            bind("mr_engine_update_file", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT));
    static final MethodHandle ENGINE_STATS =
            bind("mr_engine_stats", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
    static final MethodHandle ENGINE_SAMPLE_WORKERS =
            bind("mr_engine_sample_workers", FunctionDescriptor.of(JAVA_INT, JAVA_LONG));
    static final MethodHandle ENGINE_DESTROY = bind("mr_engine_destroy", FunctionDescriptor.of(JAVA_INT, JAVA_LONG));
    static final MethodHandle PROBE = bind("mr_probe", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT));
    static final MethodHandle MEMORY_MAP = bind("mr_memory_map", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT));
    static final MethodHandle MEMORY_HUGE_BYTES =
            bind("mr_memory_huge_bytes", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG));
    static final MethodHandle MEMORY_DISCARD =
            bind("mr_memory_discard", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
    static final MethodHandle MEMORY_UNMAP =
            bind("mr_memory_unmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
    static final MethodHandle CRC64NVME =
            bind("mr_crc64nvme", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    static final MethodHandle OPEN = bind("mr_open", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT));
    static final MethodHandle CLOSE = bind("mr_close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    static final MethodHandle PREAD =
            bind("mr_pread", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    static final MethodHandle PWRITE =
            bind("mr_pwrite", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    static final MethodHandle FSYNC = bind("mr_fsync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    static final MethodHandle FDATASYNC = bind("mr_fdatasync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    static final MethodHandle FALLOCATE =
            bind("mr_fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    static final MethodHandle FTRUNCATE = bind("mr_ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
    static final MethodHandle STATX = bind("mr_statx", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    static final MethodHandle RENAME =
            bind("mr_rename", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
    static final MethodHandle UNLINK = bind("mr_unlink", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT));
    static final MethodHandle MKDIR = bind("mr_mkdir", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT));
    static final MethodHandle FCHMOD = bind("mr_fchmod", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    static final MethodHandle TRY_LOCK = bind("mr_try_lock", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    static final MethodHandle FREE_BYTES = bind("mr_free_bytes", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
    static final MethodHandle SOCKET_OPTION =
            bind("mr_socket_option", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    static final MethodHandle ABI_VERSION = bind("mr_abi_version", FunctionDescriptor.of(JAVA_INT));
    static final MethodHandle CONSTANT = bind("mr_constant", FunctionDescriptor.of(JAVA_LONG, JAVA_INT));
    static final MethodHandle ERRNO_NAME =
            bind("mr_errno_name", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT));

    private Functions() {}

    private static MethodHandle bind(String name, FunctionDescriptor descriptor) {
        MemorySegment function = LIBRARY.find(name)
                .orElseThrow(() -> new UnsatisfiedLinkError("libmillrace lacks the function " + name));
        return LINKER.downcallHandle(function, descriptor);
    }
}
