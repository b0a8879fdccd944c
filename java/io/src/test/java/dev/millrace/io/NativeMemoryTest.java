// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory outside the heap, over the binding of this run, in a JVM with little heap or under the JVM's own checks. */
class NativeMemoryTest {
    @TempDir
    Path folder;

    private String session(List<String> options, int buffers) throws Exception {
        return ChildJvm.run(
                options, LoaderSession.class, folder.toString(), TestEngines.binding(), String.valueOf(buffers));
    }

    @Test
    @Tag("slow")
    void holdsAPoolOfAGibibyteBesideAHeapOf64Mebibytes() throws Exception {
        assertThat(session(List.of("-Xmx64m"), 512)).contains("filled 512 buffers over " + TestEngines.binding());
    }

    @Test
    void keepsToTheRulesOfJni() throws Exception {
        Assumptions.assumeTrue(TestEngines.binding().equals("jni"), "only the binding jni is our own use of JNI");
        String output = session(List.of("-Xcheck:jni"), 4);
        assertThat(output)
                .contains("filled 4 buffers")
                .doesNotContain("WARNING")
                .doesNotContain("FATAL");
    }
}
