// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

/**
 * How far a download of all layers of a timeline is.
 *
 * @param taskId 32 lower-case hex digits, of no other task
 * @param state whether it goes on
 * @param totalLayerCount all layers, resident ones too
 * @param successfulDownloadCount of those, the ones that are here, whoever fetched them
 * @param failedDownloadCount of those, the ones that could not be fetched
 */
public record BulkDownloadStatus(
        String taskId, State state, int totalLayerCount, int successfulDownloadCount, int failedDownloadCount) {
    /** Whether it goes on. */
    public enum State {
        /** It does. */
        RUNNING("Running"),
        /** Each layer is here or has failed. */
        COMPLETED("Completed"),
        /** The timeline was detached, or the store closed, before. */
        SHUT_DOWN("ShutDown");

        private final String label;

        State(String label) {
            this.label = label;
        }

        /** As JSON says it. */
        public String label() {
            return label;
        }
    }
}
