// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files and downloads on file systems that differ from the one the tests lie on, each mounted in a namespace of a child
 * JVM's own, so that nothing stays mounted whatever ends it.
 */
@Tag("slow")
@Timeout(180)
final class FileSystemsTest {
    private static final String TMPFS = "mount -t tmpfs -o size=8m none \"$0\" && exec \"$@\"";
    private static final String RAMFS = "mount -t ramfs none \"$0\" && exec \"$@\"";
    private static final String OVERLAY = overlay("$0");
    private static final String OVERLAY_ON_TMPFS =
            "mkdir -p \"$0.memory\" && mount -t tmpfs -o size=64m none \"$0.memory\" && " + overlay("$0.memory");

    /** The device is detached at once, which takes effect when its last user, the shell or the mount, is gone. */
    private static final String SECTORS_OF_4096 = "device=$(losetup --find --show --sector-size 4096 \"$0.image\")"
            + " && exec 3<\"$device\" && losetup -d \"$device\" && mount \"$device\" \"$0\" && exec 3<&- && exec \"$@\"";

    private static final long IMAGE_BYTES = 64L << 20;
    private static final int TRIES = 500;

    /** An overlay whose layers lie in a folder. */
    private static String overlay(String layers) {
        return "mkdir -p \"L/lower\" \"L/upper\" \"L/work\" && mount -t overlay -o".replace("L", layers)
                + " lowerdir=\"L/lower\",upperdir=\"L/upper\",workdir=\"L/work\" none \"$0\" && exec \"$@\""
                        .replace("L", layers);
    }

    @TempDir
    Path folder;

    private Path place;

    @BeforeEach
    void aPlaceToMountAt() throws IOException {
        place = Files.createDirectory(folder.toRealPath().resolve("place"));
    }

    @AfterEach
    void nothingIsMountedOrAttached() throws Exception {
        for (int i = 0; i < TRIES && isAttached(); i++) {
            LockSupport.parkNanos(10_000_000); // the kernel detaches in the background
        }
        assertThat(isAttached()).as("a loop device on the image").isFalse();
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"), StandardCharsets.UTF_8))
                .doesNotContain(place.toString());
    }

    private boolean isAttached() throws IOException {
        try (DirectoryStream<Path> devices = Files.newDirectoryStream(Path.of("/sys/block"), "loop*")) {
            for (Path device : devices) {
                if (backs(device.resolve("loop/backing_file"))) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean backs(Path backingFile) {
        try {
            return Files.readString(backingFile, StandardCharsets.UTF_8).startsWith(place.toString());
        } catch (IOException notAttached) {
            return false;
        }
    }

    // ------------------------------------------------------------------ running

    private static int status(List<String> command) throws InterruptedException {
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException noSuchCommand) {
            return -1;
        }
    }

    /** Root keeps its rights over devices only in its own user namespace. */
    private static List<String> namespace() throws InterruptedException {
        return status(List.of("unshare", "-m", "true")) == 0 ? List.of("unshare", "-m") : List.of("unshare", "-rm");
    }

    private List<String> mounted(String script, List<String> command) throws InterruptedException {
        List<String> all = new ArrayList<>(namespace());
        all.addAll(List.of("sh", "-c", script, place.toString()));
        all.addAll(command);
        return all;
    }

    private void check(String script, String missing, String... expectation) throws Exception {
        Assumptions.assumeTrue(status(mounted(script, List.of("true"))) == 0, missing);
        List<String> arguments = new ArrayList<>(List.of(place.toString(), folder.toString()));
        arguments.addAll(List.of(expectation));
        ProcessBuilder builder = ChildJvm.of(FileSystemRounds.class, arguments.toArray(String[]::new));
        Process process = builder.command(mounted(script, builder.command()))
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(said).isZero();
        assertThat(said.lines())
                .containsAll(Engines.working()
                        .map(EngineKind::label)
                        .map(label -> "held on " + label)
                        .toList());
    }

    private void makeImage() throws Exception {
        Path image = Path.of(place + ".image");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(IMAGE_BYTES);
        }
        Assumptions.assumeTrue(
                status(List.of("mkfs.ext4", "-q", "-F", "-b", "4096", image.toString())) == 0,
                "mkfs.ext4 is not there");
    }

    // ------------------------------------------------------------------ file systems

    @Test
    void stepsDownOnTmpfsAndWorksAgainWhenItsSpaceReturns() throws Exception {
        check(TMPFS, "no tmpfs can be mounted here", "tmpfs", "buffered", "full");
    }

    @Test
    void stepsDownOnRamfsWhichRefusesDirectInputAndOutput() throws Exception {
        check(RAMFS, "no ramfs can be mounted here", "ramfs", "buffered");
    }

    @Test
    void followsTheFileSystemBelowAnOverlay() throws Exception {
        check(OVERLAY, "no overlay can be mounted here", "overlay", "either");
    }

    @Test
    void claimsNoDirectInputAndOutputOnAnOverlayOverMemory() throws Exception {
        check(OVERLAY_ON_TMPFS, "no overlay can be mounted here", "overlay", "buffered");
    }

    @Test
    void alignsToSectorsOf4096() throws Exception {
        makeImage();
        check(SECTORS_OF_4096, "no loop device with sectors of 4096 bytes can be attached here", "ext", "4096");
    }

    @Test
    void leavesNoLoopDeviceBehindAJvmThatIsKilled() throws Exception {
        makeImage();
        Assumptions.assumeTrue(
                status(mounted(SECTORS_OF_4096, List.of("true"))) == 0,
                "no loop device with sectors of 4096 bytes can be attached here");
        Process process = new ProcessBuilder(
                        mounted(SECTORS_OF_4096, List.of("sh", "-c", "echo mounted; exec sleep 100")))
                .start();
        assertThat(process.inputReader().readLine()).isEqualTo("mounted");
        assertThat(isAttached()).isTrue();
        process.destroyForcibly().waitFor();
        // That it goes is what is checked after each of these tests.
    }
}
