// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.SystemProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorTest {
    @TempDir
    Path folder;

    @Test
    void saysTheSameToPeopleAndPrograms() {
        Cli text = Cli.run("doctor", folder.toString());
        Cli json = Cli.run("doctor", "--json", folder.toString());
        assertThat(text.status()).as(text.err()).isZero();
        assertThat(json.status()).as(json.err()).isZero();
        assertThat(text.err()).isEmpty();
        Map<String, Object> facts = json.json();
        assertThat(facts)
                .containsKeys(
                        "kernel",
                        "java",
                        "native_library",
                        "engine",
                        "binding",
                        "engine_notes",
                        "huge_pages",
                        "rings",
                        "engine_switches",
                        "kernel_workers",
                        "direct_io",
                        "file_system",
                        "remedies");
        assertThat(text.out())
                .contains("engine:            " + facts.get("engine") + " through " + facts.get("binding"))
                .contains("direct I/O:")
                .contains("system:");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void agreesWithTheProbe() {
        Optional<SystemProbe> probe = SystemProbe.run(Optional.empty());
        Map<String, Object> facts =
                Cli.run("doctor", "--json", folder.toString()).json();
        assertThat(facts).containsEntry("native_library", probe.isPresent());
        if (probe.isPresent()) {
            assertThat(facts)
                    .containsEntry("io_uring_allowed", probe.get().uringAllowed())
                    .containsEntry("kernel_io_uring_disabled", probe.get().uringDisabled());
            assertThat(facts.get("engine")).isEqualTo(probe.get().uringAllowed() ? "io_uring" : "epoll");
            assertThat(probe.get().pageSize()).isEqualTo(4096);
            assertThat(probe.get().uringAllowed())
                    .isEqualTo(probe.get().uringRefusal().isEmpty());
        }
    }

    @Test
    void withTheSwitchOffItSaysSoAndTakesTheNextBest() {
        System.setProperty("millrace.io_uring", "off");
        try {
            Map<String, Object> facts =
                    Cli.run("doctor", "--json", folder.toString()).json();
            assertThat(facts.get("engine")).isNotEqualTo("io_uring");
            if (Boolean.TRUE.equals(facts.get("native_library"))) {
                assertThat(facts).containsEntry("io_uring_asked", false).containsEntry("io_uring_allowed", false);
                assertThat(facts.get("engine_notes").toString()).contains("switched off");
            }
        } finally {
            System.clearProperty("millrace.io_uring");
        }
    }

    @Test
    void aFolderThatIsNotThereIsNamed() throws IOException {
        Cli missing = Cli.run("doctor", folder.resolve("none").toString());
        assertThat(missing.status()).isEqualTo(1);
        assertThat(missing.err()).contains("none does not exist");
        Path file = Files.writeString(folder.resolve("file"), "x");
        assertThat(Cli.run("doctor", file.toString()).err()).contains("is no folder");
    }
}
