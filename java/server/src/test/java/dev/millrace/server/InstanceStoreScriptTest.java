// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code scripts/ps_ec2_setup_instance_store}, run dry against a tree of devices made for it. */
@Timeout(60)
class InstanceStoreScriptTest {
    private static final String STORE = "Amazon EC2 NVMe Instance Storage        ";
    private static final String EBS = "Amazon Elastic Block Store              ";
    /** What changes a machine: none of these may be carried out. */
    private static final List<String> DANGEROUS = List.of("mkfs.ext4", "mount", "chown", "mkdir", "sudo", "prlimit");

    @TempDir
    Path folder;

    private Path machine;
    private Path programs;

    @BeforeEach
    void makeMachine() throws IOException {
        machine = Files.createDirectories(folder.resolve("machine"));
        Files.createDirectories(machine.resolve("dev"));
        Files.createDirectories(machine.resolve("proc"));
        Files.createDirectories(machine.resolve("sys/block"));
        Files.writeString(machine.resolve("proc/mounts"), "/dev/nvme0n1p1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n");
        drive("nvme0n1", EBS);
        Files.createDirectories(machine.resolve("sys/block/nvme0n1/nvme0n1p1"));
        programs = Files.createDirectories(folder.resolve("programs"));
        for (String name : DANGEROUS) {
            program(name, "echo ran " + name + " >>'" + folder.resolve("carried-out") + "'");
        }
    }

    private void drive(String name, String model) throws IOException {
        Path device = Files.createDirectories(machine.resolve("sys/block/" + name + "/device"));
        Files.writeString(device.resolve("model"), model + "\n");
        Files.createDirectories(machine.resolve("sys/block/" + name + "/holders"));
        Files.createFile(machine.resolve("dev/" + name));
    }

