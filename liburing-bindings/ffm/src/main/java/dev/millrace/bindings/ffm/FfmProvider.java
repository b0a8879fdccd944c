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
    private static Optional<BindingUnavailableException> broken = Optional.empty();

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
            if (broken.isPresent()) {
                // Functions is spoilt after a failure and would only say so: the first cause is the true one.
                throw broken.get();
            }
            if (library.isPresent() && !library.get().equals(path)) {
                throw BindingUnavailableException.anotherIsLoaded(library.get(), path);
            }
            library = Optional.of(path);
            try {
                return bind(path);
            } catch (BindingUnavailableException e) {
                broken = Optional.of(e);
                throw e;
            }
        }
    }

    private static NativeIo bind(Path path) throws BindingUnavailableException {
        try {
            NativeIo nativeIo = new FfmNativeIo();
            // The first call initialises Functions, which binds every function or names the one that is missing.
            nativeIo.abiVersion();
            return nativeIo;
        } catch (LinkageError e) {
            // What Functions throws while it is initialised arrives as the cause.
            Throwable cause = e.getCause() == null ? e : e.getCause();
            if (cause instanceof IllegalCallerException) {
                throw BindingUnavailableException.nativeAccessDenied(FfmProvider.class, e);
            }
            throw new BindingUnavailableException(path + " cannot be bound: " + cause.getMessage(), e);
        }
    }

    static synchronized Path libraryToBind() {
        return library.orElseThrow();
    }
}
