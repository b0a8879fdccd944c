// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.io.IOException;

/** A layer file is not what it should be. The message is a whole sentence for a person. */
public abstract sealed class LayerFileException extends IOException
        permits CorruptLayerException, LayerMismatchException, UnsupportedLayerException {
    private static final long serialVersionUID = 1L;

    private final String path;

    LayerFileException(String path, String message) {
        super(message);
        this.path = path;
    }

    /** The file. */
    public final String path() {
        return path;
    }
}
