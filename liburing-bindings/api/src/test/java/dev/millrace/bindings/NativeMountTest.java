// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Places to unpack that forbid execution, are read-only or full, in a mount namespace of each JVM's own. */
class NativeMountTest {
    private static final String MOUNT_TMPFS = "mount -t tmpfs -o \"$0\" none \"$1\" && shift && exec \"$@\"";
    private static final String MOUNT_READ_ONLY =
            "mount --bind \"$1\" \"$1\" && mount -o \"$0\" \"$1\" && shift && exec \"$@\"";

    @TempDir
    Path folder;

    private final byte[] library = NativeFixture.library();
    private Path jar;
    private Path mount;
    private Path temporary;

    @BeforeEach
    void aJarAndAFolderToMountAt() throws Exception {
        folder = folder.toRealPath();
        jar = NativeFixture.classifierJar(folder.resolve("native.jar"), library);
        mount = Files.createDirectory(
                folder.resolve("mount"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        temporary = Files.createDirectory(folder.resolve("temporary"));
    }

    @Test
    void namesAMountWithoutExecution() throws Exception {
        assertThat(mounted(MOUNT_TMPFS, "mode=700,noexec", cacheAt(mount)))
                .startsWith("refused: ")
                .contains(mount.toString(), "noexec", NativeLibrary.CACHE_PROPERTY);
    }

    @Test
    void namesAReadOnlyMount() throws Exception {
        assertThat(mounted(MOUNT_TMPFS, "mode=700,ro", cacheAt(mount.resolve("cache"))))
                .startsWith("refused: ")
                .contains(mount.toString(), "EROFS", NativeLibrary.CACHE_PROPERTY);
    }

    @Test
    void namesAFullMount() throws Exception {
        assertThat(mounted(MOUNT_TMPFS, "mode=700,size=64k", cacheAt(mount)))
                .startsWith("refused: ")
                .contains(mount.toString(), "ENOSPC", NativeLibrary.CACHE_PROPERTY);
    }

    @Test
    void goesOnToTheTemporaryFilesWhereTheUsersCacheWillNotDo() throws Exception {
        List<String> options = List.of("-Djava.io.tmpdir=" + temporary, "-Duser.home=" + mount, "-Duser.name=bob");
        Path there = NativeFixture.unpacked(temporary.resolve("millrace-bob"), library);
        for (String fault : List.of("mode=700,noexec", "mode=700,ro", "mode=700,size=64k")) {
            assertThat(mounted(MOUNT_TMPFS, fault, options)).as(fault).isEqualTo(there.toString());
            assertThat(there).hasBinaryContent(library);
            Files.delete(there);
        }
    }

    @Test
    void usesAGoodFileOnAReadOnlyMount() throws Exception {
        List<String> options = cacheAt(mount);
        Path good = NativeFixture.unpacked(mount, library);
        assertThat(NativeFixture.output(jvm(options))).isEqualTo(good.toString());
        assertThat(mounted(MOUNT_READ_ONLY, "remount,bind,ro", options)).isEqualTo(good.toString());
        Files.delete(good);
        assertThat(mounted(MOUNT_READ_ONLY, "remount,bind,ro", options))
                .startsWith("refused: ")
                .contains(mount.toString(), "EROFS");
    }

    @Test
    void namesALibraryOnAMountWithoutExecution() throws Exception {
        Files.write(mount.resolve(NativeFixture.FILE), library);
        assertThat(mounted(
                        MOUNT_READ_ONLY,
                        "remount,bind,noexec",
                        List.of("-D" + NativeLibrary.DIRECTORY_PROPERTY + "=" + mount)))
                .startsWith("refused: ")
                .contains(mount.resolve(NativeFixture.FILE).toString(), "noexec", NativeLibrary.DIRECTORY_PROPERTY);
    }

    @Test
    void namesAReadOnlyFolder() throws Exception {
        assumeTrue(NativeFolder.self() != 0, "root writes to a read-only folder");
        Files.setPosixFilePermissions(mount, PosixFilePermissions.fromString("r-x------"));
        try {
            assertThat(NativeFixture.output(jvm(cacheAt(mount))))
                    .startsWith("refused: ")
                    .contains(mount.toString(), "EACCES", NativeLibrary.CACHE_PROPERTY);
        } finally {
            Files.setPosixFilePermissions(mount, PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void unpacksWithoutAHome() throws Exception {
        assertThat(NativeFixture.output(
                        jvm(List.of("-Duser.home=?", "-Duser.name=bob", "-Djava.io.tmpdir=" + temporary))))
                .isEqualTo(NativeFixture.unpacked(temporary.resolve("millrace-bob"), library)
                        .toString());
        assertThat(NativeFixture.output(jvm(List.of("-Duser.home=?", "-Djava.io.tmpdir=/no/such/folder"))))
                .startsWith("refused: ")
                .contains("no home folder", "java.io.tmpdir", NativeLibrary.CACHE_PROPERTY);
        assertThat(Path.of("/no/such/folder")).doesNotExist();
    }

    @Test
    void takesThePlaceFromTheEnvironment() throws Exception {
        ProcessBuilder builder = jvm(List.of());
        builder.environment().put(NativeLibrary.CACHE_VARIABLE, mount.toString());
        assertThat(NativeFixture.output(builder))
                .isEqualTo(NativeFixture.unpacked(mount, library).toString());
    }

    private static List<String> cacheAt(Path place) {
        return List.of("-D" + NativeLibrary.CACHE_PROPERTY + "=" + place);
    }

    private ProcessBuilder jvm(List<String> options) {
        List<String> all = new ArrayList<>(options);
        all.add("-Djava.library.path=/no/such/folder");
        return NativeFixture.jvm(NativeFixture.classPath(jar), all);
    }

    private String mounted(String script, String mountOptions, List<String> options) throws Exception {
        assumeTrue(
                run(List.of("unshare", "-rm", "sh", "-c", MOUNT_TMPFS, "size=64k", mount.toString(), "true")),
                "no mount namespaces for this user (unshare -rm)");
        ProcessBuilder builder = jvm(options);
        List<String> command =
                new ArrayList<>(List.of("unshare", "-rm", "sh", "-c", script, mountOptions, mount.toString()));
        command.addAll(builder.command());
        return NativeFixture.output(builder.command(command));
    }

    private static boolean run(List<String> command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
