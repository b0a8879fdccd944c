// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.contract;

import dev.millrace.bindings.NativeIoProvider;
import java.net.URL;
import java.net.URLClassLoader;

/** Loads the classes of a binding anew, since they bind one library for as long as they live. */
public final class FreshClasses extends URLClassLoader {
    private final String prefix;

    private FreshClasses(Class<?> like) {
        super(new URL[] {like.getProtectionDomain().getCodeSource().getLocation()}, like.getClassLoader());
        prefix = like.getPackageName() + ".";
    }

    /** A provider of the same name whose classes, and those of its package, are loaded anew. */
    public static NativeIoProvider of(NativeIoProvider like) throws ReflectiveOperationException {
        ClassLoader loader = new FreshClasses(like.getClass());
        return (NativeIoProvider)
                loader.loadClass(like.getClass().getName()).getConstructor().newInstance();
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            if (!name.startsWith(prefix)) {
                return super.loadClass(name, resolve);
            }
            Class<?> loaded = findLoadedClass(name);
            return loaded == null ? findClass(name) : loaded;
        }
    }
}
