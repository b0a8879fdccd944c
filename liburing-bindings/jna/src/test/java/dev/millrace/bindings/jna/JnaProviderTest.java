// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.jna;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class JnaProviderTest {

    @Test
    void namesBothVersionsOfJnaInOneSentence() {
        // As JNA words it, 5.5 to 5.19.
        String text = "\n\nThere is an incompatible JNA native library installed on this system\nExpected: 7.0.4\n"
                + "Found:    6.1.4\n(at /srv/lib (x)/libjnidispatch.so).\nTo resolve this issue you may do one of the"
                + " following:\n - remove or uninstall the offending library\n";
        assertThat(JnaProvider.sentence(text))
                .isEqualTo("JNA's classes need its native part of version 7.0.4 and found that of version 6.1.4"
                        + " (at /srv/lib (x)/libjnidispatch.so): have net.java.dev.jna:jna in one version only");
    }

    @Test
    void keepsWhateverElseJnaSaysOnOneLine() {
        assertThat(JnaProvider.sentence("\n\nSomething else\n  is wrong\n"))
                .isEqualTo("JNA cannot be used: Something else is wrong");
    }
}
