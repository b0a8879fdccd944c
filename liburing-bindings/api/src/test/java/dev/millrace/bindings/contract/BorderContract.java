// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.bindings.BindingUnavailableException;
import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.NativeConstants;
import dev.millrace.bindings.NativeIo;
import dev.millrace.bindings.NativeIoProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The border, crossed by every kind of call: what each binding must do alike. */
public abstract class BorderContract {
    private static final int LAZY_SMALL = 1 | 2;
    private static final long SCRATCH = 64 << 10;
    private static final int NOP = 0;
    private static final int TIMEOUT = 18;
    private static final int ETIME = 62;

    @TempDir
    Path folder;

    /** A provider of the binding under test, of these or of other classes. */
    protected abstract NativeIoProvider provider();

    /** What native images are told of the binding, generated from the list of functions. */
    protected abstract String metadata();

    private String binding() {
        return provider().name();
    }

    private NativeIo nativeIo;
    private NativeConstants constants;
    private long memory;
    private ByteBuffer view;

    @BeforeEach
    void load() {
        Bindings bindings = Bindings.load(Optional.of(binding()));
        assertThat(bindings.nativeIo()).as(bindings.reasons()).isPresent();
        nativeIo = bindings.nativeIo().orElseThrow();
        constants = bindings.constants().orElseThrow();
        memory = nativeIo.memoryMap(SCRATCH, LAZY_SMALL);
        assertThat(memory).isPositive();
        view = nativeIo.view(memory, (int) SCRATCH);
    }

    @AfterEach
    void unmap() {
        if (memory > 0) {
            assertThat(nativeIo.memoryUnmap(memory, SCRATCH)).isZero();
        }
    }

    private long text(int at, String text) {
        view.put(at, text.getBytes(StandardCharsets.UTF_8));
        view.put(at + text.getBytes(StandardCharsets.UTF_8).length, (byte) 0);
        return memory + at;
    }

    @Test
    void shakesHands() {
        assertThat(nativeIo.binding()).isEqualTo(binding());
        assertThat(nativeIo.abiVersion()).isEqualTo(NativeConstants.ABI_VERSION);
        assertThat(nativeIo.constant(9999)).isEqualTo(Long.MIN_VALUE);
        assertThat(constants.opSize).isEqualTo(64);
        assertThat(constants.completionSize).isEqualTo(16);
        assertThat(constants.oCreat).isPositive();
        assertThat(constants.oDirect).isPositive().isNotEqualTo(constants.oDirectory);
    }

    @Test
    void seesNativeMemoryBothWays() {
        assertThat(memory % (2 << 20)).isZero();
        assertThat(view.isDirect()).isTrue();
        assertThat(view.order()).isEqualTo(ByteOrder.nativeOrder());
        assertThat(view.capacity()).isEqualTo((int) SCRATCH);
        assertThat(view.get(100)).isZero();
        view.putLong(800, 0x0102030405060708L);
        assertThat(nativeIo.view(memory + 800, 8).getLong(0)).isEqualTo(0x0102030405060708L);
        assertThat(nativeIo.memoryDiscard(memory, SCRATCH)).isZero();
        assertThat(view.getLong(800)).as("given back, and still readable").isZero();
        assertThat(nativeIo.memoryHugeBytes(memory, SCRATCH)).isNotNegative();
    }

    @Test
    void refusesMemoryThatNobodyHas() {
        assertThat(nativeIo.memoryMap(-1, LAZY_SMALL)).isNegative();
        assertThat(nativeIo.memoryMap(1L << 60, LAZY_SMALL)).isNegative();
    }

    @Test
    void checksums() {
        long nine = text(0, "123456789");
        assertThat(nativeIo.crc64nvme(0, nine, 9)).isEqualTo(0xAE8B14860A799888L);
        assertThat(nativeIo.crc64nvme(nativeIo.crc64nvme(0, nine, 4), nine + 4, 5))
                .isEqualTo(0xAE8B14860A799888L);
        assertThat(nativeIo.crc64nvme(5, nine, 0)).isEqualTo(5);
    }

    @Test
    void namesErrnos() {
        assertThat(errnoName(2)).isEqualTo("ENOENT");
        assertThat(errnoName(28)).isEqualTo("ENOSPC");
        assertThat(errnoName(125)).isEqualTo("ECANCELED");
        assertThat(nativeIo.errnoName(99999, memory, 64)).isZero();
    }

    private String errnoName(int errno) {
        int length = nativeIo.errnoName(errno, memory, 64);
        byte[] name = new byte[length];
        view.get(0, name);
        assertThat(view.get(length)).isZero();
        return new String(name, StandardCharsets.US_ASCII);
    }

