// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.jna;

import com.sun.jna.Native;
import dev.millrace.bindings.BindingUnavailableException;
import dev.millrace.bindings.NativeIo;
import dev.millrace.bindings.NativeIoProvider;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Offers JNA: for every JDK from 17 on, with nothing compiled for it. The slowest way. */
public final class JnaProvider implements NativeIoProvider {
    static final String NAME = "jna";

    private static final Pattern TWO_VERSIONS =
            Pattern.compile("Expected:\\s*(\\S+)\\s+Found:\\s*(\\S+)\\s+(\\(at .*\\))\\.?\\s");

    private static Optional<Path> loaded = Optional.empty();
    private static Optional<BindingUnavailableException> broken = Optional.empty();

    /** For {@link java.util.ServiceLoader}. */
    public JnaProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int priority() {
        return 80;
    }

    @Override
    public NativeIo load(Path library) throws BindingUnavailableException {
        synchronized (JnaProvider.class) {
            if (loaded.isPresent() && !loaded.get().equals(library)) {
                throw BindingUnavailableException.anotherIsLoaded(loaded.get(), library);
            }
            if (broken.isPresent()) {
                // JNA's classes are spoilt after a failure and would only say so: the first cause is the true one.
                throw broken.get();
            }
            NativeIo nativeIo = bind(library);
            loaded = Optional.of(library);
            return nativeIo;
        }
    }

    @Override
    public boolean unload(NativeIo nativeIo) {
        synchronized (JnaProvider.class) {
            Direct.unbind();
            loaded = Optional.empty();
            return true;
        }
    }

    private static NativeIo bind(Path library) throws BindingUnavailableException {
        try {
            Direct.bind(library);
            return new JnaNativeIo();
        } catch (UnsatisfiedLinkError e) {
            if (String.valueOf(e.getMessage()).contains("jnidispatch")) {
                throw spoilt(
                        "JNA cannot load its own native part (" + e.getMessage()
                                + "): name a folder that can hold programs with -Djna.tmpdir",
                        e);
            }
            throw new BindingUnavailableException(library + " cannot be bound: " + firstLine(e), e);
        } catch (NoClassDefFoundError e) {
            if (String.valueOf(e.getMessage()).startsWith("java/util/logging/")) {
                throw spoilt(
                        "JNA needs the JDK's module java.logging, which this run-time image lacks: add it with jlink"
                                + " --add-modules",
                        e);
            }
            throw spoilt(
                    "JNA is not on the class path or broken (" + e.getMessage() + "): add net.java.dev.jna:jna", e);
        } catch (ExceptionInInitializerError e) {
            if (e.getCause() instanceof IllegalCallerException) {
                throw spoilt(BindingUnavailableException.nativeAccessDenied(Native.class, e));
            }
            throw spoilt("JNA cannot be initialised: " + e.getCause(), e);
        } catch (Error e) {
            // JNA throws a plain Error where its classes and its native part are of two versions, and names both.
            if (e instanceof VirtualMachineError) {
                throw e;
            }
            throw spoilt(sentence(String.valueOf(e.getMessage())), e);
        }
    }

    /** JNA's text of many lines as one that is about our user's class path. */
    static String sentence(String text) {
        Matcher versions = TWO_VERSIONS.matcher(text);
        if (versions.find()) {
            return "JNA's classes need its native part of version " + versions.group(1) + " and found that of version "
                    + versions.group(2) + " " + versions.group(3)
                    + ": have net.java.dev.jna:jna in one version only";
        }
        return "JNA cannot be used: " + text.strip().replaceAll("\\s+", " ");
    }

    private static BindingUnavailableException spoilt(String reason, Throwable cause) {
        return spoilt(new BindingUnavailableException(reason, cause));
    }

    private static BindingUnavailableException spoilt(BindingUnavailableException exception) {
        broken = Optional.of(exception);
        return exception;
    }

    private static String firstLine(Throwable e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }
}
