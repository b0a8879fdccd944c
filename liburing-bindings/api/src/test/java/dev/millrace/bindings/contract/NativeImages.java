// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.contract;

import dev.millrace.bindings.NativeFunction;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Generates what native images must be told ({@code reachability-metadata.json}, GraalVM 23 and later) from the list of
 * functions.
 */
public final class NativeImages {
    private NativeImages() {}

    /** The shapes of the calls that FFM makes. */
    public static String downcalls() {
        List<String> shapes = Stream.of(NativeFunction.values())
                .map(NativeImages::downcall)
                .distinct()
                .sorted()
                .toList();
        return "{\n  \"foreign\": {\n    \"downcalls\": [\n      " + String.join(",\n      ", shapes)
                + "\n    ]\n  }\n}\n";
    }

    private static String downcall(NativeFunction function) {
        String parameters = function.parameters()
                .chars()
                .mapToObj(type -> "\"" + name((char) type, true) + "\"")
                .collect(Collectors.joining(", "));
        return "{\"returnType\": \"" + name(function.result(), true) + "\", \"parameterTypes\": [" + parameters + "]}";
    }

    /**
     * The native methods of a class that something looks up by name.
     *
     * @param type the class
     * @param name a method's name
     */
    public static String methods(String type, Function<NativeFunction, String> name) {
        String methods = Stream.of(NativeFunction.values())
                .map(function -> method(function, name.apply(function)))
                .collect(Collectors.joining(",\n        "));
        return "{\n  \"reflection\": [\n    {\n      \"type\": \"" + type + "\",\n      \"jniAccessible\": true,\n"
                + "      \"methods\": [\n        " + methods + "\n      ]\n    }\n  ]\n}\n";
    }

    private static String method(NativeFunction function, String name) {
        String parameters = function.parameters()
                .chars()
                .mapToObj(type -> "\"" + name((char) type, false) + "\"")
                .collect(Collectors.joining(", "));
        return "{\"name\": \"" + name + "\", \"parameterTypes\": [" + parameters + "]}";
    }

    private static String name(char type, boolean layout) {
        return (layout ? "j" : "") + (type == 'J' ? "long" : "int");
    }
}