    @Test
    void carriesBlockingCalls() throws Exception {
        Path path = folder.resolve("caf\u00e9");
        long name = text(0, path.toString());
        assertThat(nativeIo.open(name, constants.oRdonly, 0)).isEqualTo(-2);
        int fd = nativeIo.open(name, constants.oRdwr | constants.oCreat | constants.oExcl, 0600);
        assertThat(fd).isPositive();
        text(4096, "hello");
        assertThat(nativeIo.pwrite(fd, memory + 4096, 5, 7)).isEqualTo(5);
        assertThat(nativeIo.pread(fd, memory + 8192, 100, 0)).isEqualTo(12);
        assertThat(view.get(8192 + 7)).isEqualTo((byte) 'h');
        assertThat(nativeIo.fsync(fd)).isZero();
        assertThat(nativeIo.fdatasync(fd)).isZero();
        assertThat(nativeIo.fallocate(fd, 0, 0, 9000)).isIn(0, -95);
        assertThat(nativeIo.ftruncate(fd, 20)).isZero();
        assertThat(nativeIo.fchmod(fd, 0640)).isZero();
        assertThat(nativeIo.tryLock(fd)).isZero();
        long stat = memory + 16384;
        assertThat(nativeIo.statx(fd, 0, stat)).isZero();
        assertThat(view.getLong(16384)).as("size").isEqualTo(20);
        assertThat(view.getLong(16384 + 8) & 0777).as("mode").isEqualTo(0640);
        assertThat(nativeIo.statx(0, name, stat + 512)).isZero();
        assertThat(view.getLong(16384 + 512 + 24)).as("inode").isEqualTo(view.getLong(16384 + 24));
        assertThat(nativeIo.close(fd)).isZero();
        assertThat(nativeIo.close(fd)).isEqualTo(-9);
        assertThat(nativeIo.pread(fd, memory, 1, 0)).isEqualTo(-9);
        long to = text(1024, folder.resolve("b").toString());
        assertThat(nativeIo.rename(name, to, 0)).isZero();
        assertThat(nativeIo.unlink(to, 0)).isZero();
        assertThat(nativeIo.mkdir(to, 0700)).isZero();
        assertThat(nativeIo.unlink(to, 1)).isZero();
        assertThat(nativeIo.freeBytes(text(0, folder.toString()))).isPositive();
        try (var left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void turnsAnEngine(int kind) {
        int report = 64;
        view.putInt(0, kind);
        view.putInt(4, 32);
        view.putInt(8, 1);
        view.putInt(12, 1);
        view.putInt(16, 0);
        view.putInt(20, 0);
        long engine = nativeIo.engineCreate(memory, memory + report);
        if (engine < 0) {
            Assumptions.abort("engine " + kind + " is refused with errno " + view.getInt(report + 32));
        }
        assertThat(view.getInt(report)).isEqualTo(kind);
        int ops = 4096;
        int completions = 8192;
        for (int i = 0; i < 3; i++) {
            op(ops + i * constants.opSize, NOP, 0, 100 + i);
        }
        int seen = 0;
        int got = nativeIo.engineTurn(engine, memory + ops, 3, memory + completions, 64, -1);
        while (seen < 3) {
            assertThat(got).isPositive();
            for (int i = 0; i < got; i++) {
                int at = completions + i * constants.completionSize;
                assertThat(view.getLong(at + constants.completionToken)).isBetween(100L, 102L);
                assertThat(view.getInt(at + constants.completionResult)).isZero();
                seen++;
            }
            got = seen < 3 ? nativeIo.engineTurn(engine, 0, 0, memory + completions, 64, -1) : 0;
        }
        op(ops, TIMEOUT, 1000, 7);
        assertThat(nativeIo.engineTurn(engine, memory + ops, 1, memory + completions, 64, -1))
                .isEqualTo(1);
        assertThat(view.getInt(completions + constants.completionResult)).isEqualTo(-ETIME);
        assertThat(nativeIo.engineWake(engine)).isZero();
        assertThat(nativeIo.engineTurn(engine, 0, 0, memory + completions, 64, -1))
                .as("a wake-up ends the wait")
                .isZero();
        assertThat(nativeIo.engineStats(engine, memory + report)).isZero();
        assertThat(view.getLong(report + 16)).as("submitted").isEqualTo(4);
        assertThat(view.getLong(report + 24)).as("completed").isEqualTo(4);
        assertThat(nativeIo.engineSampleWorkers(engine)).isNotNegative();
        assertThat(nativeIo.engineDestroy(engine)).isZero();
    }

    private void op(int at, int code, long offset, long token) {
        for (int i = 0; i < constants.opSize; i += 8) {
            view.putLong(at + i, 0);
        }
        view.putShort(at + constants.opCode, (short) code);
        view.putLong(at + constants.opOffset, offset);
        view.putLong(at + constants.opToken, token);
    }

    @Test
    void refusesAnEngineThatDoesNotExist() {
        view.putInt(0, 77);
        view.putInt(4, 32);
        view.putInt(8, 1);
        assertThat(nativeIo.engineCreate(memory, memory + 64)).isEqualTo(-22);
    }

    @Test
    void probesWithoutARing() {
        assertThat(nativeIo.probe(memory, 1)).isZero();
    }

    @Test
    void refusesASecondLibrary() {
        assertThatThrownBy(() -> provider().load(Path.of("/no/such/library.so")))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("already loaded")
                .hasMessageContaining("/no/such/library.so");
    }

    @Test
    void saysWhyALibraryCannotBeBoundAndSaysItAgain() throws Exception {
        Path missing = folder.resolve("none/libmillrace.so");
        Path broken = Files.write(folder.resolve("libbroken.so"), new byte[4096]);
        for (Path path : List.of(missing, broken)) {
            NativeIoProvider fresh = FreshClasses.of(provider());
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> fresh.load(path))
                        .isInstanceOf(BindingUnavailableException.class)
                        .hasMessageContaining(path.toString());
            }
        }
    }

