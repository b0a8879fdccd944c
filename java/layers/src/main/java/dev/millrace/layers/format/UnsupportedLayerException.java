// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

/** A file that is no layer, one of another version of the format, or one that needs a library that is not there. */
public final class UnsupportedLayerException extends LayerFileException {
    private static final long serialVersionUID = 1L;

    UnsupportedLayerException(String path, String message) {
        super(path, message);
    }
}
