// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

/** The few XML documents of S3 that a test server writes. */
final class S3Xml {
    static final String PROLOGUE = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

    private S3Xml() {}

    static String error(String code, String message) {
        return PROLOGUE + "<Error><Code>" + text(code) + "</Code><Message>" + text(message)
                + "</Message><RequestId>0000000000000000</RequestId></Error>";
    }

    /** A sentence for a code. */
    static String say(String code) {
        return "The test server answers " + code + ".";
    }

    /** Character data; what XML 1.0 has no way to say is written as the reference that S3 writes all the same. */
    static String text(String raw) {
        StringBuilder out = new StringBuilder(raw.length() + 16);
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                default -> {
                    if (c < ' ') {
                        out.append("&#x").append(Integer.toHexString(c)).append(';');
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        return out.toString();
    }
}
