// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Somebody who needs consecutive blocks of a layer. Called for each of them once, in any order, from several threads. */
interface BlockSink {
    LayerReader reader();

    long firstBlock();

    long lastBlock();

    /**
     * Takes a block that is sound.
     *
     * @param memory shared, of any order of bytes, valid during the call only
     * @param at where in it the block begins
     */
    void block(long number, ByteBuffer memory, int at);

    /** A block cannot be had. */
    void failed(long number, IOException cause);
}
