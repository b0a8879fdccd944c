// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** An operation that remembers its outcome, and how many it got. */
@SuppressWarnings("this-escape") // reset only fills fields
public class Probe extends Operation {
    private final CompletableFuture<Integer> outcome = new CompletableFuture<>();
    private final AtomicInteger outcomes = new AtomicInteger();

    public Probe(int operationCode) {
        reset(operationCode);
    }

    public static Probe nop() {
        return new Probe(OpCode.NOP);
    }

    @Override
    protected void completed(int result) {
        outcomes.incrementAndGet();
        outcome.complete(result);
    }

    /** The result; a test that waits for ever fails here instead. */
    public int await() throws InterruptedException {
        try {
            return outcome.get(20, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError("no outcome for " + OpCode.name(code), e);
        }
    }

    public boolean isDone() {
        return outcome.isDone();
    }

    public int outcomes() {
        return outcomes.get();
    }
}
