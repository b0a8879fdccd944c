// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.NativeLibrary;
import dev.millrace.io.engine.ScriptedDriver;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which engine is taken, and what is said about it. */
@Timeout(60)
class EngineChoiceTest {
    private final Map<String, String> before = new HashMap<>();

    @BeforeEach
    void rememberSettings() {
        for (String key : List.of(
                IoEngineConfig.ENGINE_PROPERTY,
                IoEngineConfig.IO_URING_PROPERTY,
                Bindings.BINDING_PROPERTY,
                Bindings.NATIVE_PROPERTY,
                NativeLibrary.DIRECTORY_PROPERTY)) {
            before.put(key, System.getProperty(key));
        }
    }

    @AfterEach
    void restoreSettings() {
        before.forEach((key, value) -> {
            if (value == null) {
                System.clearProperty(key);
            } else {
                System.setProperty(key, value);
            }
        });
    }

    private static IoEngineConfig small() {
        return IoEngineConfig.defaults().withSlots(64).withWorkers(2).withPool(TestEngines.BUFFERS, TestEngines.BUFFER);
    }

    private static boolean has(EngineKind kind) {
        try {
            IoEngine.open(small().withEngine(kind)).close();
            return true;
        } catch (EngineUnavailableException e) {
            return false;
        }
    }

    @Test
    void takesTheBestThatWorks() throws Exception {
        EngineKind best = has(EngineKind.IO_URING)
                ? EngineKind.IO_URING
                : has(EngineKind.EPOLL) ? EngineKind.EPOLL : EngineKind.BLOCKING;
        try (IoEngine engine = IoEngine.open(small().withEngine(Optional.empty()))) {
            assertThat(engine.kind()).isEqualTo(best);
            assertThat(engine.status().notes().isEmpty()).isEqualTo(best == EngineKind.IO_URING);
        }
    }

    @ParameterizedTest
    @EnumSource
    void takesTheOneThatIsNamedAndSaysSo(EngineKind kind) throws Exception {
        IoEngineConfig config = small().withEngine(kind);
        try (IoEngine engine = TestEngines.open(config)) {
            EngineStatus status = engine.status();
            assertThat(status.engine()).isEqualTo(kind).isEqualTo(engine.kind());
            assertThat(engine.loop().driver().kind()).isEqualTo(kind.label());
            assertThat(status.binding()).isEqualTo(kind == EngineKind.BLOCKING ? "none" : TestEngines.binding());
            assertThat(status.slots()).isEqualTo(64);
            assertThat(status.buffers())
                    .isEqualTo(TestEngines.BUFFERS)
                    .isEqualTo(engine.buffers().size());
            assertThat(status.bufferSize()).isEqualTo(TestEngines.BUFFER);
            assertThat(engine.counters().registeredBuffers()).isEqualTo(status.registeredBuffers());
            assertThat(status.hugePages())
                    .isEqualTo(status.hugePageBytes() >= TestEngines.BUFFERS * TestEngines.BUFFER);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"io_uring", "epoll", "blocking"})
    void followsTheSettingThatNamesAnEngine(String name) throws Exception {
        System.setProperty(IoEngineConfig.ENGINE_PROPERTY, name);
        try (IoEngine engine = TestEngines.open(small())) {
            assertThat(engine.kind().label()).isEqualTo(name);
        }
    }

    @Test
    void refusesAnEngineThatDoesNotExist() {
        System.setProperty(IoEngineConfig.ENGINE_PROPERTY, "kqueue");
        assertThatThrownBy(IoEngineConfig::defaults)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("kqueue")
                .hasMessageContaining("io_uring")
                .hasMessageContaining("blocking");
    }

    @Test
    void makesNoRingWhenThatIsSwitchedOff() throws Exception {
        boolean epoll = has(EngineKind.EPOLL);
        System.setProperty(IoEngineConfig.IO_URING_PROPERTY, "off");
        try (IoEngine engine = IoEngine.open(small().withEngine(Optional.empty()))) {
            assertThat(engine.kind()).isEqualTo(epoll ? EngineKind.EPOLL : EngineKind.BLOCKING);
            if (epoll) {
                assertThat(engine.status().notes())
                        .singleElement()
                        .asString()
                        .contains("switched off")
                        .contains(IoEngineConfig.IO_URING_PROPERTY);
            }
        }
        assertThatThrownBy(() -> IoEngine.open(small().withEngine(EngineKind.IO_URING)))
                .isInstanceOf(EngineUnavailableException.class)
                .hasMessageContaining("io_uring");
    }

