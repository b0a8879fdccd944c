// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

/** What texts in hex digits consist of: names are exact, so that one thing has one name. */
final class Hex {
    private Hex() {}

    static boolean isUpper(String text) {
        return consistsOf(text, 'A');
    }

    static boolean isLower(String text) {
        return consistsOf(text, 'a');
    }

    private static boolean consistsOf(String text, char ten) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!(c >= '0' && c <= '9') && !(c >= ten && c <= ten + 5)) {
                return false;
            }
        }
        return !text.isEmpty();
    }
}
