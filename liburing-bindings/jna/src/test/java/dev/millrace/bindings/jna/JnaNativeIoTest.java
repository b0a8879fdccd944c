// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.jna;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.bindings.BindingUnavailableException;
import dev.millrace.bindings.contract.BorderContract;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class JnaNativeIoTest extends BorderContract {

    @Override
    protected String binding() {
        return "jna";
    }

    @Test
    void refusesASecondLibrary() {
        assertThatThrownBy(() -> new JnaProvider().load(Path.of("/no/such/library.so")))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("already loaded")
                .hasMessageContaining("/no/such/library.so");
    }
}
