// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

/** A block of a layer file is torn, misplaced, rotten or missing, or says what cannot be. */
public final class CorruptLayerException extends LayerFileException {
    private static final long serialVersionUID = 1L;

    private final long block;

    private CorruptLayerException(String path, long block, String reason) {
        super(
                path,
                "block " + block + " of the layer " + path + " is damaged: " + reason
                        + "; remove the file and fetch the layer anew");
        this.block = block;
    }

    static CorruptLayerException of(String path, long block, String reason) {
        return new CorruptLayerException(path, block, reason);
    }

    /** The first block that is known to be wrong, from 0. */
    public long block() {
        return block;
    }
}
