// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

/** Sets up the log on standard error. Before the first logger is made, or it has no effect. */
final class Logging {
    private static final String PREFIX = "org.slf4j.simpleLogger.";

    private Logging() {}

    /** Warnings of ours only, as bare lines. */
    static void quiet() {
        common("warn");
        set("log.software.amazon.awssdk", "error");
        set("log.io.netty", "error");
    }

    /** What the command says itself is all there is to say. */
    static void silent() {
        common("error");
    }

    /** Everything of ours, and what the SDK does. */
    static void verbose() {
        common("info");
        set("log.dev.millrace", "debug");
    }

    private static void common(String level) {
        set("logFile", "System.err");
        set("defaultLogLevel", level);
        set("showThreadName", "false");
        set("showLogName", "false");
        set("showDateTime", "false");
        set("warnLevelString", "millrace:");
    }

    private static void set(String name, String value) {
        if (System.getProperty(PREFIX + name) == null) {
            System.setProperty(PREFIX + name, value);
        }
    }
}
