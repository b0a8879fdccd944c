// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

/** A thread that turns a driver: a daemon, known by its class. */
final class EngineThread extends Thread {
    EngineThread(Runnable body, String name) {
        super(body, name);
        setDaemon(true);
    }
}
