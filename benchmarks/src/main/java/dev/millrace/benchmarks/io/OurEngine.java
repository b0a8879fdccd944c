// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import dev.millrace.io.engine.EngineCounters;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An engine of ours with a file and a buffer for each operation at once. */
final class OurEngine implements AutoCloseable {
    private final IoEngine engine;
    /** The same file, once for each ring. */
    private final List<VirtualFile> files = new ArrayList<>();

    private final OwnedBuffer[] buffers;

    OurEngine(Target target) throws IOException {
        engine = IoEngine.open(IoEngineConfig.defaults()
                .withEngine(EngineKind.IO_URING)
                .withBinding(target.binding())
                .withRings(target.contender().rings())
                .withPool(target.depth(), target.block()));
        buffers = new OwnedBuffer[target.depth()];
        try {
            for (int i = 0; i < target.contender().rings(); i++) {
                files.add(VirtualFile.open(engine, target.path(), target.options()));
            }
        } catch (IOException e) {
            for (VirtualFile file : files) {
                file.close();
            }
            engine.close();
            throw e;
        }
        for (int i = 0; i < buffers.length; i++) {
            buffers[i] = engine.buffers().acquire();
        }
    }

    VirtualFile file() {
        return files.get(0);
    }

    /** The file of a stream, on its ring. */
    VirtualFile file(int stream) {
        return files.get(stream % files.size());
    }

    OwnedBuffer buffer(int index) {
        return buffers[index];
    }

    Map<String, Object> facts() {
        EngineCounters counters = engine.counters();
        return facts(
                engine.kind().label(),
                engine.status().binding(),
                engine.status().hugePages(),
                engine.status().rings().size(),
                counters);
    }

    static Map<String, Object> facts(
            String engine, String binding, boolean hugePages, int rings, EngineCounters counters) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("engine", engine);
        facts.put("binding", binding);
        facts.put("huge_pages", hugePages);
        facts.put("rings", rings);
        facts.put("fixed", counters.fixed());
        facts.put("plain", counters.plain());
        facts.put("operations_per_turn", Math.round(counters.operationsPerTurn() * 100) / 100.0);
        facts.put("kernel_workers", counters.kernelWorkers());
        return facts;
    }

    @Override
    public void close() throws IOException {
        for (OwnedBuffer buffer : buffers) {
            buffer.close();
        }
        for (VirtualFile file : files) {
            file.close();
        }
        engine.close();
    }
}
