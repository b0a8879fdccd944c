// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import dev.millrace.bindings.NativeIo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory of a buffer pool: pieces of equal size, mapped once and registered with as many rings as come and go
 * ({@link Driver#register}).
 *
 * @param pieces a direct buffer a piece, in native byte order
 * @param addresses native address of each piece, 0 in pure Java
 * @param hugeBytes bytes that lie on huge pages
 * @param checksum CRC-64/NVME over a piece
 * @param release gives the memory back to the system; the addresses stay reserved until no view is reachable. Called
 *     once, after every ring that it was registered with was destroyed.
 */
public record PoolMemory(
        List<ByteBuffer> pieces, List<Long> addresses, long hugeBytes, Checksum checksum, Runnable release) {
    /** Alignment of memory of pure Java: the largest that direct I/O is known to ask for on systems without statx. */
    private static final int JAVA_ALIGN = 4096;

    /** Continues a checksum over memory, which lies at the address too where that is native. Any thread. */
    @FunctionalInterface
    public interface Checksum {
        /** {@code length} bytes from {@code at}; the result is the seed of the next call. */
        long update(long seed, long address, ByteBuffer memory, int at, int length);
    }

    /** Copies the lists. */
    public PoolMemory {
        pieces = List.copyOf(pieces);
        addresses = List.copyOf(addresses);
    }

    /** Bytes of a piece. */
    public int pieceSize() {
        return pieces.get(0).capacity();
    }

    /** One mapping of {@code libmillrace}, on huge pages where they can be had. Throws {@link OutOfMemoryError}. */
    public static PoolMemory ofNative(NativeIo nativeIo, int buffers, int bufferSize) {
        long length = (long) buffers * bufferSize;
        long base = nativeIo.memoryMap(length, 0);
        if (base < 0) {
            throw new OutOfMemoryError("a pool of " + buffers + " buffers of " + bufferSize
                    + " bytes cannot be mapped: " + Errno.name((int) -base));
        }
        List<Long> addresses = new ArrayList<>(buffers);
        List<ByteBuffer> pieces = new ArrayList<>(buffers);
        for (int i = 0; i < buffers; i++) {
            long address = base + (long) i * bufferSize;
            addresses.add(address);
            pieces.add(nativeIo.view(address, bufferSize));
        }
        long huge = Math.max(0, nativeIo.memoryHugeBytes(base, length));
        ReachableMapping mapping = new ReachableMapping(nativeIo, base, length, pieces);
        return new PoolMemory(
                pieces,
                addresses,
                huge,
                (seed, address, memory, at, count) -> nativeIo.crc64nvme(seed, address + at, count),
                mapping::release);
    }

    /** Direct buffers, which the collector frees when the last view is gone. Throws {@link OutOfMemoryError}. */
    public static PoolMemory ofJava(int buffers, int bufferSize) {
        List<ByteBuffer> pieces = new ArrayList<>(buffers);
        List<Long> addresses = new ArrayList<>(buffers);
        for (int i = 0; i < buffers; i++) {
            pieces.add(ByteBuffer.allocateDirect(bufferSize + JAVA_ALIGN)
                    .alignedSlice(JAVA_ALIGN)
                    .slice(0, bufferSize)
                    .order(ByteOrder.nativeOrder()));
            addresses.add(0L);
        }
        return new PoolMemory(
                pieces,
                addresses,
                0,
                (seed, address, memory, at, count) -> Crc64Nvme.update(seed, memory, at, count),
                () -> {});
    }
}
