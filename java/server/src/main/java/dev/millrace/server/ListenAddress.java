// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/**
 * Where a server listens.
 *
 * @param host name or address
 * @param port 0 takes a free one
 */
record ListenAddress(String host, int port) {
    /**
     * Reads {@code HOST:PORT}, an IPv6 address in brackets.
     *
     * @throws IllegalArgumentException with a sentence
     */
    static ListenAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        String digits = text.substring(colon + 1);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            host = "";
        }
        boolean number =
                !digits.isEmpty() && digits.length() <= 5 && digits.chars().allMatch(c -> c >= '0' && c <= '9');
        if (host.isEmpty() || !number || Integer.parseInt(digits) > 65535) {
            throw new IllegalArgumentException("--listen is '" + Sentences.oneLine(text)
                    + "': write HOST:PORT, as 127.0.0.1:9898 or [::1]:9898; port 0 takes a free one");
        }
        return new ListenAddress(host, Integer.parseInt(digits));
    }

    /** True where only programs of this machine can come. */
    boolean isLoopback() throws CommandFailure {
        try {
            return Arrays.stream(InetAddress.getAllByName(host)).allMatch(InetAddress::isLoopbackAddress);
        } catch (UnknownHostException e) {
            throw CommandFailure.failed("--listen names the host " + host + ", which is not known", e);
        }
    }

    @Override
    public String toString() {
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }
}
