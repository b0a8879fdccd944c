// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

/**
 * The functions of {@code millrace.h} that cross, each with its name on both sides and the types it carries: the one
 * list from which bindings take names and types, check that a library is complete, and tell native images what to keep.
 */
public enum NativeFunction {
    ABI_VERSION("abiVersion", "mr_abi_version", "", 'I'),
    CONSTANT("constant", "mr_constant", "I", 'J'),
    ERRNO_NAME("errnoName", "mr_errno_name", "IJI", 'I'),
    ENGINE_CREATE("engineCreate", "mr_engine_create", "JJ", 'J'),
    ENGINE_TURN("engineTurn", "mr_engine_turn", "JJIJIJ", 'I'),
    ENGINE_WAKE("engineWake", "mr_engine_wake", "J", 'I'),
    ENGINE_REGISTER_BUFFERS("engineRegisterBuffers", "mr_engine_register_buffers", "JJIJ", 'I'),
    ENGINE_UNREGISTER_BUFFERS("engineUnregisterBuffers", "mr_engine_unregister_buffers", "J", 'I'),
    ENGINE_REGISTER_FILES("engineRegisterFiles", "mr_engine_register_files", "JI", 'I'),
    ENGINE_UPDATE_FILE("engineUpdateFile", "mr_engine_update_file", "JII", 'I'),
    ENGINE_STATS("engineStats", "mr_engine_stats", "JJ", 'I'),
    ENGINE_SAMPLE_WORKERS("engineSampleWorkers", "mr_engine_sample_workers", "J", 'I'),
    ENGINE_DESTROY("engineDestroy", "mr_engine_destroy", "J", 'I'),
    PROBE("probe", "mr_probe", "JI", 'I'),
    MEMORY_MAP("memoryMap", "mr_memory_map", "JI", 'J'),
    MEMORY_HUGE_BYTES("memoryHugeBytes", "mr_memory_huge_bytes", "JJ", 'J'),
    MEMORY_DISCARD("memoryDiscard", "mr_memory_discard", "JJ", 'I'),
    MEMORY_UNMAP("memoryUnmap", "mr_memory_unmap", "JJ", 'I'),
    CRC64NVME("crc64nvme", "mr_crc64nvme", "JJJ", 'J'),
    OPEN("open", "mr_open", "JII", 'I'),
    CLOSE("close", "mr_close", "I", 'I'),
    PREAD("pread", "mr_pread", "IJJJ", 'J'),
    PWRITE("pwrite", "mr_pwrite", "IJJJ", 'J'),
    FSYNC("fsync", "mr_fsync", "I", 'I'),
    FDATASYNC("fdatasync", "mr_fdatasync", "I", 'I'),
    FALLOCATE("fallocate", "mr_fallocate", "IIJJ", 'I'),
    FTRUNCATE("ftruncate", "mr_ftruncate", "IJ", 'I'),
    STATX("statx", "mr_statx", "IJJ", 'I'),
    RENAME("rename", "mr_rename", "JJI", 'I'),
    UNLINK("unlink", "mr_unlink", "JI", 'I'),
    MKDIR("mkdir", "mr_mkdir", "JI", 'I'),
    FCHMOD("fchmod", "mr_fchmod", "II", 'I'),
    TRY_LOCK("tryLock", "mr_try_lock", "I", 'I'),
    FREE_BYTES("freeBytes", "mr_free_bytes", "J", 'J'),
    SOCKET_OPTION("socketOption", "mr_socket_option", "III", 'I');

    private final String javaName;
    private final String symbol;
    private final String parameters;
    private final char result;

    NativeFunction(String javaName, String symbol, String parameters, char result) {
        this.javaName = javaName;
        this.symbol = symbol;
        this.parameters = parameters;
        this.result = result;
    }

    /** Name of the method of {@link NativeIo}. */
    public String javaName() {
        return javaName;
    }

    /** Name of the function in C. */
    public String symbol() {
        return symbol;
    }

    /** Types of the parameters, a letter each: {@code I} for 32 bits, {@code J} for 64. */
    public String parameters() {
        return parameters;
    }

    /** Type of the result, as in {@link #parameters}. */
    public char result() {
        return result;
    }
}
