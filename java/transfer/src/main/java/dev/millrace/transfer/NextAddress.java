// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;

/**
 * Passes over addresses of a host that did not answer. The SDK connects to the first address of a host, always: where that
 * one is a black hole (IPv6 without a route is), no try would ever end otherwise. An address to which a connection failed
 * is out of use for a minute as long as the host has another, so that the next try, which follows at once, goes there.
 * Addresses of one host stand in for each other here; certificates are checked against its name all the same.
 */
final class NextAddress extends ChannelOutboundHandlerAdapter {
    private final DeadAddresses dead;

    NextAddress(DeadAddresses dead) {
        this.dead = dead;
    }

    @Override
    public void connect(
            ChannelHandlerContext context, SocketAddress remote, SocketAddress local, ChannelPromise promise) {
        SocketAddress chosen = choose(remote);
        if (chosen instanceof InetSocketAddress address) {
            promise.addListener(done -> {
                if (done.isSuccess()) {
                    dead.remove(address);
                } else if (!promise.isCancelled()) {
                    dead.add(address);
                }
            });
        }
        context.connect(chosen, local, promise);
        context.pipeline().remove(this);
    }

    private SocketAddress choose(SocketAddress remote) {
        if (!(remote instanceof InetSocketAddress first) || first.isUnresolved() || !dead.contains(first)) {
            return remote;
        }
        try {
            // The JVM remembers what it has just looked up, so that this does not wait for a name server.
            for (InetAddress other : InetAddress.getAllByName(first.getHostString())) {
                InetSocketAddress candidate = new InetSocketAddress(other, first.getPort());
                if (!dead.contains(candidate)) {
                    return candidate;
                }
            }
        } catch (UnknownHostException e) {
            return remote; // gone since: the connection says what is wrong
        }
        return remote;
    }
}
