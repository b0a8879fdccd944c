// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokensTest {
    private static final String MANAGER = "manager-token-0123456789";
    private static final String OBSERVER = "observer-token-0123456789";

    @TempDir
    Path folder;

    private Path file(String text) throws IOException {
        Path file = folder.resolve("tokens");
        Files.writeString(file, text);
        return file;
    }

    private static int status(Client client, String method, String path, String... headers) throws Exception {
        return client.send(method, path, "", headers).statusCode();
    }

    @Test
    void nobodyIsLetInWithoutAToken() throws Exception {
        Tokens tokens = Tokens.open(file("# who may what\n" + MANAGER + "\n\n" + OBSERVER + " observe\n"));
        FakeService service = new FakeService();
        try (ManagementServer server = ManagementServer.open(
                ManagementServerTest.config(Optional.of(tokens), false), service, service, registry -> {})) {
            Client client = new Client(server.port());
            for (String path : List.of("/v1/status", "/metrics", "/", "/openapi.json", "/nowhere", "/v1/tenant/x")) {
                HttpResponse<String> response = client.get(path);
                assertThat(response.statusCode()).as(path).isEqualTo(401);
                assertThat(response.headers().firstValue("WWW-Authenticate")).contains("Bearer");
                assertThat(response.headers().firstValue("PAGESERVER_LAUNCH_TIMESTAMP"))
                        .isPresent();
                assertThat(Client.message(response)).contains("Authorization: Bearer");
            }
            String[] wrong = {"Authorization", "Bearer " + MANAGER + "x"};
            String[] other = {"Authorization", "Basic " + MANAGER};
            String[] observer = {"Authorization", "Bearer " + OBSERVER};
            String[] manager = {"Authorization", "bearer " + MANAGER};
            String layer = Client.layers() + "/first";
            assertThat(status(client, "GET", "/v1/status", wrong)).isEqualTo(401);
            assertThat(status(client, "GET", "/v1/status", other)).isEqualTo(401);
            assertThat(status(client, "GET", Client.layers(), observer)).isEqualTo(200);
            assertThat(status(client, "GET", layer, observer)).isEqualTo(403);
            assertThat(status(client, "DELETE", layer, observer)).isEqualTo(403);
            assertThat(status(client, "GET", Client.layers() + "?reset=AllStats", observer))
                    .isEqualTo(403);
            assertThat(status(client, "GET", Client.layers() + "?reset=NoReset", observer))
                    .isEqualTo(200);
            assertThat(service.asked).containsExactly("layers NoReset", "layers NoReset");
            assertThat(status(client, "DELETE", layer, manager)).isEqualTo(200);
            assertThat(status(client, "GET", Client.layers() + "?reset=AllStats", manager))
                    .isEqualTo(200);
        }
    }

    @Test
    void probesMayBeExempt() throws Exception {
        Tokens tokens = Tokens.open(file(MANAGER));
        FakeService service = new FakeService();
        try (ManagementServer server = ManagementServer.open(
                ManagementServerTest.config(Optional.of(tokens), true), service, service, registry -> {})) {
            Client client = new Client(server.port());
            assertThat(status(client, "GET", "/v1/status")).isEqualTo(200);
            assertThat(status(client, "GET", "/metrics")).isEqualTo(200);
            assertThat(status(client, "GET", "/v1/tenant")).isEqualTo(401);
        }
    }

    @Test
    void readsTheFileAgainWhenItHasChanged() throws Exception {
        Path file = file(MANAGER);
        Tokens tokens = Tokens.open(file);
        assertThat(tokens.scopeOf(MANAGER)).contains(Scope.MANAGE);
        // The same length and the same tick: only what is in it differs.
        FileTime before = Files.getLastModifiedTime(file);
        Files.writeString(file, MANAGER.replace('0', '9'));
        Files.setLastModifiedTime(file, before);
        assertThat(tokens.scopeOf(MANAGER)).isEmpty();
        assertThat(tokens.scopeOf(MANAGER.replace('0', '9'))).contains(Scope.MANAGE);
    }

    @Test
    void nobodyIsLetInWhileTheFileSaysNothing() throws Exception {
        Path file = file(MANAGER);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(60)));
        Tokens tokens = Tokens.open(file);
        assertThat(tokens.scopeOf(MANAGER)).isPresent();
        Files.delete(file);
        assertThat(tokens.scopeOf(MANAGER)).isEmpty();
        Files.writeString(file, "short");
        assertThat(tokens.scopeOf(MANAGER)).isEmpty();
        assertThat(tokens.scopeOf("short")).isEmpty();
        Files.writeString(file, MANAGER + " manage");
        assertThat(tokens.scopeOf(MANAGER)).contains(Scope.MANAGE);
    }

    @Test
    void refusesFilesThatHaveNoToken() {
        assertThatThrownBy(() -> Tokens.open(folder.resolve("none"))).hasMessageContaining("does not exist");
        assertThatThrownBy(() -> Tokens.open(folder)).hasMessageContaining("cannot be read");
        assertThatThrownBy(() -> Tokens.open(file("# only this\n"))).hasMessageContaining("has no token");
        assertThatThrownBy(() -> Tokens.open(file("\nshort\n")))
                .hasMessageContaining("Line 2")
                .hasMessageContaining("16");
        assertThatThrownBy(() -> Tokens.open(file(MANAGER + " everything")))
                .hasMessageContaining("everything")
                .hasMessageContaining("observe");
        assertThatThrownBy(() -> Tokens.open(file(MANAGER + " observe now"))).hasMessageContaining("Line 1");
        assertThatThrownBy(() -> Tokens.open(file("x".repeat(100_000)))).hasMessageContaining("bytes");
    }
}
