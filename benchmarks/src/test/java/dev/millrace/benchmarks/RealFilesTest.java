// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RealFilesTest {
    private static final int MIB = 1 << 20;

    @TempDir
    Path folder;

    private void file(String name, int bytes) throws IOException {
        Path path = folder.resolve(name);
        Files.createDirectories(path.getParent());
        Files.write(path, new byte[bytes]);
    }

    private List<RealFiles.Sample> collect(long wanted, int objects) throws IOException {
        return RealFiles.collect(folder.resolve("jvm/jdk"), folder.resolve("m2"), wanted, objects);
    }

    @Test
    void shouldTakeModulesAndJarsFirstAndNoMoreThanIsWanted() throws IOException {
        file("jvm/jdk/lib/modules", 3 * MIB);
        file("jvm/jdk/lib/other", MIB);
        file("m2/a/a.jar", MIB);
        file("m2/a/a.pom", MIB);
        file("m2/a/small.jar", 1000);
        file("m2/own-SNAPSHOT.jar", MIB);
        file("m2/z.jar", MIB);
        assertThat(collect(4 * MIB, 2))
                .extracting(RealFiles.Sample::key)
                .containsExactly("jdk/lib/modules", "maven/a/a.jar");
        assertThat(collect(6 * MIB, 2))
                .extracting(RealFiles.Sample::key)
                .containsExactly("jdk/lib/modules", "maven/a/a.jar", "maven/z.jar", "jdk/lib/other");
    }

    @Test
    void shouldTakeFilesAgainUnderOtherKeysWhereThereAreTooFew() throws IOException {
        file("jvm/jdk/lib/modules", MIB);
        file("m2/a.jar", MIB);
        assertThat(collect(MIB, 5))
                .extracting(RealFiles.Sample::key)
                .containsExactly(
                        "jdk/lib/modules",
                        "maven/a.jar",
                        "copy-2/jdk/lib/modules",
                        "copy-2/maven/a.jar",
                        "copy-3/jdk/lib/modules");
    }

    @Test
    void shouldSayWhereItLookedInVain() throws IOException {
        Files.createDirectories(folder.resolve("jvm/jdk"));
        assertThatThrownBy(() -> collect(MIB, 1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("There are no files")
                .hasMessageContaining("m2");
    }
}
