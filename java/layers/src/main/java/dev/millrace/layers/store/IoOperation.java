// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

/** What a store waits for on behalf of layers' files, for metrics. */
public enum IoOperation {
    /** Opening a file until it can be read, its first blocks included. */
    OPEN("open"),
    /** A read of neighbouring blocks, those of opening included. */
    READ("read"),
    /** Removing a file. */
    UNLINK("unlink"),
    /** Fetching a file, from the first request until it has its final name or has failed: the network and the disk together. */
    DOWNLOAD("download");

    private final String label;

    IoOperation(String label) {
        this.label = label;
    }

    /** As metrics say it. */
    public String label() {
        return label;
    }
}