    private void program(String name, String line) throws IOException {
        Path file = Files.writeString(programs.resolve(name), "#!/bin/sh\n" + line + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Launched script(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add("env");
        command.add("PATH=" + programs + ":" + System.getenv("PATH"));
        environment.forEach((name, value) -> command.add(name + "=" + value));
        command.add(
                Launched.root().resolve("scripts/ps_ec2_setup_instance_store").toString());
        command.addAll(List.of(arguments));
        Launched said = Launched.finish(folder, Launched.start(folder, Map.of(), command));
        assertThat(folder.resolve("carried-out")).doesNotExist();
        return said;
    }

    private Launched dry(String... arguments) throws IOException, InterruptedException {
        return script(
                Map.of("MACHINE_ROOT", machine.toString(), "SUDO_UID", "1001", "SUDO_GID", "1002"),
                Stream.concat(Stream.of("--dry-run"), Stream.of(arguments)).toArray(String[]::new));
    }

    private static void assertRefused(Launched said, String... words) {
        assertThat(said.status()).as(said.out()).isEqualTo(1);
        assertThat(said.out()).isEmpty();
        assertThat(said.err()).startsWith("ps_ec2_setup_instance_store: ").contains(words);
        assertThat(said.err().lines()).hasSize(1);
    }

    @Test
    void findsTheOneDriveAndPrintsEveryCommand() throws Exception {
        drive("nvme1n1", STORE);
        Launched said = dry();
        assertThat(said.err()).isEmpty();
        assertThat(said.status()).isZero();
        assertThat(said.out().lines())
                .containsExactly(
                        "mkfs.ext4 -E lazy_itable_init=0,lazy_journal_init=0 /dev/nvme1n1",
                        "mkdir -p /instance_store",
                        "mount /dev/nvme1n1 /instance_store",
                        "chown 1001:1002 /instance_store",
                        "",
                        "In the shell that runs the benchmark:",
                        "",
                        "    export BENCH_DIR=/instance_store",
                        "    sudo prlimit --pid $$ --nofile=800000:800000");
    }

    @ParameterizedTest
    @ValueSource(strings = {"nvme2n1", "/dev/nvme2n1"})
    void takesTheDriveThatIsNamed(String name) throws Exception {
        drive("nvme1n1", STORE);
        drive("nvme2n1", STORE);
        Launched said = dry("--mount-point", "/mnt/a b", name);
        assertThat(said.status()).as(said.err()).isZero();
        assertThat(said.out())
                .contains("/dev/nvme2n1\n", "mount /dev/nvme2n1 /mnt/a\\ b\n", "export BENCH_DIR=/mnt/a\\ b\n")
                .doesNotContain("nvme1n1");
    }

    @Test
    void refusesAnotherModelEvenWhereItIsNamed() throws Exception {
        assertRefused(dry("nvme0n1"), "nvme0n1 is of the model '" + EBS + "' and not '" + STORE + "'");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Amazon EC2 NVMe Instance Storage",
                "Amazon EC2 NVMe Instance Storage         ",
                " Amazon EC2 NVMe Instance Storage       ",
                "amazon ec2 nvme instance storage        ",
            })
    void theModelMustBeTheSameToTheLastBlank(String model) throws Exception {
        drive("nvme1n1", model);
        assertRefused(dry("nvme1n1"), "of the model '" + model + "'");
        assertRefused(dry(), "No drive here has the model '" + STORE + "'");
    }

    @Test
    void refusesWhereThereIsNone() throws Exception {
        assertRefused(dry(), "No drive here has the model");
        assertRefused(dry("nvme7n1"), "There is no block device nvme7n1");
    }

    @Test
    void refusesToChooseAmongSeveral() throws Exception {
        drive("nvme1n1", STORE);
        drive("nvme2n1", STORE);
        assertRefused(dry(), "There are 2 instance-store drives, nvme1n1 nvme2n1: name the one");
    }

    @Test
    void refusesADriveThatIsMountedAndAMountPointThatIsTaken() throws Exception {
        drive("nvme1n1", STORE);
        Files.writeString(machine.resolve("proc/mounts"), "/dev/nvme1n1 /data ext4 rw 0 0\n");
        assertRefused(dry(), "/dev/nvme1n1 is mounted at /data already");
        Files.writeString(machine.resolve("proc/mounts"), "/dev/md0 /instance_store ext4 rw 0 0\n");
        assertRefused(dry(), "/dev/md0 is mounted at /instance_store already");
    }

    @Test
    void refusesADriveThatIsInUseOtherwise() throws Exception {
        drive("nvme1n1", STORE);
        Path swaps = Files.writeString(machine.resolve("proc/swaps"), "Filename Type\n/dev/nvme1n1 partition 1 0 -2\n");
        assertRefused(dry(), "is swapped to");
        Files.delete(swaps);
        Files.createDirectories(machine.resolve("sys/block/nvme1n1/holders/md0"));
        assertRefused(dry(), "nvme1n1 is part of md0");
        Files.createDirectories(machine.resolve("sys/block/nvme1n1/nvme1n1p1"));
        assertRefused(dry(), "nvme1n1 has partitions (nvme1n1p1)");
    }

    @Test
    void refusesWhoIsNotRootUnlessItRunsDry() throws Exception {
        drive("nvme1n1", STORE);
        program("id", "echo 1000");
        assertRefused(script(Map.of()), "Only root makes and mounts file systems");
        assertThat(dry().status()).isZero();
    }

    @Test
    void aTreeThatIsNotTheMachineIsForTheDryRunOnly() throws Exception {
        drive("nvme1n1", STORE);
        assertRefused(script(Map.of("MACHINE_ROOT", machine.toString())), "MACHINE_ROOT is for the dry run only");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--wipe", "--mount-point", "../sda", "a b/c", "/dev/"})
    void wrongUsageIsTwo(String argument) throws Exception {
        Launched said = dry(argument);
        assertThat(said.status()).isEqualTo(2);
        assertThat(said.err()).contains("Usage: ps_ec2_setup_instance_store [--dry-run]");
        assertThat(said.out()).isEmpty();
    }

    @Test
    void shellcheckFindsNothing() throws Exception {
        Assumptions.assumeTrue(Launched.isOnPath("shellcheck"), "shellcheck is not installed");
        String script =
                Launched.root().resolve("scripts/ps_ec2_setup_instance_store").toString();
        Launched said = Launched.finish(folder, Launched.start(folder, Map.of(), List.of("shellcheck", script)));
        assertThat(said.out()).isEmpty();
        assertThat(said.status()).isZero();
    }
}
