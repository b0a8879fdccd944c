// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.List;
import java.util.function.Function;

/** A file that is being opened. */
final class Opening implements DescriptorCache.Request {
    private final String operation;
    private final String path;
    private final PinWaiter then;

    Opening(String operation, String path, PinWaiter then) {
        this.operation = operation;
        this.path = path;
        this.then = then;
    }

    @Override
    public void granted() {
        then.pinned();
    }

    @Override
    public boolean isWaitedFor() {
        return true;
    }

    @Override
    public List<Runnable> refusals(Function<String, IoFailure> why) {
        IoFailure failure = why.apply(operation);
        return List.of(() -> then.refused(failure));
    }

    String path() {
        return path;
    }
}
