// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.Content;
import dev.millrace.testkit.Fault;
import dev.millrace.testkit.ListingQuirk;
import dev.millrace.testkit.Request;
import dev.millrace.testkit.ScriptedObject;
import dev.millrace.testkit.ScriptedServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The command against a store with any keys and any manners. */
@Timeout(120)
class GetBadStoreTest {
    @TempDir
    Path folder;

    private ScriptedServer server;

    @BeforeEach
    void start() throws IOException {
        server = ScriptedServer.start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Cli get(String... more) {
        List<String> args = new ArrayList<>(List.of(
                "get",
                "--endpoint-url",
                server.endpoint().toString(),
                "--path-style",
                "--no-sign-request",
                "--region",
                "us-east-1"));
        args.addAll(List.of(more));
        return Cli.run(args.toArray(String[]::new));
    }

    private Set<String> files() throws IOException {
        try (Stream<Path> walk = Files.walk(folder)) {
            Set<String> all = new TreeSet<>();
            walk.filter(path -> !path.equals(folder))
                    .forEach(path -> all.add(folder.relativize(path) + (Files.isDirectory(path) ? "/" : "")));
            return all;
        }
    }

    @Test
    void keysThatCannotBeFilesAreRefusedByNameAndTheRestGoesOn() throws IOException {
        String tooLong = "x".repeat(256);
        for (String key : List.of(
                "good",
                "sub/good",
                "../evil",
                "a/../../evil",
                "./dot",
                "a//b",
                "/lead",
                "a/b/..",
                tooLong + "/y",
                ".0123456789abcdef0123456789abcdef.millrace-part",
                "nul\0char",
                "file",
                "file/below",
                "marker/",
                "full/",
                "a..b",
                "new\nline",
                "esc\u001b[31m")) {
            server.put("b", "p/" + key, Content.of(key.equals("marker/") ? "" : key));
        }
        Cli cli = get("s3://b/p/", folder.toString());
        assertThat(cli.status()).isEqualTo(1);
        assertThat(files())
                .containsExactlyInAnyOrder(
                        "good", "sub/", "sub/good", "file", "marker/", "a..b", "new\nline", "esc\u001b[31m");
        assertThat(folder.resolveSibling("evil")).doesNotExist();
        assertThat(cli.err().lines()).as(cli.err()).hasSize(11).allMatch(line -> line.startsWith("millrace: "));
        assertThat(cli.err())
                .contains("s3://b/p/../evil", "s3://b/p/a//b", "s3://b/p//lead", "s3://b/p/full/", "256 bytes", "NUL")
                .doesNotContain("\0")
                .doesNotContain("\u001b");
        assertThat(cli.out()).startsWith("7 objects, 11 failed");
    }

    @Test
    void theVeryKeyIsAskedFor() throws IOException {
        List<String> keys =
                List.of("//x", "/lead/x", "a/./x", "a/../x", "a//x", "a+x", "a%2Bx", "a x", "a?x", "a#x", "ä😀");
        for (String key : keys) {
            server.put("b", key, Content.of(key));
        }
        for (String key : keys) {
            Cli cli = get("s3://b/" + key, folder.resolve("f").toString());
            assertThat(cli.status()).as(cli.err()).isZero();
            assertThat(folder.resolve("f")).hasContent(key);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ListingQuirk.class,
            names = {"UNORDERED", "REPEATED", "NO_V2", "NO_ENCODING"})
    void listingsOfOtherMannersAreRead(ListingQuirk quirk) throws IOException {
        server.pageSize(3).listing(quirk);
        for (int i = 0; i < 10; i++) {
            server.put("b", "p/k" + i, Content.of("v" + i));
        }
        Cli cli = get("s3://b/p/", folder.toString());
        assertThat(cli.status()).as(cli.err()).isZero();
        assertThat(cli.out()).startsWith("10 objects, 0 failed");
        assertThat(files()).hasSize(10);
    }

    @ParameterizedTest
    @EnumSource(
            value = ListingQuirk.class,
            names = {"NO_TOKEN", "SAME_TOKEN"})
    void listingsWithoutEndAreErrorsInBoundedRequests(ListingQuirk quirk) {
        server.pageSize(3).listing(quirk);
        for (int i = 0; i < 10; i++) {
            server.put("b", "p/k" + i, Content.of("v" + i));
        }
        Cli cli = get("s3://b/p/", folder.toString());
        assertThat(cli.status()).isEqualTo(1);
        assertThat(cli.err()).containsPattern("makes no sense|in a circle");
        assertThat(server.requests(Request::isList)).hasSizeLessThan(5);
    }

    @Test
    void thousandsOfSmallObjects() throws IOException {
        server.pageSize(100);
        for (int i = 0; i < 2000; i++) {
            server.put("b", "p/" + i % 7 + "/k" + i, Content.of("v" + i));
        }
        Cli cli = get("--json", "--concurrency", "64", "s3://b/p/", folder.toString());
        assertThat(cli.status()).as(cli.err()).isZero();
        assertThat(cli.json()).containsEntry("objects", 2000).containsEntry("failed", 0);
        assertThat(files()).hasSize(2007);
    }

    @Test
    void retriesAreCounted() {
        server.put("b", "k", Content.pattern(1, 3 << 20));
        server.onAny().once().then(new Fault.ResetAfter(1 << 20));
        Cli cli = get("--json", "s3://b/k", folder.resolve("k").toString());
        assertThat(cli.status()).as(cli.err()).isZero();
        assertThat(cli.json()).containsEntry("retries", 1).containsEntry("bytes", 3 << 20);
    }

    @Test
    void aLyingListingIsFoundOut() throws IOException {
        server.put("b", "p/short", ScriptedObject.of(Content.of("12345")).withListedSize(9));
        Cli cli = get("s3://b/p/", folder.toString());
        assertThat(cli.status()).isEqualTo(1);
        assertThat(cli.err()).contains("s3://b/p/short");
        assertThat(files()).isEmpty();
    }

    @Test
    void noLinkOutOfTheTargetIsFollowed(@TempDir Path elsewhere) throws IOException {
        Files.createSymbolicLink(folder.resolve("out"), elsewhere);
        server.put("b", "p/out/file", Content.of("x")).put("b", "p/good", Content.of("y"));
        Cli cli = get("s3://b/p/", folder.toString());
        assertThat(cli.status()).isEqualTo(1);
        assertThat(cli.err()).contains("symbolic link out of the target");
        assertThat(elsewhere).isEmptyDirectory();
        assertThat(folder.resolve("good")).exists();
    }

    @Test
    void nothingIsLeftOfAFolderForWhichNothingCame() throws IOException {
        server.put("b", "p/x/y", Content.of("12345"));
        server.onAny().skip(1).then(Fault.forbidden("AccessDenied"));
        Cli cli = get("s3://b/p/", folder.resolve("new/er").toString());
        assertThat(cli.status()).isEqualTo(1);
        assertThat(cli.err()).contains("AccessDenied");
        assertThat(files()).isEmpty();
    }

    @Test
    void anEndpointThatDoesNotAnswerIsNamed() throws IOException {
        String gone = server.endpoint().toString();
        server.close();
        Cli cli = get("s3://b/k", folder.resolve("k").toString());
        assertThat(cli.status()).isEqualTo(1);
        assertThat(cli.err().lines().reduce((first, last) -> last).orElse(""))
                .contains(gone)
                .contains("Connection refused");
        assertThat(files()).isEmpty();
    }
}
