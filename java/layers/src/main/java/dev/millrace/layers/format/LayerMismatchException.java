// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

/** A layer file is whole, and another than it should be: what it says of itself is not what its place or name says. */
public final class LayerMismatchException extends LayerFileException {
    private static final long serialVersionUID = 1L;

    LayerMismatchException(String path, String what, Object expected, Object found) {
        super(
                path,
                "the layer " + path + " is not the one that is wanted: its " + what + " is " + found + " and not "
                        + expected);
    }
}