    @Test
    void namesTheFunctionThatALibraryLacksWhenItIsChosen() throws Exception {
        Path lacking = wrongLibrary("lacking");
        assertThatThrownBy(() -> FreshClasses.of(provider()).load(lacking))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("mr_mkdir")
                .hasMessageContaining(lacking.toString());
    }

    @Test
    void refusesALibraryOfAnotherVersionByBothVersions() throws Exception {
        NativeIo other = FreshClasses.of(provider()).load(wrongLibrary("other"));
        assertThatThrownBy(() -> new NativeConstants(other))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("version 1041")
                .hasMessageContaining("version " + NativeConstants.ABI_VERSION);
    }

    @Test
    void saysWhichGrantIsMissingWhereNativeAccessIsDenied() throws Exception {
        int jdk = Runtime.version().feature();
        Assumptions.assumeTrue(jdk >= 24, "JDK " + jdk + " denies nothing");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--illegal-native-access=deny",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        LoadTwice.class.getName(),
                        provider().getClass().getName(),
                        Path.of(
                                        System.getProperty("millrace.native.dir"),
                                        "lib" + provider().library() + ".so")
                                .toAbsolutePath()
                                .toString())
                .redirectErrorStream(true)
                .start();
        String sentence = "this JVM denies native access: start it with --enable-native-access=ALL-UNNAMED\n";
        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo(sentence + sentence);
        assertThat(process.waitFor()).isZero();
    }

    private Path wrongLibrary(String kind) {
        Path library = Path.of(
                System.getProperty("millrace.native.dir"),
                kind,
                "lib" + provider().library() + ".so");
        Assumptions.assumeTrue(Files.exists(library), library + " is not built: run make -C native tools");
        return library;
    }

    @Test
    @Tag("slow")
    void leaksNothingInFiftyMillionReads() throws Exception {
        Path path = Files.write(folder.resolve("small"), new byte[] {1, 2, 3, 4});
        int fd = nativeIo.open(text(0, path.toString()), constants.oRdonly, 0);
        assertThat(fd).isPositive();
        readMany(fd, 2_000_000);
        long before = residentKib();
        readMany(fd, 50_000_000);
        long after = residentKib();
        assertThat(nativeIo.close(fd)).isZero();
        // A leak of one byte a read would be 48 MiB; the heap itself may still grow a little.
        assertThat(after - before).as("KiB of resident memory gained").isLessThan(32 << 10);
    }

    private void readMany(int fd, int count) {
        long sum = 0;
        for (int i = 0; i < count; i++) {
            sum += nativeIo.pread(fd, memory + 4096, 4, 0);
        }
        assertThat(sum).isEqualTo(4L * count);
    }

    private static long residentKib() throws IOException {
        System.gc();
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void tellsNativeImagesWhatTheFunctionsNeed() throws Exception {
        String name =
                "META-INF/native-image/dev.millrace/millrace-bindings-" + binding() + "/reachability-metadata.json";
        try (InputStream in = provider().getClass().getClassLoader().getResourceAsStream(name)) {
            assertThat(in).as(name).isNotNull();
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                    .as("generated from NativeFunction: write this to src/main/resources/" + name)
                    .isEqualTo(metadata());
        }
    }
}
