// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.ffm;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.bindings.BindingUnavailableException;
import dev.millrace.bindings.NativeIoProvider;
import dev.millrace.bindings.contract.BorderContract;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FfmNativeIoTest extends BorderContract {
    @TempDir
    Path place;

    @Override
    protected String binding() {
        return "ffm";
    }

    @Test
    void refusesASecondLibrary() {
        assertThatThrownBy(() -> new FfmProvider().load(Path.of("/no/such/libmillrace.so")))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("already loaded")
                .hasMessageContaining("/no/such/libmillrace.so");
    }

    @Test
    void saysWhyALibraryCannotBeBound() throws Exception {
        Path missing = place.resolve("none/libmillrace.so");
        assertThatThrownBy(() -> freshProvider().load(missing))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining(missing.toString());
    }

    @Test
    void saysItAgainWhenItIsAskedAgain() throws Exception {
        Path missing = place.resolve("libmillrace.so");
        NativeIoProvider provider = freshProvider();
        assertThatThrownBy(() -> provider.load(missing)).isInstanceOf(BindingUnavailableException.class);
        // The classes are spoilt then, which must be said and not end in an error of the JVM's.
        assertThatThrownBy(() -> provider.load(missing)).isInstanceOf(BindingUnavailableException.class);
    }

    /** A provider whose classes are loaded anew, since a library is bound once for each. */
    private static NativeIoProvider freshProvider() throws Exception {
        URL[] classes = {FfmProvider.class.getProtectionDomain().getCodeSource().getLocation()};
        ClassLoader loader = new URLClassLoader(classes, FfmNativeIoTest.class.getClassLoader()) {
            @Override
            protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
                synchronized (getClassLoadingLock(name)) {
                    if (!name.startsWith("dev.millrace.bindings.ffm.")) {
                        return super.loadClass(name, resolve);
                    }
                    Class<?> loaded = findLoadedClass(name);
                    return loaded == null ? findClass(name) : loaded;
                }
            }
        };
        return (NativeIoProvider)
                loader.loadClass(FfmProvider.class.getName()).getConstructor().newInstance();
    }
}
