// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.CopyLoop;
import dev.millrace.io.OwnedBuffer;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;

/**
 * The checksum of the bytes that were kept, computed as they stream by, against the one that the store or an index promises.
 * One thread at a time.
 */
final class Digests implements CopyLoop.Observer {
    /** Cheapest first: the first of these that the store gave is computed. */
    private static final List<String> PREFERENCE = List.of("crc64nvme", "crc32c", "crc32", "sha1", "sha256");

    private interface Running {
        void update(OwnedBuffer buffer, int at, int length);

        byte[] value();
    }

    /**
     * From a client that the caller gave chunks come in pieces of 8 KiB, and beginning and ending a checksum costs as much
     * as some of those: so much is left to pile up in the buffer, which is little enough to be still in the cache then.
     */
    private static final int PILE = 64 << 10;

    private final Optional<Running> running;
    private final String promiser;
    private final String algorithm;
    private final String promised;
    private final String words;

    private Optional<OwnedBuffer> pileIn = Optional.empty();
    private int pileAt;
    private int piled;

    private Digests(Optional<Running> running, String promiser, String algorithm, String promised, String words) {
        this.running = running;
        this.promiser = promiser;
        this.algorithm = algorithm;
        this.promised = promised;
        this.words = words;
    }

    /**
     * What can be verified of an answer.
     *
     * @param whole the whole object is wanted: a checksum of the whole says nothing about a part
     */
    static Digests of(ObjectHead head, boolean verify, boolean whole) {
        if (!verify) {
            return without("switched off");
        }
        if (!whole) {
            return without("part of an object");
        }
        Map<String, String> sums = head.checksums();
        if (sums.isEmpty()) {
            return without("no checksum");
        }
        boolean composite =
                head.checksumType().filter("COMPOSITE"::equalsIgnoreCase).isPresent();
        for (String name : PREFERENCE) {
            String value = sums.getOrDefault(name, "");
            if (value.isEmpty()) {
                continue;
            }
            if (composite || value.indexOf('-') >= 0) {
                return without("composite");
            }
            Optional<Running> one = running(name);
            if (one.isPresent()) {
                return new Digests(one, "store", name, value, name);
            }
        }
        return without("unknown checksum " + String.join(", ", sums.keySet()));
    }

    /** The CRC32C, in base64, that an index promises of the whole object. */
    static Digests promised(String crc32c) {
        return new Digests(running("crc32c"), "index", "crc32c", crc32c, "crc32c");
    }

    private static Digests without(String why) {
        return new Digests(Optional.empty(), "", "", "", "not verified: " + why);
    }

    private static Optional<Running> running(String name) {
        return switch (name) {
            case "crc32" -> Optional.of(new Crc(new CRC32()));
            case "crc32c" -> Optional.of(new Crc(new CRC32C()));
            case "crc64nvme" -> Optional.of(new Crc64());
            case "sha1" -> Optional.of(new Sha("SHA-1"));
            case "sha256" -> Optional.of(new Sha("SHA-256"));
            default -> Optional.empty();
        };
    }

    /** Sees bytes; those of one buffer lie one after the other, and a buffer is given away only when it is full. */
    @Override
    public void copied(OwnedBuffer buffer, int at, int length) {
        if (running.isEmpty()) {
            return;
        }
        if (piled == 0) {
            pileIn = Optional.of(buffer);
            pileAt = at;
        }
        piled += length;
        if (piled >= PILE || at + length == buffer.capacity()) {
            take();
        }
    }

    private void take() {
        if (piled > 0) {
            running.orElseThrow().update(pileIn.orElseThrow(), pileAt, piled);
            piled = 0;
            pileIn = Optional.empty();
        }
    }

    /** How the bytes were verified, or why not; for {@link DownloadResult#verified}. */
    String words() {
        return words;
    }

    /**
     * What is wrong, with both values; nothing where the bytes are right or cannot be judged. To be asked once, while the
     * last buffer has not been given away.
     */
    Optional<String> mismatch() {
        if (running.isEmpty()) {
            return Optional.empty();
        }
        take();
        String computed = Base64.getEncoder().encodeToString(running.get().value());
        return computed.equals(promised)
                ? Optional.empty()
                : Optional.of("the " + promiser + " promises " + algorithm + " " + promised
                        + " and the bytes that came give " + computed);
    }

    /** True where a right result of {@link #mismatch} proves that the bytes are the whole object's. */
    boolean judges() {
        return running.isPresent();
    }

    private record Crc(Checksum checksum) implements Running {
        @Override
        public void update(OwnedBuffer buffer, int at, int length) {
            buffer.update(checksum, at, length);
        }

        @Override
        public byte[] value() {
            return ByteBuffer.allocate(4).putInt((int) checksum.getValue()).array();
        }
    }

    private static final class Crc64 implements Running {
        private long crc;

        @Override
        public void update(OwnedBuffer buffer, int at, int length) {
            crc = buffer.crc64Nvme(crc, at, length);
        }

        @Override
        public byte[] value() {
            return ByteBuffer.allocate(8).putLong(crc).array();
        }
    }

    private static final class Sha implements Running {
        private final MessageDigest digest;

        Sha(String name) {
            try {
                digest = MessageDigest.getInstance(name);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java runtime has " + name + ", but not this one", e);
            }
        }

        @Override
        public void update(OwnedBuffer buffer, int at, int length) {
            buffer.withMemory(memory -> {
                digest.update(memory.slice(at, length));
                return length;
            });
        }

        @Override
        public byte[] value() {
            return digest.digest();
        }
    }
}
