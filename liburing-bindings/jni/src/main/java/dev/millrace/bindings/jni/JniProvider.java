// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.jni;

import dev.millrace.bindings.BindingUnavailableException;
import dev.millrace.bindings.NativeFunction;
import dev.millrace.bindings.NativeIo;
import dev.millrace.bindings.NativeIoProvider;
import dev.millrace.bindings.NativeLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Offers JNI: compiled glue, for every JDK from 17 on. */
public final class JniProvider implements NativeIoProvider {
    static final String NAME = "jni";

    private static final Logger LOG = LoggerFactory.getLogger(JniProvider.class);

    private static Optional<Path> loaded = Optional.empty();

    /** For {@link java.util.ServiceLoader}. */
    public JniProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int priority() {
        return 90;
    }

    @Override
    public String library() {
        return "millrace-jni";
    }

    @Override
    public NativeIo load(Path library) throws BindingUnavailableException {
        synchronized (JniProvider.class) {
            if (loaded.isEmpty()) {
                open(library);
                loaded = Optional.of(library);
            } else if (!loaded.get().equals(library)) {
                throw BindingUnavailableException.anotherIsLoaded(loaded.get(), library);
            }
        }
        checkThatItIsComplete(library);
        return new JniNativeIo();
    }

    private static void open(Path library) throws BindingUnavailableException {
        try {
            link(library);
        } catch (UnsatisfiedLinkError e) {
            if (!String.valueOf(e.getMessage()).contains("already loaded in another classloader")) {
                throw cannotBeLoaded(library, e);
            }
            Path copy = NativeLibrary.privateCopy(library);
            try {
                link(copy);
            } catch (UnsatisfiedLinkError again) {
                throw cannotBeLoaded(copy, again);
            } finally {
                remove(copy);
            }
        }
    }

    @SuppressWarnings("restricted") // native access is what this class is for
    private static void link(Path library) throws BindingUnavailableException {
        try {
            System.load(library.toString());
        } catch (IllegalCallerException e) {
            throw BindingUnavailableException.nativeAccessDenied(JniProvider.class, e);
        }
    }

    private static BindingUnavailableException cannotBeLoaded(Path library, UnsatisfiedLinkError e) {
        return new BindingUnavailableException(library + " cannot be loaded: " + e.getMessage(), e);
    }

    private static void remove(Path copy) {
        try {
            Files.deleteIfExists(copy);
        } catch (IOException e) {
            LOG.warn("The copy {} of a loaded library could not be removed: {}", copy, e.toString());
        }
    }

    /** The JVM looks a native method up at its first call only: what is missing is to be known now. */
    private static void checkThatItIsComplete(Path library) throws BindingUnavailableException {
        String prefix = "Java_" + Glue.class.getName().replace('.', '_') + "_";
        try {
            for (NativeFunction function : NativeFunction.values()) {
                if (!Glue.has(prefix + function.javaName())) {
                    throw new BindingUnavailableException(library + " lacks the function " + function.symbol()
                            + ": use the library and the jars of one release");
                }
            }
        } catch (UnsatisfiedLinkError e) {
            throw new BindingUnavailableException(
                    library + " is not made for the classes of " + Glue.class.getPackageName()
                            + ": take the binding ffm or jna where packages are relocated",
                    e);
        }
    }
}