    @Test
    void loadsNoNativeCodeWhenThatIsSwitchedOff() throws Exception {
        System.setProperty(Bindings.NATIVE_PROPERTY, "off");
        try (IoEngine engine = IoEngine.open(small().withEngine(Optional.empty()))) {
            assertThat(engine.kind()).isEqualTo(EngineKind.BLOCKING);
            assertThat(engine.status().binding()).isEqualTo("none");
            assertThat(engine.status().notes())
                    .singleElement()
                    .asString()
                    .contains("switched off")
                    .contains(Bindings.NATIVE_PROPERTY);
        }
        for (EngineKind kind : List.of(EngineKind.IO_URING, EngineKind.EPOLL)) {
            EngineUnavailableException refused = EngineContract.thrownBy(
                    EngineUnavailableException.class, () -> IoEngine.open(small().withEngine(kind)));
            assertThat(refused).hasMessageContaining(kind.label()).hasMessageContaining("switched off");
        }
        System.setProperty(Bindings.BINDING_PROPERTY, "ffm");
        try (IoEngine engine = IoEngine.open(small().withEngine(Optional.empty()))) {
            assertThat(engine.kind()).as("the switch goes before the name").isEqualTo(EngineKind.BLOCKING);
        }
    }

    @Test
    void refusesABindingThatIsNotThere() {
        assertThatThrownBy(() -> IoEngine.open(small().withBinding("jnx")))
                .isInstanceOf(EngineUnavailableException.class)
                .hasMessageContaining("jnx");
        System.setProperty(Bindings.BINDING_PROPERTY, "jny");
        assertThatThrownBy(() -> IoEngine.open(small()))
                .isInstanceOf(EngineUnavailableException.class)
                .hasMessageContaining("jny");
    }

    @Test
    void saysWhereItLookedForTheLibrary() throws Exception {
        String nowhere = "-D" + NativeLibrary.DIRECTORY_PROPERTY + "=/no/such/folder";
        assertThat(inAnotherJvm(nowhere))
                .contains("engine=BLOCKING")
                .contains("libmillrace.so")
                .contains("/no/such/folder")
                .contains(NativeLibrary.DIRECTORY_PROPERTY);
        assertThat(inAnotherJvm(nowhere, "io_uring"))
                .startsWith("refused: the engine io_uring cannot be had")
                .contains("/no/such/folder");
    }

    private static String inAnotherJvm(String option, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                option,
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                ChoiceProbe.class.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    @Test
    void needsNoBindingWhereBlockingIsNamed() throws Exception {
        System.setProperty(Bindings.BINDING_PROPERTY, "none-such");
        try (IoEngine engine = IoEngine.open(small().withEngine(EngineKind.BLOCKING))) {
            assertThat(engine.status().notes()).isEmpty();
        }
    }

    @Test
    void checksItsBounds() {
        IoEngineConfig config = small();
        assertThatThrownBy(() -> config.withSlots(7)).hasMessageContaining("slots");
        assertThatThrownBy(() -> config.withSlots(32769)).hasMessageContaining("slots");
        assertThatThrownBy(() -> config.withPool(0, 4096)).hasMessageContaining("buffers");
        assertThatThrownBy(() -> config.withPool(1, 5000)).hasMessageContaining("multiple of 4096");
        assertThatThrownBy(() -> config.withPool(1, 0)).hasMessageContaining("bufferSize");
        assertThatThrownBy(() -> config.withWorkers(0)).hasMessageContaining("workers");
        assertThatThrownBy(() -> config.withDescriptors(0)).hasMessageContaining("descriptors");
        assertThatThrownBy(() -> config.withDescriptors((1 << 20) + 1)).hasMessageContaining("descriptors");
        assertThatThrownBy(() -> config.withRings(0)).hasMessageContaining("rings");
        assertThatThrownBy(() -> config.withRings(65)).hasMessageContaining("rings");
    }

    @Test
    void saysWhatAPoolThatDoesNotFitWouldNeed() {
        ScriptedDriver driver = new ScriptedDriver(8);
        assertThatThrownBy(() -> EngineFactory.over(small().withPool(3, 8192), () -> driver, () -> {
                    throw new OutOfMemoryError("scripted");
                }))
                .isInstanceOf(EngineUnavailableException.class)
                .hasMessageContaining("3 buffers of 8192 bytes")
                .hasMessageContaining("scripted");
        assertThat(driver.isDestroyed()).isTrue();
    }

    @Test
    void letsTheBindingGoOnceHoweverAnOpenAndAFileOutliveTheirEngine(@TempDir Path folder) throws Exception {
        IoEngine engine = IoEngine.open(small().withEngine(Optional.empty()));
        VirtualFile file = VirtualFile.open(engine, folder.resolve("f"), OpenOptions.creating());
        engine.holdFor("open", "g"); // an open that the close overtakes
        engine.close();
        engine.close();
        engine.hold(); // the file that it brings
        engine.letGo();
        engine.letGo(); // which is closed at once
        file.close();
        assertThatThrownBy(() -> engine.holdFor("open", "h")).isInstanceOf(EngineClosedException.class);
        // Would it have been let go twice, the next one would find that nobody holds it.
        for (int i = 0; i < 3; i++) {
            IoEngine.open(small().withEngine(Optional.empty())).close();
        }
    }
}
