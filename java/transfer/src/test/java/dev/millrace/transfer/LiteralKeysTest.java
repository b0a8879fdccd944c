// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.Request;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The very key is asked for: never another object. */
final class LiteralKeysTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a//b",
                "a/./b",
                "a/../b",
                "/leading",
                "//two",
                "a+b",
                "a%2Bb",
                "a b",
                "a?b",
                "a#b",
                "trailing/.",
                "a/",
                "..",
                ".",
                "a\tb",
                "a\nb",
                "a\u0001b",
                "ä/ö/日本語/🙂",
                "a&b=c;d,e:f@g$h!i'j(k)l*m",
                "a\\b",
                "a\"b<c>d"
            })
    void shouldAskForTheKeyAsItIs(String key) throws IOException {
        try (Rig rig = new Rig(EngineKind.BLOCKING, folder)) {
            Content content = Content.of("content of " + key);
            rig.put(key, content);
            rig.put("b", Content.of("another")); // what a/../b would be, normalised
            rig.get(DownloadRequest.of(Rig.id(key), rig.target("out")));
            Rig.assertSame(rig.target("out"), content);
            Request request = rig.server.requests().get(0);
            assertThat(request.decodedPath()).isEqualTo("/bucket/" + key);
        }
    }
}
