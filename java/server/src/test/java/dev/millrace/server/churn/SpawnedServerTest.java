// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is spawned is awaited, ended and removed, whatever it does; a script stands in for {@code bin/millrace}. */
@Timeout(60)
class SpawnedServerTest {
    private static final String GENERATES = "echo \"$*\" >\"$HERE/generate\"\n";
    private static final String SERVES = """
            echo "$*" >"$HERE/serve"; echo $$ >"$HERE/pid"
            echo "millrace: listening on http://127.0.0.1:4711"
            echo "millrace: ready, 1 timelines attached"
            exec sleep 50
            """;

    @TempDir
    Path folder;

    private Path home;
    private Path work;

    @BeforeEach
    void makeHome() throws IOException {
        home = Files.createDirectories(folder.resolve("home"));
        work = folder.resolve("work");
        Files.createDirectories(home.resolve("bin"));
    }

    private SpawnedServer spawn(String generate, String serve) throws IOException {
        Path script = Files.writeString(
                home.resolve("bin/millrace"),
                "#!/bin/sh\nHERE='" + folder + "'\nif [ \"$1\" = generate ]; then\n" + generate + "else\n" + serve
                        + "fi\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new SpawnedServer(order(Optional.of("http://127.0.0.1:1")), line -> {});
    }

    private SpawnedServer.Order order(Optional<String> s3) {
        return new SpawnedServer.Order(home, work, 7, "2MiB", s3, "bucket");
    }

    private void assertNothingIsLeft() throws IOException {
        try (Stream<Path> left = Files.list(work)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void makesTheDataStartsTheServerAndEndsIt() throws Exception {
        ProcessHandle process;
        try (SpawnedServer server = spawn(GENERATES, SERVES)) {
            assertThat(server.start()).isEqualTo(URI.create("http://127.0.0.1:4711"));
            process = ProcessHandle.of(Long.parseLong(
                            Files.readString(folder.resolve("pid")).strip()))
                    .orElseThrow();
            assertThat(process.isAlive()).isTrue();
        }
        assertThat(process.isAlive()).isFalse();
        assertThat(Files.readString(folder.resolve("generate")))
                .startsWith("generate --remote s3://bucket/ondemand-download-churn/7x2MiB"
                        + " --endpoint-url http://127.0.0.1:1 --path-style --tenant ")
                .contains(" --layers 7 --layer-size 2MiB ");
        assertThat(Files.readString(folder.resolve("serve")))
                .startsWith("serve --data " + work)
                .endsWith(" --listen 127.0.0.1:0\n");
        assertNothingIsLeft();
    }

    @Test
    void aServerThatListensIsAwaitedUntilAllIsAttached() throws Exception {
        String serves = """
                echo "millrace: listening on http://127.0.0.1:4711"
                sleep 0.3
                echo >"$HERE/attached"
                echo "millrace: ready, 1 timelines attached"
                exec sleep 50
                """;
        try (SpawnedServer server = spawn(GENERATES, serves)) {
            assertThat(server.start()).isEqualTo(URI.create("http://127.0.0.1:4711"));
            assertThat(folder.resolve("attached")).exists();
        }
        assertNothingIsLeft();
    }

    @Test
    void theLastWordsOfWhatFailedAreTold() throws Exception {
        try (SpawnedServer server = spawn("echo first >&2; echo 'millrace: no bucket' >&2; exit 1\n", SERVES)) {
            assertThatThrownBy(server::start)
                    .isInstanceOf(ChurnFailure.class)
                    .hasMessage("The data set could not be made: millrace: no bucket");
        }
        assertNothingIsLeft();
        try (SpawnedServer server = spawn(GENERATES, "echo 'millrace: no ring' >&2; exit 1\n")) {
            assertThatThrownBy(server::start).hasMessage("The server did not start: millrace: no ring");
        }
        assertNothingIsLeft();
    }

    @Test
    void whatIsBeingMadeIsEndedAtOnce() throws Exception {
        SpawnedServer server = spawn("echo >\"$HERE/making\"; exec sleep 50\n", SERVES);
        Thread killer = new Thread(() -> {
            while (!Files.exists(folder.resolve("making"))) {
                Thread.onSpinWait();
            }
            server.kill();
        });
        try (server) {
            killer.start();
            assertThatThrownBy(server::start).isInstanceOf(ChurnFailure.class).hasMessage("Interrupted");
        }
        killer.join();
        assertNothingIsLeft();
    }

    @Test
    void aStoreThatIsNotBuiltIsNamed() throws Exception {
        try (SpawnedServer server = new SpawnedServer(order(Optional.empty()), line -> {})) {
            assertThatThrownBy(server::start)
                    .isInstanceOf(ChurnFailure.class)
                    .hasMessageContaining("The embedded S3 lies in " + home)
                    .hasMessageContaining("run make first, or name a store by --s3-endpoint");
        }
        assertNothingIsLeft();
    }
}
