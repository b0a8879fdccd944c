// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Files whose engine changes between direct I/O and the page cache while they are open. */
@ParameterizedClass
@EnumSource
class IoModeContractTest extends EngineContract {
    private static final int SIZE = 8192;

    private VirtualFile open(String name, OpenOptions options, DirectMode direct) throws IoFailure {
        return VirtualFile.open(engine, folder.resolve(name), options.withDirect(direct));
    }

    /** The flags that the kernel has for the one descriptor of a file. */
    private int flags(String name) throws IOException {
        Path path = folder.resolve(name).toRealPath();
        List<Integer> found = new ArrayList<>();
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors) {
                if (Files.exists(descriptor) && descriptor.toRealPath().equals(path)) {
                    String info = Files.readString(
                            Path.of("/proc/self/fdinfo").resolve(descriptor.getFileName().toString()));
                    found.add(info.lines()
                            .filter(line -> line.startsWith("flags:"))
                            .map(line -> Integer.parseInt(line.substring(6).trim(), 8))
                            .findFirst()
                            .orElseThrow());
                }
            }
        }
        assertThat(found).as("descriptors of " + name).hasSize(1);
        return found.get(0);
    }

    @Test
    void hasEachFileFollowTheModeThatMayAndNoOther() throws Exception {
        Files.write(folder.resolve("read"), bytes(SIZE, 1));
        try (VirtualFile required = open("required", OpenOptions.creating(), DirectMode.REQUIRED);
                VirtualFile off = open("off", OpenOptions.creating(), DirectMode.OFF);
                VirtualFile written = open("written", OpenOptions.creating(), DirectMode.PREFERRED);
                VirtualFile read = open("read", OpenOptions.reading(), DirectMode.PREFERRED);
                OwnedBuffer buffer = engine.buffers().acquire()) {
            int direct = flags("required") & ~flags("off"); // O_DIRECT is not the same number everywhere
            assertThat(Integer.bitCount(direct)).isEqualTo(1);
            assertThat(engine.mode()).isEqualTo(IoMode.DIRECT_RW);
            Alignment alignment = written.alignment();
            long seed = 0;
            assertThat(alignment).isNotEqualTo(Alignment.NONE);
            for (IoMode mode : List.of(IoMode.BUFFERED, IoMode.DIRECT, IoMode.DIRECT_RW, IoMode.DIRECT)) {
                engine.switchMode(mode);
                assertThat(engine.mode()).isEqualTo(mode);
                byte[] data = bytes(SIZE, ++seed);
                buffer.put(0, data, 0, SIZE);
                written.write(buffer, 0, SIZE, 0);
                assertThat(read.read(buffer, 0, SIZE, 0)).isEqualTo(SIZE);
                buffer.fill(0, SIZE, (byte) 0);
                assertThat(written.readAsync(buffer, 0, SIZE, 0).join().bytes()).isEqualTo(SIZE);
                byte[] got = new byte[SIZE];
                buffer.get(0, got, 0, SIZE);
                assertThat(got).isEqualTo(data);
                assertThat((flags("required") & direct) != 0)
                        .isEqualTo(required.isDirect())
                        .isTrue();
                assertThat((flags("off") & direct) != 0)
                        .isEqualTo(off.isDirect())
                        .isFalse();
                assertThat((flags("written") & direct) != 0)
                        .as(mode.label())
                        .isEqualTo(written.isDirect())
                        .isEqualTo(mode == IoMode.DIRECT_RW);
                assertThat((flags("read") & direct) != 0)
                        .as(mode.label())
                        .isEqualTo(read.isDirect())
                        .isEqualTo(mode != IoMode.BUFFERED);
                assertThat(written.alignment()).isEqualTo(alignment);
            }
            assertThat(engine.descriptors().open()).isEqualTo(4);
        }
    }

    @Test
    void opensNewFilesInTheModeOfTheMoment() throws Exception {
        engine.switchMode(IoMode.BUFFERED);
        try (VirtualFile off = open("off", OpenOptions.creating(), DirectMode.OFF);
                VirtualFile made = open("made", OpenOptions.creatingNew(), DirectMode.PREFERRED);
                VirtualFile required = open("required", OpenOptions.creating(), DirectMode.REQUIRED)) {
            assertThat(made.isDirect()).isFalse();
            assertThat(required.isDirect()).isTrue();
            int direct = flags("required") & ~flags("off");
            assertThat(flags("made") & direct).isZero();
            assertThat(made.alignment()).isEqualTo(required.alignment());
            assertThat(off.alignment()).isEqualTo(Alignment.NONE);
            engine.switchMode(IoMode.DIRECT_RW);
            assertThat(made.isDirect()).isTrue();
            assertThat(flags("made") & direct).isEqualTo(direct);
        }
    }

    @Test
    void keepsWhatCannotBeOpenedAgainAsItIs() throws Exception {
        try (VirtualFile locked = open("locked", OpenOptions.creating(), DirectMode.PREFERRED);
                VirtualFile nameless = open("nameless", OpenOptions.creating(), DirectMode.PREFERRED);
                OwnedBuffer buffer = engine.buffers().acquire()) {
            assertThat(locked.tryLock()).isTrue();
            engine.deleteIfExists(folder.resolve("nameless"));
            engine.switchMode(IoMode.BUFFERED);
            for (VirtualFile file : List.of(locked, nameless)) {
                assertThat(file.isDirect()).isTrue();
                file.write(buffer, 0, SIZE, 0);
                assertThat(file.read(buffer, 0, SIZE, 0)).isEqualTo(SIZE);
            }
        }
    }

    @Test
    void losesNothingUnderLoad() throws Exception {
        List<OwnedBuffer> buffers = new ArrayList<>();
        try (VirtualFile file = open("load", OpenOptions.creating(), DirectMode.PREFERRED)) {
            List<IoMode> modes = List.of(IoMode.BUFFERED, IoMode.DIRECT, IoMode.DIRECT_RW);
            List<CompletableFuture<IoResult>> writes = new ArrayList<>();
            byte[] expected = new byte[TestEngines.BUFFERS * SIZE];
            for (int i = 0; i < TestEngines.BUFFERS; i++) {
                buffers.add(engine.buffers().acquire());
            }
            for (int round = 1; round <= 12; round++) {
                for (int i = 0; i < buffers.size(); i++) {
                    byte[] data = bytes(SIZE, 100L * round + i);
                    System.arraycopy(data, 0, expected, i * SIZE, SIZE);
                    buffers.get(i).put(0, data, 0, SIZE);
                    writes.add(file.writeAsync(buffers.get(i), 0, SIZE, (long) i * SIZE));
                }
                engine.switchMode(modes.get(round % modes.size()));
                for (CompletableFuture<IoResult> write : writes) {
                    assertThat(write.join().bytes()).isEqualTo(SIZE);
                }
                writes.clear();
            }
            for (int i = 0; i < buffers.size(); i++) {
                byte[] got = new byte[SIZE];
                file.read(buffers.get(i), 0, SIZE, (long) i * SIZE);
                buffers.get(i).get(0, got, 0, SIZE);
                assertThat(got).isEqualTo(java.util.Arrays.copyOfRange(expected, i * SIZE, (i + 1) * SIZE));
            }
        }
        buffers.forEach(OwnedBuffer::close);
    }

    @Test
    void isRefusedByAClosedEngineAndOnAnEngineThread() {
        CompletableFuture<Throwable> thrown = new CompletableFuture<>();
        engine.loop().execute(() -> thrown.complete(
                thrownBy(IllegalStateException.class, () -> engine.switchMode(IoMode.BUFFERED))));
        assertThat(thrown.join()).hasMessageContaining("engine thread");
        engine.close();
        assertThatThrownBy(() -> engine.switchMode(IoMode.BUFFERED)).isInstanceOf(EngineClosedException.class);
        assertThat(engine.mode()).isEqualTo(IoMode.DIRECT_RW);
    }

    @Test
    void hasNamesForItsModes() {
        for (IoMode mode : IoMode.values()) {
            assertThat(IoMode.parse(mode.label())).isEqualTo(mode);
        }
        assertThat(IoMode.DIRECT_RW.label()).isEqualTo("direct-rw");
        assertThatThrownBy(() -> IoMode.parse("fast")).hasMessageContaining("direct-rw");
    }
}
