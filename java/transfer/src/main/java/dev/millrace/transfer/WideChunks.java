// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectDecoder;

/**
 * Makes bodies come in large chunks. The SDK puts Netty's HTTP codec into each connection with the default of 8 KiB a
 * chunk, so that a GiB passes its handlers, publishers and our subscriber 131 072 times, which costs more than moving the
 * bytes; neither offers a setting. When a connection is there, and before a byte has gone over it, the codec that the SDK
 * added is replaced by one that hands on what a read of the socket brought as one chunk.
 */
final class WideChunks extends ChannelInboundHandlerAdapter {
    /**
     * As much as one read of the socket brings at most, in bytes. Larger ones would save little more, and what a slow
     * disk leaves un-taken lies on the heap, for each download.
     */
    static final int CHUNK = 64 << 10;

    @Override
    public void channelActive(ChannelHandlerContext context) throws Exception {
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
        context.pipeline().remove(this);
        context.fireChannelActive();
    }
}
