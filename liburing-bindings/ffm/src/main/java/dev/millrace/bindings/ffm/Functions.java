// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.bindings.NativeFunction;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
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

    static final MethodHandle ABI_VERSION = bind(NativeFunction.ABI_VERSION);
    static final MethodHandle CONSTANT = bind(NativeFunction.CONSTANT);
    static final MethodHandle ERRNO_NAME = bind(NativeFunction.ERRNO_NAME);
    static final MethodHandle ENGINE_CREATE = bind(NativeFunction.ENGINE_CREATE);
    static final MethodHandle ENGINE_TURN = bind(NativeFunction.ENGINE_TURN);
    static final MethodHandle ENGINE_WAKE = bind(NativeFunction.ENGINE_WAKE);
    static final MethodHandle ENGINE_REGISTER_BUFFERS = bind(NativeFunction.ENGINE_REGISTER_BUFFERS);
    static final MethodHandle ENGINE_UNREGISTER_BUFFERS = bind(NativeFunction.ENGINE_UNREGISTER_BUFFERS);
    static final MethodHandle ENGINE_REGISTER_FILES = bind(NativeFunction.ENGINE_REGISTER_FILES);
    static final MethodHandle ENGINE_UPDATE_FILE = bind(NativeFunction.ENGINE_UPDATE_FILE);
    static final MethodHandle ENGINE_STATS = bind(NativeFunction.ENGINE_STATS);
    static final MethodHandle ENGINE_SAMPLE_WORKERS = bind(NativeFunction.ENGINE_SAMPLE_WORKERS);
    static final MethodHandle ENGINE_DESTROY = bind(NativeFunction.ENGINE_DESTROY);
    static final MethodHandle PROBE = bind(NativeFunction.PROBE);
    static final MethodHandle MEMORY_MAP = bind(NativeFunction.MEMORY_MAP);
    static final MethodHandle MEMORY_HUGE_BYTES = bind(NativeFunction.MEMORY_HUGE_BYTES);
    static final MethodHandle MEMORY_DISCARD = bind(NativeFunction.MEMORY_DISCARD);
    static final MethodHandle MEMORY_UNMAP = bind(NativeFunction.MEMORY_UNMAP);
    static final MethodHandle CRC64NVME = bind(NativeFunction.CRC64NVME);
    static final MethodHandle OPEN = bind(NativeFunction.OPEN);
    static final MethodHandle CLOSE = bind(NativeFunction.CLOSE);
    static final MethodHandle PREAD = bind(NativeFunction.PREAD);
    static final MethodHandle PWRITE = bind(NativeFunction.PWRITE);
    static final MethodHandle FSYNC = bind(NativeFunction.FSYNC);
    static final MethodHandle FDATASYNC = bind(NativeFunction.FDATASYNC);
    static final MethodHandle FALLOCATE = bind(NativeFunction.FALLOCATE);
    static final MethodHandle FTRUNCATE = bind(NativeFunction.FTRUNCATE);
    static final MethodHandle STATX = bind(NativeFunction.STATX);
    static final MethodHandle RENAME = bind(NativeFunction.RENAME);
    static final MethodHandle UNLINK = bind(NativeFunction.UNLINK);
    static final MethodHandle MKDIR = bind(NativeFunction.MKDIR);
    static final MethodHandle FCHMOD = bind(NativeFunction.FCHMOD);
    static final MethodHandle TRY_LOCK = bind(NativeFunction.TRY_LOCK);
    static final MethodHandle FREE_BYTES = bind(NativeFunction.FREE_BYTES);
    static final MethodHandle SOCKET_OPTION = bind(NativeFunction.SOCKET_OPTION);

    private Functions() {}

    private static MethodHandle bind(NativeFunction wanted) {
        MemorySegment function = LIBRARY.find(wanted.symbol())
                .orElseThrow(() -> new UnsatisfiedLinkError("libmillrace lacks the function " + wanted.symbol()));
        MemoryLayout[] parameters =
                wanted.parameters().chars().mapToObj(Functions::layout).toArray(MemoryLayout[]::new);
        return LINKER.downcallHandle(function, FunctionDescriptor.of(layout(wanted.result()), parameters));
    }

    private static MemoryLayout layout(int type) {
        return type == 'J' ? JAVA_LONG : JAVA_INT;
    }
}
