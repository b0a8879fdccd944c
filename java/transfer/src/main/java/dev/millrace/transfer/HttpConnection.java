// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.util.Optional;

/**
 * Knows of a connection what the SDK does not tell: that it is closed, and whether it was used before. The SDK calls a
 * body in chunks complete when the connection closes, although its framing says otherwise.
 *
 * <p>Sits first in the connection's pipeline. What the SDK says while an event of a connection passes through is said of
 * that connection, which is how {@link #current} finds it.
 */
final class HttpConnection extends ChannelInboundHandlerAdapter {
    private static final ThreadLocal<Optional<HttpConnection>> CURRENT = ThreadLocal.withInitial(Optional::empty);

    private volatile boolean closed;
    private volatile boolean answeredBefore;

    /** A channel that is watched, whose bodies come in large chunks, and that passes over dead addresses. */
    static NioSocketChannel newChannel(DeadAddresses dead) {
        NioSocketChannel channel = new NioSocketChannel();
        channel.pipeline().addLast("millrace-connection", new HttpConnection());
        channel.pipeline().addLast("millrace-chunks", new WideChunks());
        channel.pipeline().addLast("millrace-next-address", new NextAddress(dead));
        return channel;
    }

    /** The connection whose event is being told on this thread. */
    static Optional<HttpConnection> current() {
        return CURRENT.get();
    }

    /** True from before the SDK hears that it is closed. */
    boolean isClosed() {
        return closed;
    }

    /** An answer was read to its end, so that whatever comes next comes over a used connection. */
    void answered() {
        answeredBefore = true;
    }

    boolean wasAnsweredBefore() {
        return answeredBefore;
    }

    private void tell(Runnable event) {
        Optional<HttpConnection> outer = CURRENT.get();
        CURRENT.set(Optional.of(this));
        try {
            event.run();
        } finally {
            CURRENT.set(outer);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        tell(() -> context.fireChannelRead(message));
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        closed = true;
        tell(context::fireChannelInactive);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        tell(() -> context.fireExceptionCaught(cause));
    }
}
