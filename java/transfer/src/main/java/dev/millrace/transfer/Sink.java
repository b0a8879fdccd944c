// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Where the bytes of a download go, and what becomes of them at its end. The producer's calls ({@link #write},
 * {@link #finish}) come one at a time; what says so may block, the rest must not.
 */
interface Sink {
    /**
     * Gets ready for bytes; may block.
     *
     * @param length bytes that will come, where known
     * @param digests sees each of them once
     * @param onReady called when {@link #write} may go on after false, perhaps before that has returned
     * @throws IOException where there is no room for them
     */
    void begin(OptionalLong length, Digests digests, Runnable onReady) throws IOException;

    /** True after {@link #begin}. */
    boolean hasBegun();

    /** Takes bytes, moving the chunk's position; false when the rest must wait for {@code onReady}. */
    boolean write(ByteBuffer chunk) throws IOException;

    /** Bytes taken. */
    long position();

    /** All bytes were given; {@code then} hears, on a thread that must not block, when all of them are out. */
    void finish(Consumer<Optional<? extends IOException>> then);

    /** Drops what is not out; {@code then} runs when nothing of it is under way, on a thread that must not block. */
    void abort(Runnable then);

    /** After {@link #finish}: makes the result durable and visible; blocks. */
    void publish() throws IOException;

    /** After {@link #abort} or a failed step: takes away what there is; blocks, does not throw. Idempotent. */
    void discard();

    /** False where bytes that are out cannot be taken back, so that nothing can begin again. */
    boolean canBeginAgain();

    /** True where the bytes pass the page cache by. */
    boolean isDirect();
}
