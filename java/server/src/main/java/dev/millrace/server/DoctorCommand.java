// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.bindings.Bindings;
import dev.millrace.io.DirectMode;
import dev.millrace.io.EngineStatus;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.IoFailure;
import dev.millrace.io.SystemProbe;
import dev.millrace.io.TemporaryFile;
import dev.millrace.io.VirtualFile;
import dev.millrace.io.engine.EngineReport;
import dev.millrace.io.engine.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace doctor}. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = "Says what this machine allows, what would be used and why, and what to do about it.")
final class DoctorCommand implements Callable<Integer> {
    private static final int LABEL_WIDTH = 18;

    private final Surroundings around;
    private final Map<String, Object> facts = new LinkedHashMap<>();
    private final StringBuilder text = new StringBuilder();
    private final List<String> remedies = new ArrayList<>();

    @Option(names = "--json", description = "The same facts as one JSON object.")
    private boolean json;

    @Option(
            names = "--binding",
            paramLabel = "NAME",
            description = "auto (default), ffm, jni or jna: looks through this way to native code.")
    private Optional<String> bindingName = Optional.empty();

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "0..1",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "Folder to ask for direct I/O (default: this one).")
    private String folderName = ".";

    DoctorCommand(Surroundings around) {
        this.around = around;
    }

    @Override
    public Integer call() throws CommandFailure, IOException {
        Logging.silent(); // all of it is said here
        Path folder = Path.of(folderName);
        if (!Files.isDirectory(folder)) {
            throw CommandFailure.failed(folder + (Files.exists(folder) ? " is no folder" : " does not exist"));
        }
        Optional<String> binding = binding();
        system();
        Optional<SystemProbe> probe = SystemProbe.run(binding);
        bindings(Bindings.load(binding), probe);
        probe.ifPresent(this::kernel);
        IoEngineConfig config = IoEngineConfig.defaults()
                .withPool(Sizing.of(16).buffers(), Sizing.of(16).bufferSize());
        try (IoEngine engine = IoEngine.open(binding.map(config::withBinding).orElse(config))) {
            engine(engine);
            directory(engine, folder);
        } catch (EngineUnavailableException e) {
            facts.put("engine", "none");
            say("engine", "none: " + e.getMessage());
        }
        facts.put("remedies", remedies);
        if (json) {
            around.out().println(JSON.std.asString(facts));
        } else {
            around.out().print(text);
            remedies.forEach(remedy -> around.out().println("to do: " + remedy));
        }
        around.out().flush();
        return 0;
    }

    private void say(String label, String sentence) {
        text.append(label).append(":").append(" ".repeat(Math.max(1, LABEL_WIDTH - label.length())));
        text.append(sentence).append('\n');
    }

    private void remedy(String sentence) {
        remedies.add(sentence);
    }

    private void system() {
        String kernel = System.getProperty("os.name") + " " + System.getProperty("os.version");
        facts.put("kernel", kernel);
        facts.put("architecture", System.getProperty("os.arch"));
        facts.put("java", Runtime.version().toString());
        say("system", kernel + ", " + System.getProperty("os.arch") + ", Java " + Runtime.version());
    }

    private Optional<String> binding() {
        try {
            return bindingName.map(BindingName::check);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
    }

    /** The way to native code that was taken, and why others were not. */
    private void bindings(Bindings bindings, Optional<SystemProbe> probe) {
        facts.put("native_library", probe.isPresent());
        if (probe.isPresent()) {
            say("native library", "loaded through the binding " + probe.get().binding());
        } else {
            facts.put("native_library_reason", bindings.reasons());
            say("native library", "none: " + bindings.reasons());
            remedy("Build the native library with `make native`, or see why it is refused above; without it the engine"
                    + " blocking serves");
        }
        List<Map<String, String>> refused = new ArrayList<>();
        for (Bindings.Refusal refusal : bindings.refusals()) {
            refused.add(Map.of("binding", refusal.binding(), "reason", refusal.reason()));
            if (probe.isPresent()) {
                say("not taken", refusal.binding() + ": " + refusal.reason());
            }
        }
        facts.put("bindings_refused", refused);
    }

    private void kernel(SystemProbe probe) {
        Optional<String> refusal = probe.uringRefusal();
        facts.put("io_uring_asked", probe.uringAsked());
        facts.put("io_uring_allowed", probe.uringAllowed());
        refusal.ifPresent(reason -> facts.put("io_uring_refusal", reason));
        if (probe.uringError() != 0) {
            facts.put("io_uring_errno", Errno.name(probe.uringError()));
            facts.put("io_uring_call", probe.uringCall());
        }
        say("io_uring", refusal.isEmpty() ? "allowed: a ring was made and carried out a read" : split(refusal.get()));
        facts.put("kernel_io_uring_disabled", probe.uringDisabled());
        facts.put("seccomp", seccomp(probe.seccomp()));
        say(
                "restrictions",
                "kernel.io_uring_disabled "
                        + (probe.uringDisabled() < 0 ? "is not known to this kernel" : "is " + probe.uringDisabled())
                        + "; seccomp: " + seccomp(probe.seccomp()));
        if (probe.uringAllowed()) {
            facts.put("features", probe.featureNames());
            facts.put("ring_operations", probe.operationNames());
            facts.put("setup_flags", setupFlags(probe.setupFlags()));
            facts.put(
                    "buffer_registration", probe.registerError() == 0 ? "allowed" : Errno.name(probe.registerError()));
            say("ring features", String.join(" ", probe.featureNames()));
            say("ring set-up", String.join(" ", setupFlags(probe.setupFlags())));
            say("ring operations", String.join(" ", probe.operationNames()) + "; others by worker threads");
            say(
                    "registration",
                    probe.registerError() == 0
                            ? "buffers can be registered"
                            : "buffers cannot be registered: io_uring_register failed with "
                                    + Errno.name(probe.registerError()));
        }
        facts.put("memlock_soft", probe.memlockSoft());
        facts.put("memlock_hard", probe.memlockHard());
        say(
                "memlock",
                EngineReport.bytes(probe.memlockSoft()) + " (soft), " + EngineReport.bytes(probe.memlockHard())
                        + " (hard)");
        facts.put("huge_pages_mode", probe.hugePages().name().toLowerCase(Locale.ROOT));
        say("huge pages", "transparent huge pages: " + probe.hugePages().name().toLowerCase(Locale.ROOT));
        if (probe.hugePages() == SystemProbe.HugePages.NEVER) {
            remedy("Huge pages are off and cost half the throughput: echo madvise >"
                    + " /sys/kernel/mm/transparent_hugepage/enabled");
        }
        facts.put("epoll_allowed", probe.epollError() == 0);
        say("epoll", probe.epollRefusal().orElse("allowed"));
    }

    /** The reason; the remedy, behind the semicolon, goes where remedies are. */
    private String split(String refusal) {
        int cut = refusal.indexOf("; ");
        if (cut < 0) {
            return refusal;
        }
        String todo = refusal.substring(cut + 2);
        remedy(Character.toUpperCase(todo.charAt(0)) + todo.substring(1));
        return refusal.substring(0, cut);
    }

    private static String seccomp(int mode) {
        return switch (mode) {
            case 0 -> "none";
            case 1 -> "strict";
            case 2 -> "filter";
            default -> "unknown";
        };
    }

    private static List<String> setupFlags(int flags) {
        List<String> names = new ArrayList<>();
        for (int bit = 0; bit < Integer.SIZE; bit++) {
            if ((flags >>> bit & 1) != 0) {
                names.add(
                        switch (bit) {
                            case 3 -> "CQSIZE";
                            case 4 -> "CLAMP";
                            case 7 -> "SUBMIT_ALL";
                            case 8 -> "COOP_TASKRUN";
                            case 9 -> "TASKRUN_FLAG";
                            case 12 -> "SINGLE_ISSUER";
                            case 13 -> "DEFER_TASKRUN";
                            case 16 -> "NO_SQARRAY";
                            default -> "bit " + bit;
                        });
            }
        }
        return names;
    }

    private void engine(IoEngine engine) {
        EngineStatus status = engine.status();
        facts.put("engine", status.engine().label());
        facts.put("binding", status.binding());
        facts.put("engine_notes", status.notes());
        facts.put("huge_pages", status.hugePages());
        facts.put("pool_bytes", (long) status.buffers() * status.bufferSize());
        facts.put("pool_huge_page_bytes", status.hugePageBytes());
        facts.put("registered_buffers", status.registeredBuffers());
        facts.put("buffers", status.buffers());
        facts.put(
                "rings",
                status.rings().stream()
                        .map(ring -> Map.of(
                                "engine",
                                ring.engine().label(),
                                "slots",
                                ring.slots(),
                                "registered_buffers",
                                ring.registeredBuffers(),
                                "ending",
                                ring.ending()))
                        .toList());
        facts.put("engine_switches", status.switches());
        facts.put("kernel_workers", engine.counters().kernelWorkers());
        say(
                "engine",
                status.engine().label() + " through " + status.binding()
                        + (status.notes().isEmpty()
                                ? ", the best there is"
                                : "; " + String.join("; ", status.notes())));
        say(
                "pool",
                status.buffers() + " buffers of " + EngineReport.bytes(status.bufferSize()) + ", "
                        + status.registeredBuffers() + " registered, " + EngineReport.bytes(status.hugePageBytes())
                        + " on huge pages");
        say("rings", status.rings().size() + ", of " + status.slots() + " operations in flight at most");
        say("kernel workers", engine.counters().kernelWorkers() + " seen");
    }

    private void directory(IoEngine engine, Path folder) throws IOException {
        facts.put("directory", folder.toString());
        String type = Files.getFileStore(folder).type();
        facts.put("file_system", type);
        try (TemporaryFile temporary = TemporaryFile.create(engine, folder, DirectMode.REQUIRED)) {
            VirtualFile opened = temporary.file();
            facts.put("direct_io", opened.isDirect());
            facts.put("direct_io_memory_alignment", opened.alignment().memory());
            facts.put("direct_io_offset_alignment", opened.alignment().offset());
            say(
                    "direct I/O",
                    "in " + folder + " (" + type + "): memory aligned to "
                            + opened.alignment().memory() + ", offsets to "
                            + opened.alignment().offset() + " bytes");
        } catch (IoFailure e) {
            facts.put("direct_io", false);
            facts.put("direct_io_refusal", e.getMessage());
            say("direct I/O", "not in " + folder + " (" + type + "): " + e.getMessage());
            remedy("Download to a folder on a file system with direct I/O (ext4, xfs, btrfs); elsewhere the page cache"
                    + " is used");
        }
    }
}
