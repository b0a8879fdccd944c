// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application server's way with classes: several loaders in one JVM, each dropped and made anew. */
class ClassLoadersTest {
    @TempDir
    Path folder;

    @Test
    void servesTwoLoadersAtOnceAndLetsADroppedOneGo() throws Exception {
        assertThat(rounds(5)).contains("two at once").contains("collected 5 of 5");
    }

    @Test
    @Tag("slow")
    void letsAHundredDroppedOnesGo() throws Exception {
        assertThat(rounds(100)).contains("two at once").contains("collected 100 of 100");
    }

    private String rounds(int count) throws Exception {
        return ChildJvm.run(
                List.of("-Xmx128m"),
                LoaderRounds.class,
                String.valueOf(count),
                folder.toString(),
                TestEngines.binding());
    }

    @Test
    void initialisesFromSixteenThreadsAtOnce() throws Exception {
        assertThat(together(20)).contains("20 of 20 agreed");
    }

    @Test
    @Tag("slow")
    void initialisesFromSixteenThreadsAtOnceFiveHundredTimes() throws Exception {
        assertThat(together(500)).contains("500 of 500 agreed");
    }

    private static String together(int count) throws Exception {
        return ChildJvm.run(
                List.of("-Xmx128m"), LoaderRounds.class, String.valueOf(count), "together", TestEngines.binding());
    }
}
