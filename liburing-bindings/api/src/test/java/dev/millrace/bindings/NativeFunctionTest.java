// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The list of functions, held against the header on one side and the interface on the other. */
class NativeFunctionTest {
    private static final Path HEADER = Path.of("../../native/include/millrace.h");
    private static final Pattern DECLARATION = Pattern.compile("MR_API (\\w+) (mr_\\w+)\\(([^)]*)\\);");
    /** Declared for users of the C library; Java brings its own. */
    private static final Set<String> C_ONLY = Set.of("mr_crc32c", "mr_copy_checksum", "mr_checksum_features");

    private static Map<String, String> declared() throws Exception {
        Map<String, String> declared = new TreeMap<>();
        Matcher matcher = DECLARATION.matcher(Files.readString(HEADER));
        while (matcher.find()) {
            String parameters = matcher.group(3).equals("void")
                    ? ""
                    : Arrays.stream(matcher.group(3).split(",", -1))
                            .map(parameter -> letter(parameter.trim().replaceFirst(" .*", "")))
                            .collect(Collectors.joining());
            declared.put(matcher.group(2), parameters + ":" + letter(matcher.group(1)));
        }
        return declared;
    }

    private static String letter(String type) {
        return switch (type) {
            case "int64_t", "long" -> "J";
            case "int32_t", "int" -> "I";
            default -> type;
        };
    }

    @Test
    void saysWhatTheHeaderSays() throws Exception {
        Map<String, String> listed = new TreeMap<>();
        for (NativeFunction function : NativeFunction.values()) {
            listed.put(function.symbol(), function.parameters() + ":" + function.result());
        }
        Map<String, String> declared = declared();
        assertThat(declared.keySet()).containsAll(C_ONLY);
        declared.keySet().removeAll(C_ONLY);
        assertThat(listed).isEqualTo(declared);
    }

    @Test
    void saysWhatTheInterfaceSays() {
        Set<String> listed = new TreeSet<>();
        for (NativeFunction function : NativeFunction.values()) {
            listed.add(function.javaName() + " " + function.parameters() + ":" + function.result());
        }
        Set<String> methods = new TreeSet<>();
        for (Method method : NativeIo.class.getDeclaredMethods()) {
            if (!List.of("binding", "view").contains(method.getName())) {
                String parameters = Arrays.stream(method.getParameterTypes())
                        .map(type -> letter(type.getName()))
                        .collect(Collectors.joining());
                methods.add(method.getName() + " " + parameters + ":"
                        + letter(method.getReturnType().getName()));
            }
        }
        assertThat(listed).isEqualTo(methods);
    }
}
