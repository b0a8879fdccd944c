// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Passes over addresses of a host that did not answer. The SDK connects to the first address of a host, always: where that
 * one is a black hole (IPv6 without a route is), no try would ever end otherwise. An address to which a connection failed
 * is out of use for a minute as long as the host has another, so that the next try, which follows at once, goes there.
 * Addresses of one host stand in for each other here; certificates are checked against its name all the same.
 */
final class NextAddress extends ChannelOutboundHandlerAdapter {
    private static final long OUT_OF_USE_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final int MAX_REMEMBERED = 1024;

    /** Addresses with the time of their last failure; the oldest is forgotten when there are too many. */
    private static final Map<InetSocketAddress, Long> FAILED = Collections.synchronizedMap(new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<InetSocketAddress, Long> eldest) {
            return size() > MAX_REMEMBERED;
        }
    });

    @Override
    public void connect(
            ChannelHandlerContext context, SocketAddress remote, SocketAddress local, ChannelPromise promise) {
        SocketAddress chosen = choose(remote);
        if (chosen instanceof InetSocketAddress address) {
            promise.addListener(done -> {
                if (done.isSuccess()) {
                    FAILED.remove(address);
                } else if (!promise.isCancelled()) {
                    FAILED.put(address, System.nanoTime());
                }
            });
        }
        context.connect(chosen, local, promise);
        context.pipeline().remove(this);
    }

    private static SocketAddress choose(SocketAddress remote) {
        if (!(remote instanceof InetSocketAddress first) || first.isUnresolved() || isUsable(first)) {
            return remote;
        }
        try {
            // The JVM remembers what it has just looked up, so that this does not wait for a name server.
            for (InetAddress other : InetAddress.getAllByName(first.getHostString())) {
                InetSocketAddress candidate = new InetSocketAddress(other, first.getPort());
                if (isUsable(candidate)) {
                    return candidate;
                }
            }
        } catch (UnknownHostException e) {
            return remote; // gone since: the connection says what is wrong
        }
        return remote;
    }

    private static boolean isUsable(InetSocketAddress address) {
        Long failed = FAILED.get(address);
        return failed == null || System.nanoTime() - failed > OUT_OF_USE_NANOS;
    }
}
