// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Blocking calls of virtual threads park them: none pins its carrier. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class VirtualThreadContractTest extends EngineContract {
    private static final int THREADS = 60;

    @Test
    void neverPinsACarrier() throws Exception {
        ExecutorService threads = TestEngines.virtualThreads().orElse(null);
        Assumptions.assumeTrue(threads != null, "this JDK has no virtual threads");
        // Who waits for another's initialization of a class is pinned, once.
        threads.submit(() -> {
                    allKindsOfCalls(-1);
                    return null;
                })
                .get();
        try (Events events = new Events(Events.PINNED, Events.OPERATION)) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int number = i;
                all.add(threads.submit(() -> {
                    allKindsOfCalls(number);
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
            assertThat(events.stop(Events.PINNED).stream()
                            .filter(VirtualThreadContractTest::isOurs)
                            .map(RecordedEvent::toString))
                    .isEmpty();
            assertThat(events.stop(Events.OPERATION))
                    .as("operations that the engine did for parked threads")
                    .hasSizeGreaterThan(10 * THREADS);
        } finally {
            threads.shutdown();
        }
    }

    private static boolean isOurs(RecordedEvent event) {
        return event.getStackTrace() == null
                || event.getStackTrace().getFrames().stream().anyMatch(VirtualThreadContractTest::isOfOurs);
    }

    private static boolean isOfOurs(RecordedFrame frame) {
        String type = frame.getMethod().getType().getName();
        return type.startsWith("dev.millrace.") && !type.startsWith(VirtualThreadContractTest.class.getName());
    }

    private void allKindsOfCalls(int number) throws Exception {
        Path path = folder.resolve("f" + number);
        byte[] data = bytes(3000, number);
        try (VirtualFile file = VirtualFile.open(engine, path, OpenOptions.creating())) {
            // More threads than buffers: most of them wait in line here.
            try (OwnedBuffer buffer = engine.buffers().acquire()) {
                buffer.put(0, data, 0, data.length);
                file.write(buffer, 0, data.length, 0);
                file.writeVectored(List.of(new BufferSlice(buffer, 0, 1000)), data.length);
                file.sync();
                assertThat(file.read(buffer, 0, data.length, 0)).isEqualTo(data.length);
            }
            file.writeAll(ByteBuffer.wrap(data), 5000);
            file.readExact(ByteBuffer.allocate(data.length), 5000);
            file.reserve(10_000);
            new Feeder(file, 0, Long.MAX_VALUE, 2)
                    .feed(bytes(100_000, number), 7000)
                    .finish()
                    .outcome();
            try (SequentialReader reader = SequentialReader.start(file, 0, Long.MAX_VALUE, 2)) {
                reader.next().ifPresent(slice -> slice.buffer().close());
            }
            file.truncate(10);
            assertThat(file.stat().size()).isEqualTo(10);
        }
        AtomicFile.replace(engine, path, ByteBuffer.wrap(data));
        engine.rename(path, folder.resolve("g" + number), true);
        engine.syncDirectory(folder);
        assertThat(engine.deleteIfExists(folder.resolve("g" + number))).isTrue();
    }
}
