// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.NativeIo;
import dev.millrace.bindings.Settings;
import dev.millrace.io.engine.Driver;
import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.PoolMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses and starts an engine. One asked for by name is that one or a clear error; otherwise the best that works, each
 * step down kept as a sentence and said in one log line.
 */
final class EngineFactory {
    private static final Logger LOG = LoggerFactory.getLogger(EngineFactory.class);
    private static final String OPENED_WITHOUT =
            "it was opened as blocking, which loads no native code: open it with IoEngineConfig.withSwitching()";

    /**
     * What was started.
     *
     * @param source makes other lanes on the same foundation
     */
    record Opened(Foundation foundation, Lanes.Started lanes, Lanes.Source source) {}

    private EngineFactory() {}

    static Opened open(IoEngineConfig config) throws EngineUnavailableException {
        boolean blocking = config.engine().equals(Optional.of(EngineKind.BLOCKING));
        if (blocking && !config.switching()) {
            return start(config, Foundation.ofJava(config, OPENED_WITHOUT), config.engine(), List.of());
        }
        Bindings bindings = Bindings.load(config.binding());
        if (bindings.nativeIo().isEmpty()) {
            String reason = "no native library: " + bindings.reasons();
            Optional<String> binding = wantedBinding(config);
            if (!blocking && (config.engine().isPresent() || binding.isPresent())) {
                throw new EngineUnavailableException("the engine "
                        + config.engine().map(EngineKind::label).orElse("by binding " + binding.orElse(""))
                        + " cannot be had: " + reason);
            }
            Optional<EngineKind> java = Optional.of(EngineKind.BLOCKING);
            return said(start(config, Foundation.ofJava(config, reason), java, List.of(reason)));
        }
        NativeIo nativeIo = bindings.nativeIo().get();
        Foundation foundation =
                Foundation.ofNative(config, nativeIo, bindings.constants().orElseThrow());
        return said(start(config, foundation, config.engine(), List.of()));
    }

    /** An engine of one lane over a driver that is brought along, with its calls. */
    static Opened over(IoEngineConfig config, Supplier<Driver> driver, Supplier<PoolMemory> memory)
            throws EngineUnavailableException {
        EngineLoop loop = EngineLoop.start(LaneStarter.nextName(), config.queue(), driver);
        try {
            Foundation foundation = Foundation.of(
                    loop.driver().syscalls(),
                    Foundation.mapped(config, memory),
                    "it stands on a driver that was brought along");
            Lane lane = new Lane(EngineKind.BLOCKING, loop);
            return new Opened(
                    foundation,
                    new Lanes.Started(EngineKind.BLOCKING, List.of(lane), List.of()),
                    new LaneStarter(config, foundation));
        } catch (EngineUnavailableException | RuntimeException | Error e) {
            loop.close();
            throw e;
        }
    }

    /** The binding that the program asked for, or the settings where native code is not switched off by them. */
    private static Optional<String> wantedBinding(IoEngineConfig config) {
        Optional<String> asked = config.binding();
        if (asked.isEmpty() && !Settings.isOff(Bindings.NATIVE_PROPERTY, Bindings.NATIVE_VARIABLE)) {
            asked = Settings.read(Bindings.BINDING_PROPERTY, Bindings.BINDING_VARIABLE);
        }
        return asked.filter(name -> !name.equals("auto"));
    }

    private static Opened said(Opened opened) {
        List<String> notes = opened.lanes().allNotes();
        if (!notes.isEmpty()) {
            LOG.warn("Millrace runs on the engine {}: {}", opened.lanes().kind().label(), String.join("; ", notes));
        }
        return opened;
    }

    /** The engine that is wanted, or the best that works; the reasons of each step down in the notes. */
    private static Opened start(
            IoEngineConfig config, Foundation foundation, Optional<EngineKind> wanted, List<String> reasons)
            throws EngineUnavailableException {
        LaneStarter starter = new LaneStarter(config, foundation);
        List<String> notes = new ArrayList<>(reasons);
        boolean started = false;
        try {
            Optional<Lanes.Started> lanes = Optional.empty();
            for (EngineKind kind : wanted.map(List::of).orElse(List.of(EngineKind.values()))) {
                try {
                    Lanes.Started got = starter.startOrRefuse(kind, false);
                    List<String> all = new ArrayList<>(notes);
                    all.addAll(got.notes());
                    lanes = Optional.of(new Lanes.Started(kind, got.lanes(), all));
                    break;
                } catch (LaneStarter.RefusedException e) {
                    notes.add(e.getMessage());
                    if (wanted.isPresent()) {
                        throw new EngineUnavailableException(Lanes.refused(kind) + String.join("; ", notes));
                    }
                }
            }
            Opened opened = new Opened(
                    foundation,
                    lanes.orElseThrow(
                            () -> new EngineUnavailableException("no engine can be had: " + String.join("; ", notes))),
                    starter);
            started = true;
            return opened;
        } finally {
            if (!started) {
                foundation.abandon();
            }
        }
    }
}
