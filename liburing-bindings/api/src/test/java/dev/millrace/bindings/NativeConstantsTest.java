// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class NativeConstantsTest {

    @Test
    void readsEachConstantByItsNumber() throws Exception {
        NativeConstants constants =
                new NativeConstants(StubNativeIo.of("stub", NativeConstants.ABI_VERSION, id -> 1000L + id));
        assertThat(constants.opSize).isEqualTo(1001);
        assertThat(constants.statSize).isEqualTo(1007);
        assertThat(constants.opToken).isEqualTo(1020);
        assertThat(constants.completionResult).isEqualTo(1031);
        assertThat(constants.oDirect).isEqualTo(1046);
        assertThat(constants.pollOut).isEqualTo(1064);
    }

    @Test
    void refusesAnotherVersionOfTheInterface() {
        assertThatThrownBy(() -> new NativeConstants(StubNativeIo.of("stub", 7, id -> id)))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("version 7")
                .hasMessageContaining("version " + NativeConstants.ABI_VERSION)
                .hasMessageContaining("one release");
    }

    @Test
    void namesAConstantThatTheLibraryDoesNotKnow() {
        assertThatThrownBy(() -> new NativeConstants(
                        StubNativeIo.of("stub", NativeConstants.ABI_VERSION, id -> id == 46 ? Long.MIN_VALUE : id)))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("46");
    }

    @Test
    void refusesAConstantThatIsNoNumberOfItsKind() {
        assertThatThrownBy(() -> new NativeConstants(
                        StubNativeIo.of("stub", NativeConstants.ABI_VERSION, id -> id == 46 ? 1L << 40 : id)))
                .isInstanceOf(BindingUnavailableException.class)
                .hasMessageContaining("46");
    }
}
