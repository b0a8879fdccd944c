// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** fio, by the script that knows its options. */
final class Fio {
    private final Path script;
    private final Path folder;

    Fio(Path script, Path folder) {
        this.script = script;
        this.folder = folder;
    }

    /** Runs a workload for some seconds, a sequential write so many times. */
    Map<String, Object> run(Workload workload, int seconds, int passes) throws IOException, InterruptedException {
        Path file = folder.resolve(workload.fileName());
        List<String> command = new ArrayList<>(List.of(script.toString()));
        int runs = 1;
        switch (workload.kind()) {
            case READ ->
                command.addAll(List.of(
                        "read", file.toString(), Integer.toString(workload.depth()), Integer.toString(seconds)));
            case WRITE -> {
                runs = passes;
                command.addAll(List.of(
                        "write",
                        folder.resolve("fio").toString(),
                        Integer.toString(workload.block() >> 10),
                        Integer.toString(workload.depth()),
                        Long.toString(workload.fileBytes() >> 20)));
            }
            case SYNCED_WRITE -> command.addAll(List.of("synced", file.toString(), Integer.toString(seconds)));
            default -> throw new IllegalArgumentException("fio has no part in " + workload);
        }
        double operations = 0;
        double millis = 0;
        double cpuMillis = 0;
        for (int i = 0; i < runs; i++) {
            Map<?, ?> job = job(command);
            double ran = number(job, "job_runtime");
            String direction = workload.kind().writes() ? "write" : "read";
            if (!(job.get(direction) instanceof Map<?, ?> moved)) {
                throw new IOException("fio tells nothing of " + direction);
            }
            operations += number(moved, "total_ios");
            millis += ran;
            cpuMillis += (number(job, "usr_cpu") + number(job, "sys_cpu")) / 100 * ran;
        }
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("engine", workload.kind() == Workload.Kind.SYNCED_WRITE ? "psync" : "io_uring");
        values.put("binding", "C");
        values.put("direct_io", workload.isDirect(Contender.FIO));
        values.put(Outcome.RATE, operations / millis * 1000);
        values.put(Outcome.CPU, cpuMillis * 1000 / operations);
        return values;
    }

    private Map<?, ?> job(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        if (status != 0) {
            throw new IOException("fio ended with " + status);
        }
        // What it has to say besides comes first.
        Map<String, Object> json = JSON.std.mapFrom(text.substring(Math.max(0, text.indexOf('{'))));
        if (json.get("jobs") instanceof List<?> jobs && jobs.get(0) instanceof Map<?, ?> job) {
            return job;
        }
        throw new IOException("fio tells of no job");
    }

    private static double number(Map<?, ?> map, String key) throws IOException {
        if (map.get(key) instanceof Number number) {
            return number.doubleValue();
        }
        throw new IOException("fio tells nothing of " + key);
    }
}
