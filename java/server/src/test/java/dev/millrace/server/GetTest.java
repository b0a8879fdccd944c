// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.Content;
import dev.millrace.testkit.EmbeddedS3;
import dev.millrace.testkit.S3Checksum;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The command against a store that checks signatures. */
@Timeout(120)
class GetTest {
    private static final long BIG = (5L << 20) + 4321;
    private static EmbeddedS3 s3;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() throws IOException {
        s3 = EmbeddedS3.start();
        System.setProperty("aws.accessKeyId", s3.accessKey());
        System.setProperty("aws.secretAccessKey", s3.secretKey());
        System.setProperty("aws.region", s3.region());
        s3.put("bucket", "p/big", Content.pattern(1, BIG), S3Checksum.CRC64NVME);
        s3.put("bucket", "p/small", Content.of("small"), S3Checksum.CRC32C);
        s3.put("bucket", "p/empty", Content.of(""));
        s3.put("bucket", "p/deep/er/file", Content.of("deep"));
        s3.put("bucket", "p/ä ö/日本😀+%2F?#&;.txt", Content.of("strange"));
        s3.put("bucket", "p/a..b", Content.of("dots"));
        s3.createBucket("vacant");
    }

    @AfterAll
    static void stop() throws IOException {
        System.clearProperty("aws.accessKeyId");
        System.clearProperty("aws.secretAccessKey");
        System.clearProperty("aws.region");
        s3.close();
    }

    static Stream<String> engines() {
        return Cli.engines();
    }

    private static Cli get(String... more) {
        return getWithInput("", more);
    }

    private static Cli getWithInput(String input, String... more) {
        List<String> args =
                new ArrayList<>(List.of("get", "--endpoint-url", s3.endpoint().toString(), "--path-style"));
        args.addAll(List.of(more));
        return Cli.runWithInput(input, args.toArray(String[]::new));
    }

    private static Map<String, Long> files(Path below) throws IOException {
        Map<String, Long> all = new TreeMap<>();
        if (Files.exists(below)) {
            try (Stream<Path> walk = Files.walk(below)) {
                for (Path file : walk.filter(Files::isRegularFile).toList()) {
                    all.put(below.relativize(file).toString(), Files.size(file));
                }
            }
        }
        return all;
    }

    private void failsCleanly(Cli cli, int status, String... parts) throws IOException {
        assertThat(cli.status()).as(cli.err()).isEqualTo(status);
        String said = cli.err();
        assertThat(said).startsWith("millrace: ").doesNotContain("\tat ").doesNotContain("Exception");
        assertThat(said.lines()).as(said).hasSize(1);
        assertThat(said).contains(parts);
        assertThat(folder).isEmptyDirectory();
    }

    // ------------------------------------------------------------------ what works

