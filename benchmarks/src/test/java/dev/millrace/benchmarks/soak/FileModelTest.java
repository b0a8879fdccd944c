// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That the soak would see what it is there to see. */
class FileModelTest {
    private static final int BLOCK = FileModel.BLOCK;
    private static final int BLOCKS = 8;

    @TempDir
    Path folder;

    private final FileModel model = new FileModel(1, BLOCKS, new Counts());
    private IoEngine engine;
    private VirtualFile file;
    private OwnedBuffer buffer;

    @BeforeEach
    void open() throws Exception {
        engine = IoEngine.open(
                IoEngineConfig.defaults().withEngine(EngineKind.BLOCKING).withPool(2, BLOCKS * BLOCK));
        file = VirtualFile.open(engine, folder.resolve("file"), OpenOptions.creatingNew());
        buffer = engine.buffers().acquire();
    }

    @AfterEach
    void close() throws Exception {
        buffer.close();
        file.close();
        engine.close();
    }

    private int write(int block, int count) throws Exception {
        int version = model.begin(block, count);
        model.fill(buffer, block, count, version);
        file.write(buffer, 0, count * BLOCK, (long) block * BLOCK);
        return version;
    }

    private void corrupt(long at, byte[] bytes) throws Exception {
        try (FileChannel channel = FileChannel.open(Path.of(file.path()), StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), at);
        }
    }

    private void check(int block, int count) throws Exception {
        model.check(buffer, block, count, file.read(buffer, 0, count * BLOCK, (long) block * BLOCK));
    }

    @Test
    void takesWhatWasWrittenAndHolesAndTheEnd() throws Exception {
        model.wrote(2, 3, write(2, 3));
        check(0, BLOCKS);
        assertThat(model.blocks()).isEqualTo(5);
        ByteBuffer any = ByteBuffer.allocate(5000);
        int bytes = file.read(any, 3 * BLOCK - 777);
        model.check(any, 3 * BLOCK - 777, 5000, bytes);
    }

    @Test
    void seesOneWrongByteAndWhere() throws Exception {
        model.wrote(0, 4, write(0, 4));
        corrupt(2 * BLOCK + 1234, new byte[] {'x'});
        assertThatThrownBy(() -> check(0, 4))
                .isInstanceOf(MismatchException.class)
                .hasMessageContaining("block 2");
        ByteBuffer any = ByteBuffer.allocate(BLOCK);
        int bytes = file.read(any, 2 * BLOCK);
        assertThatThrownBy(() -> model.check(any, 2 * BLOCK, BLOCK, bytes))
                .isInstanceOf(MismatchException.class)
                .hasMessageContaining("byte " + (2 * BLOCK + 1234));
    }

    @Test
    void seesAnOlderVersionAnotherPlaceAndAWrongCount() throws Exception {
        model.wrote(0, 2, write(0, 2));
        byte[] first = new byte[BLOCK];
        file.read(buffer, 0, BLOCK, 0);
        buffer.get(0, first, 0, BLOCK);
        model.wrote(0, 2, write(0, 2));
        corrupt(0, first);
        assertThatThrownBy(() -> check(0, 1)).isInstanceOf(MismatchException.class);
        assertThatThrownBy(() -> model.check(buffer, 0, 2, BLOCK)).isInstanceOf(MismatchException.class);
        file.read(buffer, 0, BLOCK, BLOCK);
        assertThatThrownBy(() -> model.check(buffer, 0, 1, BLOCK)).isInstanceOf(MismatchException.class);
    }

    @Test
    void takesOldOrNewOfAWriteThatWasCutShortAndNothingElse() throws Exception {
        model.wrote(0, 1, write(0, 1));
        byte[] old = new byte[BLOCK];
        file.read(buffer, 0, BLOCK, 0);
        buffer.get(0, old, 0, BLOCK);
        write(0, 1); // and nobody hears how it ended
        corrupt(512, java.util.Arrays.copyOfRange(old, 512, 1024));
        assertThat(model.isCertain()).isFalse();
        assertThatCode(() -> model.resolve(file, buffer)).doesNotThrowAnyException();
        check(0, 1);
        write(0, 1);
        corrupt(512, new byte[] {'x'});
        assertThatThrownBy(() -> model.resolve(file, buffer)).isInstanceOf(MismatchException.class);
    }
}
