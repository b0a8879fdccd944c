// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a download cost: the last line of {@code millrace get --json}, and of its rivals here.
 *
 * @param objects files that are complete
 * @param failed objects that are not
 * @param bytes of the complete ones
 * @param spent from the first request to the last file that became durable
 * @param engine what moved the bytes
 * @param binding the way to native code
 * @param directIo whether the files were written past the page cache, all of them
 * @param hugePages whether the buffers lay on huge pages
 * @param fixedWrites writes out of registered buffers
 * @param plainWrites other writes that the engine counted
 * @param operationsPerTurn operations that one crossing into native code carried
 * @param kernelWorkers worker threads of the kernel's io_uring seen
 * @param verified how many files by what checksum; empty where nothing is told
 * @param retries requests made again
 */
record Figures(
        int objects,
        int failed,
        long bytes,
        Window spent,
        String engine,
        String binding,
        boolean directIo,
        boolean hugePages,
        long fixedWrites,
        long plainWrites,
        double operationsPerTurn,
        long kernelWorkers,
        Map<String, Long> verified,
        int retries) {
    private static final double GIB = 1L << 30;

    /** Copies what was verified. */
    Figures {
        verified = Map.copyOf(verified);
    }

    /** Of one who tells nothing but what it did. */
    static Figures ofRival(SyncedFiles.Done done, String name, boolean direct) {
        return new Figures(
                done.objects(),
                done.failed(),
                done.bytes(),
                done.spent(),
                name,
                "none",
                direct,
                false,
                0,
                0,
                0,
                0,
                Map.of(),
                0);
    }

    /** The keys of {@code millrace get --json}, and what the whole machine spent. */
    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("objects", objects);
        map.put("failed", failed);
        map.put("bytes", bytes);
        map.put("seconds", rounded(spent.seconds()));
        map.put("mb_per_s", rounded(bytes / 1e6 / spent.seconds()));
        map.put("cpu_seconds", rounded(spent.cpuSeconds()));
        map.put("process_cpu_seconds", rounded(ProcessCpu.nanos() / 1e9));
        map.put("cpu_seconds_per_gib", rounded(perGib(spent.cpuSeconds())));
        map.put("machine_cpu_seconds_per_gib", rounded(perGib(spent.machineSeconds())));
        map.put("engine", engine);
        map.put("binding", binding);
        map.put("direct_io", directIo);
        map.put("huge_pages", hugePages);
        map.put("fixed_writes", fixedWrites);
        map.put("plain_writes", plainWrites);
        map.put("operations_per_turn", rounded(operationsPerTurn));
        map.put("kernel_workers", kernelWorkers);
        map.put("verified", new TreeMap<>(verified));
        map.put("retries", retries);
        return map;
    }

    private double perGib(double seconds) {
        return bytes == 0 ? 0 : seconds * GIB / bytes;
    }

    private static double rounded(double value) {
        return Math.round(value * 1e4) / 1e4;
    }

    /** One line of JSON. */
    static String json(Map<String, Object> map) {
        try {
            return JSON.std.asString(map);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
