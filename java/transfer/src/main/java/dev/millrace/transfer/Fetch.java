// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

/** The caller's handle on a GET under way. Any thread; no call blocks. */
public interface Fetch {
    /**
     * Allows so many chunks more. What was allowed bounds what a listener may have to keep.
     *
     * @param chunks at least 1
     */
    void request(long chunks);

    /**
     * Asks to stop. The listener's {@link FetchListener#failed} is called with {@link SourceFailure.Kind#CANCELLED}
     * soon, unless the end is here already. Idempotent.
     */
    void cancel();
}
