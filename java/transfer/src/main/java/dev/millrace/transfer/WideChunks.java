// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectDecoder;
import java.net.SocketAddress;

/**
 * Makes bodies come in large chunks. The SDK puts Netty's HTTP codec into each connection with the default of 8 KiB a
 * chunk, so that a GiB passes its handlers, publishers and our subscriber 131 072 times, which costs more than moving the
 * bytes; neither offers a setting. Before the connection is made, the codec that the SDK added is replaced by one that hands
 * on what a read of the socket brought as one chunk. Not when it is there: whoever waited for it may have written the
 * first half of a request by then, and the second half would meet a codec that knows of no first.
 */
final class WideChunks extends ChannelOutboundHandlerAdapter {
    /**
     * As much as one read of the socket brings at most, in bytes. Larger ones would save little more, and what a slow
     * disk leaves un-taken lies on the heap, for each download.
     */
    static final int CHUNK = 64 << 10;

    @Override
    public void connect(
            ChannelHandlerContext context, SocketAddress remote, SocketAddress local, ChannelPromise promise) {
        if (context.pipeline().get(HttpClientCodec.class) != null) {
            context.pipeline()
                    .replace(
                            HttpClientCodec.class,
                            "millrace-wide-codec",
                            new HttpClientCodec(
                                    HttpObjectDecoder.DEFAULT_MAX_INITIAL_LINE_LENGTH,
                                    HttpObjectDecoder.DEFAULT_MAX_HEADER_SIZE,
                                    CHUNK));
        }
        context.connect(remote, local, promise);
        context.pipeline().remove(this);
    }
}
