// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.OwnedBuffer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A channel as a sink, whose threads run by hand. */
class ChannelSinkTest {
    private static final byte[] BODY = "an index".getBytes(StandardCharsets.UTF_8);

    private final ArrayDeque<Runnable> threads = new ArrayDeque<>();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final List<Optional<? extends IOException>> ends = new ArrayList<>();
    private IoEngine engine;
    private ChannelSink sink;

    @BeforeEach
    void open() throws Exception {
        engine = IoEngine.open(
                IoEngineConfig.defaults().withEngine(EngineKind.BLOCKING).withPool(2, 4096));
        sink = new ChannelSink(engine, Channels.newChannel(out), threads::add);
        sink.begin(OptionalLong.of(BODY.length), Digests.promised("AAAAAA=="), () -> {});
    }

    @AfterEach
    void close() {
        assertThat(engine.buffers().available()).as("buffers in the pool").isEqualTo(2);
        engine.close();
    }

    private void runAll() {
        while (!threads.isEmpty()) {
            threads.remove().run();
        }
    }

    private void writeWhileThereIsNoBuffer(ByteBuffer chunk) throws IOException {
        OwnedBuffer one = engine.buffers().acquire();
        OwnedBuffer other = engine.buffers().acquire();
        boolean written = sink.write(chunk);
        one.close();
        other.close();
        assertThat(written).isFalse();
    }

    @Test
    void losesNothingWhereABufferComesFreeBesideTheOneThatIsWaitedFor() throws IOException {
        ByteBuffer chunk = ByteBuffer.wrap(BODY);
        writeWhileThereIsNoBuffer(chunk);
        // A thread is about to wait for a buffer, and has not come to it yet. More bytes come meanwhile, or the same
        // again.
        if (!sink.write(chunk)) {
            runAll();
            assertThat(sink.write(chunk)).isTrue();
        }
        sink.finish(ends::add);
        runAll();
        assertThat(ends).containsExactly(Optional.empty());
        assertThat(out.toByteArray()).isEqualTo(BODY);
    }

    @Test
    void givesTheBufferBackThatComesAfterTheEnd() throws IOException {
        writeWhileThereIsNoBuffer(ByteBuffer.wrap(BODY));
        sink.abort(() -> ends.add(Optional.empty()));
        assertThat(ends).isEmpty();
        runAll();
        assertThat(ends).hasSize(1);
        assertThat(out.size()).isZero();
    }
}
