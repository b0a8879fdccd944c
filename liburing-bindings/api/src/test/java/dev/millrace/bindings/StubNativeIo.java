// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.function.IntToLongFunction;

/** A library that is not there: answers the handshake only. */
final class StubNativeIo {
    private StubNativeIo() {}

    static NativeIo of(String binding, int version, IntToLongFunction constants) {
        return (NativeIo) Proxy.newProxyInstance(
                NativeIo.class.getClassLoader(),
                new Class<?>[] {NativeIo.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "binding" -> binding;
                    case "abiVersion" -> version;
                    case "constant" -> constants.applyAsLong((Integer) arguments[0]);
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    /** Cannot be loaded. */
    public static final class Failing implements NativeIoProvider {
        @Override
        public String name() {
            return "failing";
        }

        @Override
        public int priority() {
            return 300;
        }

        @Override
        public NativeIo load(Path library) throws BindingUnavailableException {
            throw new BindingUnavailableException("the stub refuses " + library);
        }
    }

    /** Speaks another version. */
    public static final class Old implements NativeIoProvider {
        /** How often it was loaded and not unloaded. */
        static int loaded;

        @Override
        public String name() {
            return "old";
        }

        @Override
        public int priority() {
            return 200;
        }

        @Override
        public NativeIo load(Path library) {
            loaded++;
            return of("old", NativeConstants.ABI_VERSION + 41, id -> id);
        }

        @Override
        public boolean unload(NativeIo nativeIo) {
            loaded--;
            return true;
        }
    }

    /** Works. */
    public static final class Good implements NativeIoProvider {
        @Override
        public String name() {
            return "good";
        }

        @Override
        public int priority() {
            return 100;
        }

        @Override
        public NativeIo load(Path library) {
            return of("good", NativeConstants.ABI_VERSION, id -> id);
        }
    }
}