    @ParameterizedTest
    @MethodSource("engines")
    void aPrefixGoesBelowAFolder(String engine) throws IOException {
        Path target = folder.resolve("out");
        Cli cli = get("--engine", engine, "--json", "s3://bucket/p/", target.toString());
        assertThat(cli.status()).as(cli.err()).isZero();
        assertThat(cli.err()).isEmpty();
        assertThat(files(target))
                .containsOnlyKeys("big", "small", "empty", "deep/er/file", "ä ö/日本😀+%2F?#&;.txt", "a..b");
        assertThat(Content.pattern(1, BIG).differenceFrom(target.resolve("big")))
                .isEmpty();
        Map<String, Object> json = cli.json();
        assertThat(json.keySet())
                .containsExactly(
                        "objects",
                        "failed",
                        "bytes",
                        "seconds",
                        "mb_per_s",
                        "cpu_seconds",
                        "process_cpu_seconds",
                        "cpu_seconds_per_gib",
                        "engine",
                        "binding",
                        "direct_io",
                        "huge_pages",
                        "fixed_writes",
                        "plain_writes",
                        "operations_per_turn",
                        "kernel_workers",
                        "verified",
                        "retries");
        assertThat(json).containsEntry("objects", 6).containsEntry("failed", 0).containsEntry("engine", engine);
        assertThat(json).containsEntry("bytes", (int) (BIG + 5 + 4 + 7 + 4)).containsEntry("retries", 0);
        assertThat(((Map<?, ?>) json.get("verified")).containsKey("crc64nvme")).isTrue();
        // Six whole buffers of the big one, the last of them not full, and one for each of the four small ones.
        int writes = ((Number) json.get("fixed_writes")).intValue() + ((Number) json.get("plain_writes")).intValue();
        assertThat(writes).isEqualTo(6 + 4);
        if (engine.equals("io_uring")) {
            assertThat(json).containsEntry("plain_writes", 0).containsEntry("kernel_workers", 0);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void anObjectGoesToAFileOrIntoAFolder(String engine) throws IOException {
        String file = folder.resolve("name").toString();
        Cli cli = get("--engine", engine, "s3://bucket/p/big", file);
        assertThat(cli.status()).as(cli.err()).isZero();
        assertThat(cli.out()).startsWith("1 object, 0 failed, 5.0 MiB in ").contains("engine " + engine);
        assertThat(get("--engine", engine, "s3://bucket/p/big", folder + "/in/").status())
                .isZero();
        assertThat(files(folder)).isEqualTo(Map.of("name", BIG, "in/big", BIG));
    }

    @Test
    void severalGoIntoAFolder() throws IOException {
        Cli cli = get("s3://bucket/p/small", "s3://bucket/p/deep/", "s3://bucket/p/a..b", folder.toString());
        assertThat(cli.status()).as(cli.err()).isZero();
        assertThat(files(folder)).containsOnlyKeys("small", "er/file", "a..b");
    }

    @Test
    void aManifestNamesSourcesAndTargets() throws IOException {
        String manifest = """
                s3://bucket/p/small
                s3://bucket/p/small\tother/name
                s3://bucket/p/deep/\tbelow
                s3://bucket/p/a..b\tin/
                s3://bucket/p/small
                """;
        Path file = folder.resolve("manifest");
        Files.writeString(file, manifest);
        Path target = folder.resolve("out");
        Cli cli = get("--json", "--manifest", file.toString(), target.toString());
        assertThat(cli.status()).as(cli.err()).isZero();
        assertThat(files(target)).containsOnlyKeys("small", "other/name", "below/er/file", "in/a..b");
        assertThat(cli.json()).containsEntry("objects", 5);

        Path again = folder.resolve("again");
        assertThat(getWithInput(manifest, "--manifest", "-", again.toString()).status())
                .isZero();
        assertThat(files(again)).isEqualTo(files(target));
    }

    @Test
    void standardOutputGetsTheBytesAndNothingElse() {
        Cli one = get("s3://bucket/p/big", "-");
        assertThat(one.status()).as(one.err()).isZero();
        assertThat(one.outBytes()).isEqualTo(Content.pattern(1, BIG).toBytes());
        assertThat(one.err()).contains("1 object, 0 failed");
        Cli several = get("--json", "s3://bucket/p/small", "s3://bucket/p/a..b", "-");
        assertThat(several.out()).isEqualTo("smalldots");
        assertThat(several.err()).contains("\"objects\":2");
    }

    @Test
    void aFifoIsWrittenStraight() throws Exception {
        Path fifo = folder.resolve("fifo");
        assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor())
                .isZero();
        Process reader = new ProcessBuilder("cat", fifo.toString()).start();
        Cli cli = get("s3://bucket/p/small", fifo.toString());
        assertThat(cli.status()).as(cli.err()).isZero();
        assertThat(new String(reader.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("small");
        assertThat(Files.isRegularFile(fifo)).isFalse();
        assertThat(cli.out()).contains("1 object, 0 failed");
    }

    @Test
    void aLinkGivenAsTargetIsFollowed() throws IOException {
        Path real = Files.writeString(folder.resolve("real"), "old");
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("real"));
        assertThat(get("s3://bucket/p/small", link.toString()).status()).isZero();
        assertThat(Files.isSymbolicLink(link)).isTrue();
        assertThat(real).hasContent("small");
    }

    @Test
    void aFolderOfBucketsServesAsWell() throws IOException {
        Cli cli = Cli.run(
                "get", "--endpoint-url", s3.folder().toUri().toString(), "s3://bucket/p/", folder.resolve("out") + "/");
        assertThat(cli.status()).as(cli.err()).isZero();
        assertThat(files(folder.resolve("out"))).hasSize(6).containsEntry("big", BIG);
    }

    // ------------------------------------------------------------------ what does not

    @Test
    void whatIsMissingIsNamed() throws IOException {
        failsCleanly(get("s3://bucket/p/none", folder + "/f"), 1, "s3://bucket/p/none", "NoSuchKey");
        failsCleanly(get("s3://nobucket/k", folder + "/f"), 1, "nobucket", "NoSuchBucket");
        failsCleanly(get("s3://nobucket/", folder + "/f/"), 1, "nobucket", "NoSuchBucket");
        failsCleanly(get("s3://vacant", folder + "/f/"), 1, "The bucket s3://vacant/ is empty");
    }

    @Test
    void theSpellingThatWouldHaveWorkedIsSaid() throws IOException {
        failsCleanly(get("s3://bucket/p", folder + "/f"), 1, "NoSuchKey", "write s3://bucket/p/ to have them all");
        failsCleanly(get("s3://bucket/p/small/", folder + "/f/"), 1, "without the slash: write s3://bucket/p/small");
        failsCleanly(get("s3://bucket/P/", folder + "/f/"), 1, "Nothing lies below s3://bucket/P/");
        failsCleanly(get("s3://bucket/p/sm*", folder + "/f"), 1, "s3://bucket/p/sm*", "NoSuchKey");
    }

    @Test
    void wrongCredentialsAreNamed() throws IOException {
        System.setProperty("aws.secretAccessKey", "wrong");
        try {
            failsCleanly(get("s3://bucket/p/small", folder + "/f"), 1, "SignatureDoesNotMatch");
        } finally {
            System.setProperty("aws.secretAccessKey", s3.secretKey());
        }
    }

    @Test
    void wrongUseIsStatusTwo() throws IOException {
        failsCleanly(get(), 2, "SOURCE... DEST");
        failsCleanly(get("s3://bucket/k"), 2, "DEST is missing");
        failsCleanly(get("f"), 2, "A SOURCE is missing");
        failsCleanly(get("bucket/k", folder.toString()), 2, "'bucket/k' is no source");
        failsCleanly(get("s3://bucket/k", "s3://bucket/l"), 2, "is in a store");
        failsCleanly(get("--engine", "fast", "s3://bucket/k", "f"), 2, "there is no engine fast");
        failsCleanly(get("--concurrency", "0", "s3://bucket/k", "f"), 2, "between 1 and 1000");
        failsCleanly(get("--concurrency", "x", "s3://bucket/k", "f"), 2, "--concurrency");
        failsCleanly(get("--nonsense", "s3://bucket/k", "f"), 2, "--nonsense");
        failsCleanly(get("--manifest", "m", "s3://bucket/k", "f"), 2, "not from both");
        failsCleanly(Cli.run("get", "--endpoint-url", "ftp://x", "s3://b/k", "f"), 2, "ftp://x");
        failsCleanly(Cli.run("get", "--endpoint-url", "http//x", "s3://b/k", "f"), 2, "http//x");
        failsCleanly(Cli.run(), 2, "A command is missing: get, layer, doctor, serve, generate or bench");
        failsCleanly(Cli.run("put"), 2, "put");
    }

    @Test
    void badManifestsAreNamedBeforeAnythingIsFetched() throws IOException {
        failsCleanly(
                getWithInput("s3://bucket/p/small\nnonsense\n", "--manifest", "-", folder + "/out"),
                1,
                "Line 2 of the manifest from standard input is bad");
        failsCleanly(get("--manifest", folder + "/none", folder + "/out"), 1, "cannot be read", "no such file");
    }

    @Test
    void targetsThatCannotBeAreNamed(@TempDir Path other) throws IOException {
        Path directory = Files.createDirectory(other.resolve("dir"));
        failsCleanly(get("s3://bucket/p/small", directory.toString()), 1, "is a folder: write " + directory + "/");
        failsCleanly(get("s3://bucket/p/", "/dev/null"), 1, "/dev/null is a device, FIFO or socket");
        Path file = Files.writeString(other.resolve("file"), "old");
        failsCleanly(get("s3://bucket/p/", file.toString()), 1, "is a file, and this download needs a folder");
        failsCleanly(get("s3://bucket/p/small", file + "/x"), 1, file.toString());
        failsCleanly(get("s3://bucket/p/small", "a\0b"), 1, "is no path here");
        assertThat(file).hasContent("old");
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void aFolderThatMayNotBeWrittenIsNamed(@TempDir Path other) throws IOException {
        Path locked = Files.createDirectory(
                other.resolve("locked"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-xr-xr-x")));
        Assumptions.assumeFalse(Files.isWritable(locked), "this user may write everywhere (is it root?)");
        failsCleanly(get("s3://bucket/p/small", locked + "/f"), 1, locked.toString(), "permission denied");
    }

    @Test
    void failedObjectsAreNamedAndCountedAndTheRestArrives() throws IOException {
        Cli cli = get("--json", "s3://bucket/p/small", "s3://bucket/none", "s3://bucket/p/a..b", folder.toString());
        assertThat(cli.status()).isEqualTo(1);
        assertThat(cli.json()).containsEntry("objects", 2).containsEntry("failed", 1);
        assertThat(cli.err().lines()).hasSize(1);
        assertThat(cli.err()).contains("s3://bucket/none");
        assertThat(files(folder)).containsOnlyKeys("small", "a..b");
    }

    @Test
    void twoSourcesOfOneNameAreNoSilentLoss() throws IOException {
        s3.put("bucket", "q/small", Content.of("another"));
        Cli cli = get("s3://bucket/p/small", "s3://bucket/q/", folder.toString());
        assertThat(cli.status()).isEqualTo(1);
        assertThat(cli.err()).contains("s3://bucket/q/small").contains("another source");
        assertThat(folder.resolve("small")).hasContent("small");
    }

    @Test
    void stackTracesComeOnDemandOnly() {
        Cli cli = get("--verbose", "s3://bucket/p/none", folder + "/f");
        assertThat(cli.status()).isEqualTo(1);
        assertThat(cli.err()).contains("\tat dev.millrace.");
    }
}
