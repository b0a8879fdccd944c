// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.GENERATION;
import static dev.millrace.layers.store.StoreRig.READ;
import static dev.millrace.layers.store.StoreRig.SIZE;
import static dev.millrace.layers.store.StoreRig.TENANT;
import static dev.millrace.layers.store.StoreRig.TIMELINE;
import static dev.millrace.layers.store.StoreRig.content;
import static dev.millrace.layers.store.StoreRig.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.io.TemporaryFile;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import dev.millrace.layers.AccessKind;
import dev.millrace.layers.KeyRange;
import dev.millrace.layers.LayerFileName;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.TaskKind;
import dev.millrace.layers.format.Compression;
import dev.millrace.layers.format.GeneratedData;
import dev.millrace.layers.format.LayerWriter;
import dev.millrace.testkit.sim.Trace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a store does when the local disk can no longer be trusted: the handler hears of it once, all who wait get the failure,
 * and nothing incomplete has a final name.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FatalIoTest {
    private static final int READERS = 3;

    @TempDir
    Path folder;

    private SimulatedStore rig;
    private Timeline timeline;
    private Layer layer;

    @BeforeEach
    void open() throws IOException {
        rig = new SimulatedStore(
                folder, new SplittableRandom(1), new Trace(), Optional.empty(), LayerStoreConfig.defaults(), 0);
        rig.putLayer(name(0), content(0).toBytes());
        rig.putIndex(StoreRig.index(1, GENERATION));
        timeline = rig.attach();
        layer = timeline.requireLayer(name(0));
    }

    @AfterEach
    void close() throws IOException {
        assertThat(rig.simulation.driver().planned().isAnyLeft())
                .as("a failure that never came")
                .isFalse();
        rig.close();
        assertThat(rig.names()).noneMatch(TemporaryFile::isTemporaryName);
    }

    private void fail(int code, int nth, int errno) {
        rig.simulation.driver().planned().fail(code, nth, errno);
    }

    private List<CompletableFuture<LoadedLayer>> readers() {
        List<CompletableFuture<LoadedLayer>> readers = new ArrayList<>();
        for (int i = 0; i < READERS; i++) {
            readers.add(layer.load(AccessKind.ITER, READ));
        }
        return readers;
    }

    private void assertAllHearOf(String errno, List<CompletableFuture<LoadedLayer>> readers) {
        for (CompletableFuture<LoadedLayer> reader : readers) {
            assertThatThrownBy(() -> rig.await(reader))
                    .isInstanceOf(StoreFailure.FatalLocal.class)
                    .hasMessageContaining(errno);
        }
        assertThat(rig.fatal).singleElement().satisfies(told -> assertThat(told).hasMessageContaining(errno));
    }

    private void assertReads() throws IOException {
        try (LoadedLayer loaded = rig.await(layer.load(AccessKind.ITER, READ))) {
            ByteBuffer bytes = ByteBuffer.allocate(SIZE);
            loaded.file().readExact(bytes, 0);
            assertThat(bytes.array()).isEqualTo(content(0).toBytes());
        }
    }

    private void assertAllIsWellLater() throws IOException {
        rig.settle();
        rig.timing.pass(Duration.ofSeconds(60));
        assertReads();
        assertThat(rig.fatal).hasSize(1);
        assertThat(rig.local(rig.disk, name(0))).hasValue(content(0).toBytes());
    }

    @ParameterizedTest
    @CsvSource({
        "a write, WRITE, 1, EIO",
        "the last write, WRITE, 7, EIO",
        "a write, WRITE, 1, EROFS",
        "a write, WRITE, 1, EACCES",
        "the file's fsync, FSYNC, 1, EIO",
        "the rename, RENAME, 1, EIO",
        "making the temporary file, OPEN, 1, EACCES",
        "reserving its bytes, FALLOCATE, 1, EIO"
    })
    void isSaidOnceWhereADownloadFailsSoAndLeavesNoName(String what, String operation, int nth, String errno)
            throws IOException {
        List<CompletableFuture<LoadedLayer>> readers = readers();
        fail(code(operation), nth, errno(errno));
        assertAllHearOf(errno, readers);
        assertThat(layer.isRemote()).isTrue();
        assertThat(rig.names()).isEmpty();
        StoreMetrics metrics = rig.store().metrics();
        assertThat(metrics.downloadsFailed()).isEqualTo(1);
        assertThat(metrics.downloadsCompleted()).isZero();
        assertThat(metrics.residentBytes()).isZero();
        // The next reads hold back, and do not tell the handler again.
        assertThatThrownBy(() -> rig.await(layer.load(AccessKind.ITER, READ)))
                .isInstanceOf(StoreFailure.BackingOff.class)
                .hasCauseInstanceOf(StoreFailure.FatalLocal.class);
        assertThat(layer.statistics().snapshot().first()).isEmpty();
        assertAllIsWellLater();
    }

    /** The name is there by then, and whole; that it survives a crash is what nobody can promise. */
    @Test
    void isSaidOnceWhereTheFoldersFsyncFailsAndTheLayerIsNotAnnounced() throws IOException {
        List<CompletableFuture<LoadedLayer>> readers = readers();
        fail(OpCode.FSYNC, 2, Errno.EIO);
        assertAllHearOf("EIO", readers);
        assertThat(layer.isRemote()).isTrue();
        assertThat(rig.local(rig.disk, name(0))).hasValue(content(0).toBytes());
        assertThat(rig.names()).hasSize(1);
        assertThat(rig.store().metrics().residentBytes()).isZero();
        assertAllIsWellLater();
    }

    /** The second stat is the one that looks whether it is the file that the index promises. */
    @ParameterizedTest
    @CsvSource({"OPEN, 1", "STATX, 2"})
    void isSaidOnceWhereALayerCannotBeOpened(String operation, int nth) throws IOException {
        rig.await(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        fail(code(operation), nth, Errno.EIO);
        assertAllHearOf("EIO", readers());
        // The bytes may be good: the layer stays, and is not fetched anew.
        assertThat(layer.isRemote()).isFalse();
        assertAllIsWellLater();
        assertThat(rig.store().metrics().downloadsCompleted()).isEqualTo(1);
    }

    @Test
    void isSaidOnceWhereALayersFileCannotBeRemovedAndTheLayerStays() throws IOException {
        assertReads();
        fail(OpCode.UNLINK, 1, Errno.EIO);
        assertThat(rig.await(layer.evict(EvictionReason.EXPLICIT))).isEqualTo(EvictionOutcome.FAILED);
        assertThat(rig.fatal).hasSize(1);
        assertThat(layer.isRemote()).isFalse();
        assertAllIsWellLater();
        assertThat(rig.await(layer.evict(EvictionReason.EXPLICIT))).isEqualTo(EvictionOutcome.EVICTED);
        StoreMetrics metrics = rig.store().metrics();
        assertThat(metrics.evictionsStarted()).isEqualTo(2);
        assertThat(metrics.evictionsCancelled()).containsEntry(EvictionOutcome.FAILED, 1L);
    }

    /** {@code nth} fsync: there is none of the file's, which its writer has synced. */
    @ParameterizedTest
    @ValueSource(ints = {OpCode.RENAME, OpCode.FSYNC})
    void isSaidOnceWhereANewLayerCannotBePublished(int code) throws IOException {
        LayerName fresh = LayerName.parse("fresh");
        Path finished = timeline.folder().resolve("finished");
        rig.disk.put(finished.toString(), content(9).toBytes());
        Files.write(finished, content(9).toBytes()); // its length is looked at there
        fail(code, 1, Errno.EIO);
        assertThatThrownBy(() -> timeline.publish(fresh, finished, Optional.empty()))
                .isInstanceOf(StoreFailure.FatalLocal.class)
                .hasMessageContaining("EIO");
        assertThat(rig.fatal).hasSize(1);
        assertThat(timeline.layer(fresh)).isEmpty();
        assertThat(rig.local(rig.disk, fresh).map(bytes -> bytes.length)).isIn(Optional.empty(), Optional.of(SIZE));
    }

    @ParameterizedTest
    @CsvSource({"OPEN, EMFILE", "WRITE, EINVAL", "WRITE, ENOSPC"})
    void isNotSaidOfWhatPassesOrConcernsOneFile(String operation, String errno) throws IOException {
        CompletableFuture<LoadedLayer> reader = layer.load(AccessKind.ITER, READ);
        fail(code(operation), 1, errno(errno));
        rig.until("the end of a read", reader::isDone);
        rig.settle();
        assertThat(rig.fatal).isEmpty();
        rig.timing.pass(Duration.ofSeconds(60));
        assertReads();
        reader.thenAccept(LoadedLayer::close);
        assertThat(rig.names()).hasSize(1);
    }

    /** A layer with keys is looked at and then opened by its reader, which finds what was there gone. */
    @Test
    void isNotSaidWhereAFileGoesWhileItIsOpenedAndTheLayerIsFetchedAnew() throws IOException {
        LayerKey key = GeneratedData.key(0);
        LayerName image = new LayerName.Image(new KeyRange(key, GeneratedData.key(1)), new Lsn(100));
        LayerFileName file = LayerFileName.of(image, GENERATION);
        Path written;
        try (LayerWriter writer = LayerWriter.create(
                Combination.engine(EngineKind.BLOCKING), folder, file, TENANT, TIMELINE, Compression.NONE)) {
            writer.put(key, StandardCharsets.UTF_8.encode("value"));
            written = writer.finish().path();
        }
        rig.putLayer(image, Files.readAllBytes(written));
        rig.putIndex(StoreRig.index(1, GENERATION).with(image, LayerFile.of(Files.size(written), GENERATION)));
        timeline.reload();
        Layer keyed = timeline.requireLayer(image);
        rig.await(keyed.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        fail(OpCode.OPEN, 2, Errno.ENOENT);
        rig.await(keyed.load(AccessKind.DUMP, READ)).close();
        assertThat(rig.fatal).isEmpty();
        assertThat(rig.store().metrics().downloadsCompleted()).isEqualTo(2);
    }

    @Test
    void isSaidOfAFolderThatMayNotBeLookedThrough() {
        assertThat(StoreParts.isFatal(new AccessDeniedException("/data/tenants")))
                .isTrue();
        assertThat(StoreParts.isFatal(new NoSuchFileException("/data/tenants"))).isFalse();
    }

    private static int code(String operation) {
        return switch (operation) {
            case "OPEN" -> OpCode.OPEN;
            case "WRITE" -> OpCode.WRITE;
            case "FSYNC" -> OpCode.FSYNC;
            case "STATX" -> OpCode.STATX;
            case "RENAME" -> OpCode.RENAME;
            case "FALLOCATE" -> OpCode.FALLOCATE;
            default -> throw new IllegalArgumentException(operation);
        };
    }

    private static int errno(String name) {
        return switch (name) {
            case "EIO" -> Errno.EIO;
            case "EROFS" -> Errno.EROFS;
            case "EACCES" -> Errno.EACCES;
            case "EMFILE" -> Errno.EMFILE;
            case "EINVAL" -> Errno.EINVAL;
            case "ENOSPC" -> Errno.ENOSPC;
            default -> throw new IllegalArgumentException(name);
        };
    }
}
