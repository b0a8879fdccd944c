// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** The descriptor behind a {@link VirtualFile}: open from its making to {@link #close}, which waits for its users. */
final class Descriptor {
    private final IoEngine engine;
    private final String path;
    private final int fd;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();
    private int underWay;
    private boolean closing;
    private boolean closed;
    private boolean gone;

    Descriptor(IoEngine engine, String path, int fd) {
        this.engine = engine;
        engine.hold();
        this.path = path;
        this.fd = fd;
    }

    IoEngine engine() {
        return engine;
    }

    String path() {
        return path;
    }

    int fd() {
        return fd;
    }

    /** Announces an operation, which keeps the descriptor open until {@link #exit}. */
    void enter(String operation) throws IoFailure {
        engine.checkOpen(operation, path);
        lock.lock();
        try {
            if (closing) {
                throw new FileClosedException(operation, path);
            }
            underWay++;
        } finally {
            lock.unlock();
        }
    }

    void exit() {
        lock.lock();
        try {
            underWay--;
            if (underWay == 0) {
                idle.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** {@link VirtualFile#close}. */
    void close() throws IoFailure {
        if (engine.loop().isEngineThread()) {
            throw new IllegalStateException("a file cannot be closed on an engine thread: it would wait for itself");
        }
        lock.lock();
        try {
            closing = true;
            while (underWay > 0 || (closed && !gone)) {
                idle.awaitUninterruptibly();
            }
            if (closed) {
                return;
            }
            closed = true;
        } finally {
            lock.unlock();
        }
        int result = engine.loop().driver().syscalls().close(fd);
        engine.letGo();
        lock.lock();
        try {
            gone = true;
            idle.signalAll();
        } finally {
            lock.unlock();
        }
        if (result < 0) {
            throw engine.failure("close", path, -result, 0, true);
        }
    }
}
