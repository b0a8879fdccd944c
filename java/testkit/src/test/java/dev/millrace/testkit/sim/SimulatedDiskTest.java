// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpenFlag;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What the model keeps, may lose, and never keeps by halves. */
class SimulatedDiskTest {
    private static final int OUTCOMES = 400;
    private static final int WRITE = OpenFlag.WRITE | OpenFlag.READ;

    private final SimulatedDisk disk = new SimulatedDisk(512, 1 << 20);

    SimulatedDiskTest() {
        disk.makeFolders("/d");
    }

    private int create(String path) {
        int fd = disk.open(path, WRITE | OpenFlag.CREATE, 0644);
        assertThat(fd).isPositive();
        return fd;
    }

    private int write(int fd, long offset, String text) {
        byte[] bytes = text.getBytes(UTF_8);
        return disk.write(fd, ByteBuffer.wrap(bytes), 0, bytes.length, offset);
    }

    private void syncFolder() {
        int fd = disk.open("/d", OpenFlag.READ | OpenFlag.DIRECTORY, 0);
        assertThat(disk.sync(fd)).isZero();
        assertThat(disk.close(fd)).isZero();
    }

    /** What each of many power losses leaves of a file; {@code gone} where there is none. */
    private Set<String> outcomes(String path) {
        Set<String> all = new TreeSet<>();
        for (int seed = 0; seed < OUTCOMES; seed++) {
            Optional<byte[]> left =
                    disk.afterPowerLoss(new SplittableRandom(seed)).content(path);
            all.add(left.map(bytes -> new String(bytes, UTF_8)).orElse("gone"));
        }
        return all;
    }

    @Test
    void keepsWhatWasSyncedThroughFileAndFolder() {
        int fd = create("/d/a");
        write(fd, 0, "whole");
        disk.sync(fd);
        syncFolder();
        assertThat(outcomes("/d/a")).containsExactly("whole");
    }

    @Test
    void mayLoseANameWhoseFolderWasNotSynced() {
        int fd = create("/d/a");
        write(fd, 0, "whole");
        disk.sync(fd);
        assertThat(outcomes("/d/a")).containsExactlyInAnyOrder("gone", "whole");
    }

    @Test
    void mayLoseBytesAndLengthsThatWereNotSynced() {
        int fd = create("/d/a");
        syncFolder();
        write(fd, 0, "abc");
        assertThat(outcomes("/d/a")).containsExactlyInAnyOrder("", "\0\0\0", "abc");
    }

    @Test
    void mayKeepSomeSectorsOfAWriteAndLoseOthers() {
        int fd = create("/d/a");
        write(fd, 0, "a".repeat(2048));
        disk.sync(fd);
        syncFolder();
        write(fd, 100, "b".repeat(1800));
        Set<String> sectors = new HashSet<>();
        for (String content : outcomes("/d/a")) {
            sectors.add("" + content.charAt(100) + content.charAt(512) + content.charAt(1024) + content.charAt(1600));
            assertThat(content.substring(512, 1024)).isIn("a".repeat(512), "b".repeat(512));
        }
        assertThat(sectors).hasSize(16);
    }

    @Test
    void keepsARenameWholeOrNotAtAll() {
        disk.put("/d/new", new byte[] {'n'});
        disk.put("/d/old", new byte[] {'o'});
        assertThat(disk.rename("/d/new", "/d/old", false)).isZero();
        assertThat(outcomes("/d/old")).containsExactlyInAnyOrder("n", "o");
        Set<List<String>> names = new HashSet<>();
        for (int seed = 0; seed < OUTCOMES; seed++) {
            names.add(disk.afterPowerLoss(new SplittableRandom(seed)).names("/d"));
        }
        assertThat(names).containsExactlyInAnyOrder(List.of("old"), List.of("new", "old"));
    }

    @Test
    void losesForGoodWhatAFailedSyncShouldHaveWritten() {
        int fd = create("/d/a");
        syncFolder();
        write(fd, 0, "old");
        disk.sync(fd);
        SplittableRandom fates = new SplittableRandom(1);
        String durable = "old";
        boolean lost = false;
        for (int i = 100; i < 120 && !lost; i++) {
            String text = Integer.toString(i);
            write(fd, 0, text);
            disk.failSync(fd, fates);
            disk.sync(fd);
            lost = outcomes("/d/a").equals(Set.of(durable));
            durable = text;
            assertThat(disk.content("/d/a")).contains(text.getBytes(UTF_8));
        }
        assertThat(lost).isTrue();
    }

    @Test
    void keepsAnUnlinkedFileUntilItIsClosedAndGivesItsSpaceBack() {
        int fd = create("/d/a");
        write(fd, 0, "x".repeat(8192));
        long before = disk.free();
        assertThat(disk.unlink("/d/a", false)).isZero();
        assertThat(disk.free()).isEqualTo(before);
        assertThat(write(fd, 0, "y")).isOne();
        assertThat(disk.close(fd)).isZero();
        assertThat(disk.free()).isEqualTo(1 << 20);
    }

    @Test
    void refusesAsLinuxDoes() {
        int fd = create("/d/a");
        assertThat(disk.open("/d/a", WRITE | OpenFlag.CREATE | OpenFlag.EXCLUSIVE, 0))
                .isEqualTo(-Errno.EEXIST);
        assertThat(disk.open("/d/none", WRITE, 0)).isEqualTo(-Errno.ENOENT);
        assertThat(disk.open("/d", WRITE, 0)).isEqualTo(-Errno.EISDIR);
        assertThat(disk.unlink("/d", true)).isEqualTo(-Errno.ENOTEMPTY);
        assertThat(disk.tryLock(fd)).isZero();
        int second = disk.open("/d/a", WRITE | OpenFlag.DIRECT, 0);
        assertThat(disk.tryLock(second)).isEqualTo(-Errno.EAGAIN);
        assertThat(write(second, 0, "unaligned")).isEqualTo(-Errno.EINVAL);
        assertThat(write(fd, 0, "x".repeat(2 << 20))).isEqualTo(1 << 20);
        assertThat(write(fd, 1 << 20, "x")).isEqualTo(-Errno.ENOSPC);
        assertThat(disk.close(fd)).isZero();
        assertThat(disk.close(fd)).isEqualTo(-Errno.EBADF);
        assertThat(write(fd, 0, "x")).isEqualTo(-Errno.EBADF);
        assertThat(create("/d/b")).as("the lowest free number").isEqualTo(fd);
    }

    @Test
    void readsZeroesWhereNothingWasWritten() {
        int fd = create("/d/a");
        write(fd, 4, "x");
        disk.truncate(fd, 2);
        disk.truncate(fd, 6);
        byte[] found = new byte[10];
        Arrays.fill(found, (byte) 9);
        assertThat(disk.read(fd, ByteBuffer.wrap(found), 0, 10, 0)).isEqualTo(6);
        assertThat(found).containsExactly(0, 0, 0, 0, 0, 0, 9, 9, 9, 9);
    }
}
