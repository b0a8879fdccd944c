// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The engine's events where nobody records. */
@Timeout(60)
class OperationEventTest {
    private static final class Nop extends Operation {
        private final CountDownLatch done = new CountDownLatch(1);
        private boolean withEvent;

        Nop() {
            reset(OpCode.NOP);
        }

        @Override
        protected void completed(int result) {
            withEvent |= event != null;
            done.countDown();
        }
    }

    @Test
    void areNotMadeWhileNobodyRecords() throws Exception {
        ScriptedDriver driver = new ScriptedDriver(8, flight -> {
            ((Nop) flight.operation()).withEvent |= flight.operation().event != null;
            return OptionalInt.of(0);
        });
        EngineLoop loop = EngineLoop.start("millrace-engine-events", 8, () -> driver);
        Nop nop = new Nop();
        loop.submit(nop);
        nop.done.await();
        loop.close();
        assertThat(OperationEvent.isOn()).isFalse();
        assertThat(CompletionOverflowEvent.isOn()).isFalse();
        assertThat(nop.withEvent).isFalse();
    }
}
