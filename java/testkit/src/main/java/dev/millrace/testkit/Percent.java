// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Percent-encoding as S3 has it: UTF-8, decoded exactly once, and whatever is no UTF-8 is refused. */
final class Percent {
    private static final String PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    private static final String HEX = "0123456789ABCDEF";

    private Percent() {}

    static String decode(String text, boolean plusIsSpace) {
        byte[] in = text.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream(in.length);
        for (int i = 0; i < in.length; i++) {
            if (in[i] == '%') {
                int high = i + 2 < in.length ? Character.digit(in[i + 1], 16) : -1;
                int low = i + 2 < in.length ? Character.digit(in[i + 2], 16) : -1;
                if (high < 0 || low < 0) {
                    throw new IllegalArgumentException("A percent sign without two digits is in " + text + ".");
                }
                out.write(high << 4 | low);
                i += 2;
            } else {
                out.write(in[i] == '+' && plusIsSpace ? ' ' : in[i]);
            }
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(out.toByteArray()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("What " + text + " encodes is not UTF-8.", e);
        }
    }

    /** Encodes all but the unreserved characters and, if asked, the slash; a space becomes what is given. */
    static String encode(String text, boolean keepSlash, String space) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xFF);
            if (PLAIN.indexOf(c) >= 0 || (c == '/' && keepSlash)) {
                out.append(c);
            } else if (c == ' ') {
                out.append(space);
            } else {
                out.append('%').append(HEX.charAt(c >>> 4)).append(HEX.charAt(c & 15));
            }
        }
        return out.toString();
    }

    /** The path of an object in path style. */
    static String path(String bucket, String key) {
        return "/" + bucket + "/" + encode(key, true, "%20");
    }
}
