// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import dev.millrace.io.IoFailure;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a file must hold: of each block the version that was written last, from which its bytes follow. What a write left
 * that was cancelled, or that its engine's close overtook, is one of several versions, sector by sector, until
 * {@link #resolve} has looked and written it anew. Used by one thread at a time.
 */
final class FileModel {
    static final int BLOCK = 4096;
    private static final int SECTOR = 512;
    private static final long STEP = 0x9E3779B97F4A7C15L;

    private final long seed;
    private final Counts counts;
    private final int[] versions;
    private final Map<Integer, List<Integer>> uncertain = new TreeMap<>();
    private int blocks;
    private int newest;
    private boolean lengthUncertain;

    FileModel(long seed, int mostBlocks, Counts counts) {
        this.seed = seed;
        this.counts = counts;
        versions = new int[mostBlocks];
    }

    /** Blocks that the file may have. */
    int most() {
        return versions.length;
    }

    /** Blocks that it has. */
    int blocks() {
        return blocks;
    }

    boolean isCertain() {
        return uncertain.isEmpty() && !lengthUncertain;
    }

    // ------------------------------------------------------------------ bytes

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    private static long first(long seed, int block, int version) {
        return mix(seed ^ mix(((long) block << 32) | version));
    }

    private long word(int block, int version, int index) {
        return version == 0 ? 0 : first(seed, block, version) + index * STEP;
    }

    /** The bytes of a block, into little-endian memory. */
    void fill(ByteBuffer memory, int at, int block, int version) {
        long value = version == 0 ? 0 : first(seed, block, version);
        long step = version == 0 ? 0 : STEP;
        for (int i = 0; i < BLOCK; i += Long.BYTES) {
            memory.putLong(at + i, value);
            value += step;
        }
    }

    private boolean matches(ByteBuffer memory, int at, int length, int block, int version, int from) {
        long value = word(block, version, from / Long.BYTES);
        long step = version == 0 ? 0 : STEP;
        long different = 0;
        for (int i = 0; i < length; i += Long.BYTES) {
            different |= memory.getLong(at + i) ^ value;
            value += step;
        }
        return different == 0;
    }

    // ------------------------------------------------------------------ writes

    /** A write of blocks begins: until it {@link #wrote} they hold either what they held or its version, which is returned. */
    int begin(int block, int count) {
        int version = ++newest;
        for (int i = block; i < block + count; i++) {
            uncertain
                    .computeIfAbsent(i, b -> new ArrayList<>(List.of(versions[b])))
                    .add(version);
        }
        lengthUncertain |= block + count > blocks;
        return version;
    }

    /** The write is complete. */
    void wrote(int block, int count, int version) {
        for (int i = block; i < block + count; i++) {
            versions[i] = version;
            uncertain.remove(i);
        }
        blocks = Math.max(blocks, block + count);
        lengthUncertain = lengthUncertain && !uncertain.isEmpty();
    }

    /** The length is about to change. */
    void beginResize() {
        lengthUncertain = true;
    }

    /** The length is so many blocks now. */
    void resized(int count) {
        for (int i = count; i < versions.length; i++) {
            versions[i] = 0;
        }
        uncertain.keySet().removeIf(block -> block >= count);
        blocks = count;
        lengthUncertain = false;
    }

    /** Puts the bytes of a write into a buffer of ours. */
    void fill(OwnedBuffer buffer, int block, int count, int version) {
        buffer.withMemory(memory -> {
            memory.order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < count; i++) {
                fill(memory, i * BLOCK, block + i, version);
            }
            return true;
        });
    }

    // ------------------------------------------------------------------ reads

    /** Bytes that a read must give. */
    int expected(long position, int length) {
        return (int) Math.max(0, Math.min(length, (long) blocks * BLOCK - position));
    }

    /** Checks what a read of whole blocks brought. */
    void check(OwnedBuffer buffer, int block, int count, int bytes) throws MismatchException {
        checkCount((long) block * BLOCK, count * BLOCK, bytes);
        int wrong = buffer.withMemory(memory -> {
            memory.order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < bytes / BLOCK; i++) {
                if (!matches(memory, i * BLOCK, BLOCK, block + i, versions[block + i], 0)) {
                    return block + i;
                }
            }
            return -1;
        });
        if (wrong >= 0) {
            throw new MismatchException("block " + wrong + " does not hold version " + versions[wrong]);
        }
        counts.add(Counts.Kind.KIB_CHECKED, bytes >> 10);
    }

    /** Checks what a read of any place brought; the bytes lie before the position. */
    void check(ByteBuffer target, long position, int wanted, int bytes) throws MismatchException {
        checkCount(position, wanted, bytes);
        for (int i = 0; i < bytes; i++) {
            long at = position + i;
            int block = (int) (at / BLOCK);
            int inBlock = (int) (at % BLOCK);
            long word = word(block, versions[block], inBlock / Long.BYTES);
            byte expected = (byte) (word >>> (inBlock % Long.BYTES * 8));
            if (target.get(i) != expected) {
                throw new MismatchException("byte " + at + " is " + target.get(i) + " instead of " + expected
                        + ": block " + block + " does not hold version " + versions[block]);
            }
        }
        counts.add(Counts.Kind.KIB_CHECKED, bytes >> 10);
    }

    private void checkCount(long position, int wanted, int bytes) throws MismatchException {
        if (bytes != expected(position, wanted)) {
            throw new MismatchException("a read of " + wanted + " bytes at " + position + " gave " + bytes
                    + " of a file of " + (long) blocks * BLOCK);
        }
    }

    // ------------------------------------------------------------------ what is uncertain

    /** Looks at what may be either, sector by sector, and writes it anew. */
    void resolve(VirtualFile file, OwnedBuffer buffer) throws IoFailure, MismatchException {
        if (isCertain()) {
            return;
        }
        long size = file.stat().size();
        if (size > (long) versions.length * BLOCK) {
            throw new MismatchException(
                    "the file has " + size + " bytes and may have " + (long) versions.length * BLOCK);
        }
        if (size % BLOCK != 0) {
            file.truncate(size - size % BLOCK); // a write that extends was cut off in the middle of a block
        }
        int found = (int) (size / BLOCK);
        // Between the old and the new end lie holes, and what uncertain writes left.
        resized(found);
        for (int block : List.copyOf(uncertain.keySet())) {
            int bytes = file.read(buffer, 0, BLOCK, (long) block * BLOCK);
            if (bytes != BLOCK) {
                throw new MismatchException("block " + block + " below the end gave " + bytes + " bytes");
            }
            List<Integer> may = uncertain.get(block);
            boolean wrong = buffer.withMemory(memory -> {
                memory.order(ByteOrder.LITTLE_ENDIAN);
                for (int at = 0; at < BLOCK; at += SECTOR) {
                    int from = at;
                    if (may.stream().noneMatch(version -> matches(memory, from, SECTOR, block, version, from))) {
                        return true;
                    }
                }
                return false;
            });
            if (wrong) {
                throw new MismatchException("block " + block + " holds none of the versions " + may + " it may");
            }
            int version = begin(block, 1);
            fill(buffer, block, 1, version);
            file.write(buffer, 0, BLOCK, (long) block * BLOCK);
            wrote(block, 1, version);
            counts.add(Counts.Kind.UNCERTAIN_WRITES_RESOLVED);
        }
    }
}
