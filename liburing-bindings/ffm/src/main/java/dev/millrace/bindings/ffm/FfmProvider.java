// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.ffm;

import dev.millrace.bindings.BindingUnavailableException;
import dev.millrace.bindings.NativeIo;
import dev.millrace.bindings.NativeIoProvider;
import java.nio.file.Path;
import java.util.Optional;

/** Offers the foreign function and memory API of JDK 22 and later. */
public final class FfmProvider implements NativeIoProvider {
    private static Optional<Path> library = Optional.empty();

    /** For {@link java.util.ServiceLoader}. */
    public FfmProvider() {}

    @Override
    public String name() {
        return "ffm";
    }

    @Override
    public int priority() {
        return 100;
    }

    @Override
    public NativeIo load(Path path) throws BindingUnavailableException {
        synchronized (FfmProvider.class) {
            if (library.isPresent() && !library.get().equals(path)) {
                throw new BindingUnavailableException(
                        "these classes have already loaded " + library.get() + " and cannot load " + path + " as well");
            }
            library = Optional.of(path);
        }
        try {
            NativeIo nativeIo = new FfmNativeIo();
            // The first call initialises Functions, which binds every function or names the one that is missing.
            nativeIo.abiVersion();
            return nativeIo;
        } catch (IllegalCallerException e) {
            throw new BindingUnavailableException(
                    "this JVM denies native access: start it with --enable-native-access=ALL-UNNAMED or the module's name",
                    e);
        } catch (LinkageError | IllegalArgumentException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new BindingUnavailableException(path + " cannot be bound: " + cause.getMessage(), e);
        }
    }

    static synchronized Path libraryToBind() {
        return library.orElseThrow();
    }
}
