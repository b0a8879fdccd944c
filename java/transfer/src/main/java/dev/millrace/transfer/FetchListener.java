// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.nio.ByteBuffer;

/**
 * Hears one {@linkplain ObjectSource#get GET}: {@link #head}, then any number of {@link #chunk}s as {@link Fetch#request}
 * asked for them, then {@link #end}; or {@link #failed} at any point. Exactly one of the last two is called, also after
 * {@link Fetch#cancel}; a chunk that was on its way at a cancel may still come after it and is to be dropped.
 *
 * <p>Calls come one at a time, on a thread of the source, and must not block: other objects' bytes come by the same
 * thread. What a listener throws cancels the GET.
 */
public interface FetchListener {
    /** The store has answered with success (2xx). No chunk comes before one was asked for. */
    void head(ObjectHead head);

    /** Bytes of the body, in order. The buffer is the listener's from now on; its size is the source's choice. */
    void chunk(ByteBuffer bytes);

    /** The body is complete, as far as the answer's own framing says. */
    void end();

    /** There is no answer, an error answer, or no more of the body. */
    void failed(SourceFailure failure);
}
