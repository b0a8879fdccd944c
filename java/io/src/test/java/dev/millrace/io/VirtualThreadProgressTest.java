// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Virtual threads that wait for each other on one carrier, in a JVM that has no more of them. */
@Timeout(120)
class VirtualThreadProgressTest {
    @TempDir
    Path folder;

    @Test
    void letsTheirFeederRunWhileReadersWaitOnTheOnlyCarrier() throws Exception {
        Assumptions.assumeTrue(TestEngines.virtualThreads().isPresent(), "this JDK has no virtual threads");
        String output = ChildJvm.run(
                List.of("-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1"),
                OneCarrier.class,
                folder.toString());
        assertThat(output).contains("all went on");
    }
}
