// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** The choice of a way across, with providers that are not there. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BindingsTest {
    @TempDir
    Path folder;

    private final Optional<String> directory =
            Optional.ofNullable(System.getProperty(NativeLibrary.DIRECTORY_PROPERTY));

    private final Optional<String> binding = Optional.ofNullable(System.getProperty(Bindings.BINDING_PROPERTY));

    @BeforeEach
    void aFolderWithALibrary() throws Exception {
        Files.write(folder.resolve("libmillrace.so"), NativeFixture.fabricated());
        System.setProperty(NativeLibrary.DIRECTORY_PROPERTY, folder.toString());
        System.clearProperty(Bindings.BINDING_PROPERTY);
    }

    @AfterEach
    void restoreSettings() {
        directory.ifPresentOrElse(
                value -> System.setProperty(NativeLibrary.DIRECTORY_PROPERTY, value),
                () -> System.clearProperty(NativeLibrary.DIRECTORY_PROPERTY));
        System.clearProperty(Bindings.NATIVE_PROPERTY);
        binding.ifPresentOrElse(
                value -> System.setProperty(Bindings.BINDING_PROPERTY, value),
                () -> System.clearProperty(Bindings.BINDING_PROPERTY));
    }

    @Test
    @Order(1) // what is loaded once is kept, with the reasons of that time
    void takesTheBestThatLoadsAndKeepsWhyOthersWereNot() {
        Bindings bindings = Bindings.load(Optional.empty());
        assertThat(bindings.nativeIo().orElseThrow().binding()).isEqualTo("good");
        assertThat(bindings.constants()).isPresent();
        assertThat(bindings.reasons())
                .contains("NoSuchProvider")
                .contains("failing: the stub refuses")
                .contains("old: libmillrace speaks version " + (NativeConstants.ABI_VERSION + 41));
    }

    @Test
    void takesTheOneThatIsNamedOrNone() {
        assertThat(Bindings.load(Optional.of("good")).nativeIo()).isPresent();
        Bindings failing = Bindings.load(Optional.of("failing"));
        assertThat(failing.nativeIo()).isEmpty();
        assertThat(failing.constants()).isEmpty();
        assertThat(failing.reasons()).contains("the stub refuses");
        Bindings old = Bindings.load(Optional.of("old"));
        assertThat(old.nativeIo()).isEmpty();
        assertThat(old.reasons()).contains("one release");
        assertThat(StubNativeIo.Old.loaded)
                .as("libraries of another version kept")
                .isZero();
    }

    @Test
    void namesTheBindingThatNobodyProvides() {
        Bindings none = Bindings.load(Optional.of("jnx"));
        assertThat(none.nativeIo()).isEmpty();
        assertThat(none.reasons()).contains("jnx").contains("class path");
    }

    @Test
    void followsTheSettingsInTheirOrder() {
        System.setProperty(Bindings.BINDING_PROPERTY, "failing");
        assertThat(Bindings.load(Optional.empty()).nativeIo()).isEmpty();
        assertThat(Bindings.load(Optional.of("good")).nativeIo()).isPresent();
        System.setProperty(Bindings.BINDING_PROPERTY, "auto");
        assertThat(Bindings.load(Optional.empty()).nativeIo()).isPresent();
    }

    @Test
    void loadsNothingWhenThatIsSwitchedOff() {
        for (String off : List.of("off", "OFF", "false", "no", "0", " off ")) {
            System.setProperty(Bindings.NATIVE_PROPERTY, off);
            Bindings bindings = Bindings.load(Optional.of("good"));
            assertThat(bindings.nativeIo()).isEmpty();
            assertThat(bindings.reasons()).contains("switched off").contains(Bindings.NATIVE_PROPERTY);
        }
        System.setProperty(Bindings.NATIVE_PROPERTY, "on");
        assertThat(Bindings.load(Optional.of("good")).nativeIo()).isPresent();
    }

    @Test
    void givesAllThreadsTheSameBinding() throws Exception {
        List<NativeIo> found = Collections.synchronizedList(new ArrayList<>());
        CyclicBarrier barrier = new CyclicBarrier(16);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            Thread thread = new Thread(() -> {
                try {
                    barrier.await();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
                found.add(Bindings.load(Optional.empty()).nativeIo().orElseThrow());
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(found).hasSize(16);
        assertThat(found.stream().map(System::identityHashCode).distinct()).hasSize(1);
    }

    @Test
    void findsTheLibraryInTheFolderThatIsNamedAndNowhereElse() throws Exception {
        assertThat(NativeLibrary.locate("millrace")).isEqualTo(folder.resolve("libmillrace.so"));
        Path empty = Files.createDirectory(folder.resolve("empty"));
        System.setProperty(NativeLibrary.DIRECTORY_PROPERTY, empty.toString());
        assertThatThrownBy(() -> NativeLibrary.locate("millrace"))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("libmillrace.so")
                .hasMessageContaining(empty.toString())
                .hasMessageContaining(NativeLibrary.DIRECTORY_PROPERTY)
                .hasMessageContaining("make native");
        System.setProperty(NativeLibrary.DIRECTORY_PROPERTY, "no\0folder");
        assertThatThrownBy(() -> NativeLibrary.locate("millrace"))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("libmillrace.so");
        Files.createDirectory(empty.resolve("libmillrace.so"));
        System.setProperty(NativeLibrary.DIRECTORY_PROPERTY, empty.toString());
        assertThatThrownBy(() -> NativeLibrary.locate("millrace")).isInstanceOf(BindingUnavailableException.class);
    }

    @Test
    void namesTheSystemThatItIsNotMadeFor() {
        String os = System.getProperty("os.name");
        try {
            System.setProperty("os.name", "Mac OS X");
            assertThatThrownBy(() -> NativeLibrary.locate("millrace"))
                    .isInstanceOf(BindingUnavailableException.class)
                    .hasMessageContaining("Mac OS X")
                    .hasMessageContaining("blocking");
        } finally {
            System.setProperty("os.name", os);
        }
    }
}
