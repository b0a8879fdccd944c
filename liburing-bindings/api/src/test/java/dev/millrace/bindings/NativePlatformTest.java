// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of processors, the C library, and headers of libraries. */
class NativePlatformTest {
    private static final String GLIBC_MAPS = """
            7f00-7f01 r-xp 0 08:01 5   /usr/lib/x86_64-linux-gnu/libc.so.6
            7f02-7f03 r--p 0 08:01 6   /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
            """;

    @ParameterizedTest
    @ValueSource(strings = {"amd64", "x86_64", "x86-64", "x64", "AMD64", "X86_64", " x64 ", "x86 64", "em64t"})
    void knowsEachSpellingOfWideX86(String spelling) throws Exception {
        assertThat(NativePlatform.of("Linux", spelling)).isEqualTo(NativePlatform.X86_64);
        assertThat(NativePlatform.X86_64.classifier()).isEqualTo("linux-x86_64");
    }

    @ParameterizedTest
    @ValueSource(strings = {"aarch64", "arm64", "aarch_64", "AArch64", "ARM64", "arm64-v8", "arm64v8"})
    void knowsEachSpellingOfWideArm(String spelling) throws Exception {
        assertThat(NativePlatform.of("Linux", spelling)).isEqualTo(NativePlatform.AARCH_64);
        assertThat(NativePlatform.AARCH_64.classifier()).isEqualTo("linux-aarch_64");
    }

    @ParameterizedTest
    @ValueSource(strings = {"i386", "i686", "x86", "arm", "armv7l", "armhf", "aarch32"})
    void refusesNarrowProcessorsByName(String processor) {
        assertThatThrownBy(() -> NativePlatform.of("Linux", processor))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("runs on " + processor + ", 32 bits wide")
                .hasMessageContaining("64-bit JVM");
    }

    @ParameterizedTest
    @ValueSource(strings = {"riscv64", "ppc64le", "s390x", "loongarch64", "aarch64_be", "mips64"})
    void refusesOtherProcessorsByName(String processor) {
        assertThatThrownBy(() -> NativePlatform.of("Linux", processor))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("runs on " + processor + ":")
                .hasMessageContaining("linux-x86_64 and linux-aarch_64")
                .hasMessageContaining("blocking");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "7f00-7f01 r-xp 0 08:01 5   /lib/ld-musl-x86_64.so.1\n",
                "7f00-7f01 r-xp 0 08:01 5   /usr/bin/java\n7f00-7f01 r-xp 0 08:01 5   /lib/ld-musl-aarch64.so.1",
                "7f00-7f01 r-xp 0 08:01 5   /lib/libc.musl-x86_64.so.1\n"
            })
    void refusesMuslByNameWithWhatToDo(String maps) {
        assertThatThrownBy(() -> NativePlatform.refuseMusl(maps, false))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("musl")
                .hasMessageContaining("glibc")
                .hasMessageContaining("Debian")
                .hasMessageContaining("blocking");
    }

    @Test
    void takesMuslForWhatRunsOnlyWhereNoGlibcIsMapped() {
        assertThatThrownBy(() -> NativePlatform.refuseMusl("", true)).hasMessageContaining("musl");
        assertThatCode(() -> NativePlatform.refuseMusl("", false)).doesNotThrowAnyException();
        assertThatCode(() -> NativePlatform.refuseMusl(GLIBC_MAPS, true)).doesNotThrowAnyException();
        assertThatCode(() -> NativePlatform.refuseMusl(
                        GLIBC_MAPS + "7f04-7f05 r--p 0 08:01 7   /srv/ld-musl-notes/data.jar\n", false))
                .doesNotThrowAnyException();
    }

    @Test
    void acceptsALibraryForThisProcessorOnly() {
        NativePlatform here = NativeFixture.platform();
        assertThat(NativeElf.fault(NativeFixture.library(), here)).isEmpty();
        assertThat(NativeElf.fault(NativeFixture.fabricated(), here)).isEmpty();
        assertThat(NativeElf.fault(NativeFixture.library(), NativeFixture.otherPlatform()))
                .hasValueSatisfying(fault -> assertThat(fault)
                        .contains("another processor")
                        .contains("machine " + here.machine())
                        .contains(NativeFixture.otherPlatform().classifier()));
        byte[] narrow = NativeFixture.fabricated();
        narrow[4] = 1;
        assertThat(NativeElf.fault(narrow, here))
                .hasValueSatisfying(fault -> assertThat(fault).contains("class 1"));
        byte[] program = NativeFixture.fabricated();
        program[16] = 1;
        assertThat(NativeElf.fault(program, here))
                .hasValueSatisfying(fault -> assertThat(fault).contains("no shared library"));
    }

    @Test
    void namesACorruptLibraryWhereverItIsCutOrGarbled() {
        NativePlatform here = NativeFixture.platform();
        for (byte[] library : List.of(NativeFixture.library(), NativeFixture.fabricated())) {
            for (int length : List.of(0, 1, 4, 63, 64, 100, 4096, library.length / 2, library.length - 1)) {
                assertThat(NativeElf.fault(Arrays.copyOf(library, length), here))
                        .as("cut at %d", length)
                        .isPresent();
            }
            // Whatever 8 bytes of the header hold, the verdict is one of the two and never an exception.
            for (int at = 0; at + 8 <= 256; at++) {
                byte[] garbled = library.clone();
                Arrays.fill(garbled, at, at + 8, (byte) 0xff);
                assertThat(NativeElf.fault(garbled, here)).isNotEqualTo(Optional.of(""));
                Arrays.fill(garbled, at, at + 8, (byte) 0x7f);
                assertThat(NativeElf.fault(garbled, here)).isNotEqualTo(Optional.of(""));
            }
        }
        assertThat(NativeElf.fault(
                        "no library at all, but words in a file of a certain length, more than 64"
                                .getBytes(StandardCharsets.UTF_8),
                        here))
                .hasValueSatisfying(fault -> assertThat(fault).contains("something else"));
    }

    @Test
    void findsTheMountThatCounts() {
        List<String> mounts = List.of(
                "1 0 8:1 / / rw,relatime - ext4 /dev/sda rw",
                "2 1 0:2 / /home rw,nosuid,noexec - ext4 /dev/sdb rw",
                "3 2 0:3 / /home/exec rw - tmpfs none rw",
                "4 1 0:4 / /over rw,noexec - tmpfs none rw",
                "5 4 0:5 / /over rw - tmpfs none rw",
                "6 1 0:6 / /a\\040b ro,noexec shared:1 - tmpfs none rw",
                "short");
        assertThat(noexec(mounts, "/srv/x")).isFalse();
        assertThat(noexec(mounts, "/home/bob/.cache")).isTrue();
        assertThat(noexec(mounts, "/home/exec/x")).isFalse();
        assertThat(noexec(mounts, "/homes/x")).isFalse();
        assertThat(noexec(mounts, "/over/x")).isFalse();
        assertThat(noexec(mounts, "/a b/x")).isTrue();
        assertThat(noexec(List.of(), "/x")).isFalse();
    }

    private static boolean noexec(List<String> mounts, String path) {
        return NativeFolder.isNoexec(mounts, Path.of(path));
    }
}
