// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import com.github.luben.zstd.ZstdCompressCtx;
import java.util.Optional;

/** The compressing of values. All that names the library is here, since it may not be there. */
final class Zstd {
    /** Cheap in CPU: a layer is written once, in passing. */
    private static final int LEVEL = 1;

    /** Asked once. */
    private static final class Holder {
        static final Optional<String> REFUSAL = ask();

        private static Optional<String> ask() {
            try {
                com.github.luben.zstd.Zstd.compressBound(1); // loads the native library
                return Optional.empty();
            } catch (LinkageError e) {
                return Optional.of(e.toString());
            }
        }
    }

    private Zstd() {}

    /**
     * Refuses where the library is not there.
     *
     * @param purpose what it is needed for, as a clause
     */
    static void check(String path, String purpose) throws UnsupportedLayerException {
        Optional<String> refusal = Holder.REFUSAL;
        if (refusal.isPresent()) {
            throw new UnsupportedLayerException(
                    path,
                    "the layer " + path + " " + purpose + " and zstd cannot be had (" + refusal.get()
                            + "): put com.github.luben:zstd-jni on the class path");
        }
    }

    /** One writer's compressor, with native memory. One thread at a time. */
    static final class Compressor implements AutoCloseable {
        private final ZstdCompressCtx context;
        private byte[] scratch = new byte[0];
        private int length;

        Compressor() {
            context = new ZstdCompressCtx().setLevel(LEVEL);
        }

        /** Compresses into {@link #bytes}; false where that is not smaller. */
        boolean compress(byte[] from, int at, int count) {
            int bound = Math.toIntExact(com.github.luben.zstd.Zstd.compressBound(count));
            if (scratch.length < bound) {
                scratch = new byte[bound];
            }
            length = context.compressByteArray(scratch, 0, scratch.length, from, at, count);
            return length < count;
        }

        byte[] bytes() {
            return scratch;
        }

        int length() {
            return length;
        }

        @Override
        public void close() {
            context.close();
        }
    }

    /**
     * A value again; {@code from} has passed its checksums.
     *
     * @throws CorruptLayerException where it is no compressed value of that length
     */
    static byte[] decompress(byte[] from, LayerEntry entry, String path) throws LayerFileException {
        check(path, "has compressed values");
        byte[] value = new byte[entry.length()];
        String reason;
        try {
            long got = com.github.luben.zstd.Zstd.decompressByteArray(value, 0, value.length, from, 0, from.length);
            if (got == value.length) {
                return value;
            }
            reason = com.github.luben.zstd.Zstd.isError(got)
                    ? com.github.luben.zstd.Zstd.getErrorName(got)
                    : got + " bytes came out";
        } catch (RuntimeException e) {
            reason = String.valueOf(e.getMessage());
        }
        throw CorruptLayerException.of(
                path,
                entry.block(),
                "the compressed value of key " + entry.key() + " at " + entry.lsn() + " should be " + value.length
                        + " bytes and cannot be restored (" + reason + ")");
    }
}
