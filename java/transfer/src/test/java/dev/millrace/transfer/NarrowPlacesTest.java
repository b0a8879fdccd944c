// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.S3Checksum;
import dev.millrace.testkit.ScriptedObject;
import dev.millrace.testkit.ScriptedServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Downloads where there is little of something: descriptors, memory, rights, addresses that answer; and a very large one. */
@Timeout(180)
final class NarrowPlacesTest {
    private static final int OBJECTS = 300;
    private static final int SIZE = 100_000;
    private static final int MIB = 1 << 20;

    @TempDir
    Path folder;

    static List<EngineKind> engines() {
        return Engines.working().toList();
    }

    static List<EngineKind> mainEngine() {
        return engines().subList(0, 1);
    }

    static List<EngineKind> otherEngines() {
        return engines().subList(1, engines().size());
    }

    /**
     * Downloads {@code <endpoint> <folder> <engine> <objects>} and prints how it ended: a line for each call of the fatal
     * handler, a line for each failure, and the high-water mark of memory last.
     */
    public static final class Getter {
        private Getter() {}

        public static void main(String[] arguments) throws Exception {
            int objects = Integer.parseInt(arguments[3]);
            try (S3Source source = Rig.source(URI.create(arguments[0]));
                    IoEngine engine = IoEngine.open(IoEngineConfig.defaults()
                            .withEngine(EngineKind.valueOf(arguments[2]))
                            .withPool(16, MIB));
                    Downloader downloader = Downloader.open(
                            engine,
                            source,
                            DownloaderConfig.defaults()
                                    .withFatalHandler(fatal -> System.out.println("FATAL " + fatal.getMessage())))) {
                List<CompletableFuture<DownloadResult>> all = new ArrayList<>();
                for (int i = 0; i < objects; i++) {
                    all.add(downloader.download(DownloadRequest.of(
                            Rig.id("key" + i), Path.of(arguments[1]).resolve("out" + i))));
                }
                for (CompletableFuture<DownloadResult> download : all) {
                    try {
                        System.out.println("retries " + Rig.await(download).retries());
                    } catch (IOException e) {
                        System.out.println("FAILED " + e.getMessage());
                    }
                }
            }
            Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("VmHWM"))
                    .forEach(System.out::println);
        }
    }

    private static List<String> run(List<String> before, List<String> options, String... arguments) throws Exception {
        ProcessBuilder builder = ChildJvm.of(Getter.class, arguments);
        builder.command().addAll(1, options);
        builder.command().addAll(0, before);
        Process process = builder.redirectErrorStream(true).start();
        List<String> said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(String.join("\n", said)).isZero();
        return said;
    }

    private static ScriptedServer store(int objects, long size) throws IOException {
        ScriptedServer server = ScriptedServer.start();
        for (int i = 0; i < objects; i++) {
            server.put(
                    Rig.BUCKET,
                    "key" + i,
                    ScriptedObject.of(Content.pattern(i, size)).withChecksum(S3Checksum.CRC32C));
        }
        return server;
    }

    private void assertAllThere(List<String> said, int objects, long size) throws IOException {
        assertThat(said).as(String.join("\n", said)).noneMatch(line -> line.startsWith("FAILED"));
        for (int i = 0; i < objects; i++) {
            Rig.assertSame(folder.resolve("out" + i), Content.pattern(i, size));
        }
    }

    @Tag("slow")
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("otherEngines")
    void shouldDownloadHundredsWith256DescriptorsOnTheOtherEngines(EngineKind kind) throws Exception {
        shouldDownloadHundredsWith256Descriptors(kind);
    }

    @ParameterizedTest
    @MethodSource("mainEngine")
    void shouldDownloadHundredsWith256Descriptors(EngineKind kind) throws Exception {
        try (ScriptedServer server = store(OBJECTS, SIZE)) {
            List<String> said = run(
                    List.of("sh", "-c", "ulimit -n 256; exec \"$@\"", "limited"),
                    List.of(),
                    server.endpoint().toString(),
                    folder.toString(),
                    kind.name(),
                    Integer.toString(OBJECTS));
            assertAllThere(said, OBJECTS, SIZE);
        }
    }

    @Tag("slow")
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("otherEngines")
    void shouldLiveIn192MebibytesOfMemoryOnTheOtherEngines(EngineKind kind) throws Exception {
        shouldLiveIn192MebibytesOfMemory(kind);
    }

    @ParameterizedTest
    @MethodSource("mainEngine")
    void shouldLiveIn192MebibytesOfMemory(EngineKind kind) throws Exception {
        try (ScriptedServer server = store(64, 4 * MIB)) {
            List<String> said = run(
                    List.of(),
                    List.of("-Xmx40m", "-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=32m"),
                    server.endpoint().toString(),
                    folder.toString(),
                    kind.name(),
                    "64");
            assertAllThere(said, 64, 4 * MIB);
            String mark = said.get(said.size() - 1);
            assertThat(Long.parseLong(mark.replaceAll("\\D", "")) >> 10)
                    .as(mark)
                    .isLessThanOrEqualTo(192);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldTellTheFatalHandlerOfAReadOnlyFileSystem(EngineKind kind) throws Exception {
        String readOnly = "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"";
        List<String> before = List.of("unshare", "-rm", "sh", "-c", readOnly, folder.toString());
        List<String> trial = new ArrayList<>(before);
        trial.add("true");
        Assumptions.assumeTrue(
                new ProcessBuilder(trial)
                                .redirectErrorStream(true)
                                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                                .start()
                                .waitFor()
                        == 0,
                "no mount of one's own can be made here");
        try (ScriptedServer server = store(1, SIZE)) {
            List<String> said =
                    run(before, List.of(), server.endpoint().toString(), folder.toString(), kind.name(), "1");
            assertThat(said.stream().filter(line -> line.startsWith("FATAL"))).hasSize(1);
            assertThat(said).anyMatch(line -> line.startsWith("FAILED") && line.contains("key0"));
            assertThat(folder).isEmptyDirectory();
        }
    }

    /** The first address of the host takes no connection and refuses none, as IPv6 without a route does. */
    @Test
    void shouldGoToTheNextAddressOfAHost() throws Exception {
        InetAddress hole = InetAddress.getByName("127.0.0.2");
        List<Socket> fillers = new ArrayList<>();
        try (ScriptedServer server = store(3, SIZE);
                ServerSocket deaf = new ServerSocket()) {
            int port = server.endpoint().getPort();
            Assumptions.assumeTrue(
                    server.endpoint().getHost().equals("127.0.0.1"), "the store listens on more than 127.0.0.1");
            deaf.bind(new InetSocketAddress(hole, port), 1);
            Assumptions.assumeTrue(fill(new InetSocketAddress(hole, port), fillers), "connections are taken for ever");
            Path hosts = Files.writeString(folder.resolve("hosts"), "127.0.0.2 store.test\n127.0.0.1 store.test\n");
            List<String> said = run(
                    List.of(),
                    List.of("-Djdk.net.hosts.file=" + hosts),
                    "http://store.test:" + port,
                    folder.toString(),
                    EngineKind.BLOCKING.name(),
                    "3");
            assertAllThere(said, 3, SIZE);
            assertThat(said.stream().filter(line -> line.startsWith("retries")))
                    .as(String.join("\n", said))
                    .hasSize(3)
                    .contains("retries 1") // one that came late may know already
                    .isSubsetOf("retries 0", "retries 1");
        } finally {
            for (Socket filler : fillers) {
                filler.close();
            }
        }
    }

    private static boolean fill(InetSocketAddress address, List<Socket> fillers) throws IOException {
        for (int i = 0; i < 16; i++) {
            Socket socket = new Socket();
            fillers.add(socket);
            try {
                socket.connect(address, 300);
            } catch (SocketTimeoutException full) {
                return true;
            }
        }
        return false;
    }

    @ParameterizedTest
    @MethodSource("engines")
    @Tag("slow")
    void shouldDownloadFiveGibibytes(EngineKind kind) throws Exception {
        long size = (5L << 30) + 4097;
        Assumptions.assumeTrue(
                Files.getFileStore(folder).getUsableSpace() > 2 * size, "there is no room for 5 GiB here");
        Content content = Content.zeros(size);
        try (ScriptedServer server = ScriptedServer.start();
                S3Source source = Rig.source(server.endpoint());
                IoEngine engine =
                        IoEngine.open(IoEngineConfig.defaults().withEngine(kind).withPool(16, MIB));
                Downloader downloader = Downloader.open(engine, source, DownloaderConfig.defaults())) {
            server.put(Rig.BUCKET, "key", ScriptedObject.of(content));
            Path target = folder.resolve("out");
            DownloadResult result = downloader
                    .download(DownloadRequest.of(Rig.id("key"), target))
                    .get(150, TimeUnit.SECONDS);
            assertThat(result.bytes()).isEqualTo(size);
            Rig.assertSame(target, content);
        }
    }
}
