// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.ffm;

import dev.millrace.bindings.NativeIoProvider;
import dev.millrace.bindings.contract.BorderContract;
import dev.millrace.bindings.contract.NativeImages;

class FfmNativeIoTest extends BorderContract {

    @Override
    protected NativeIoProvider provider() {
        return new FfmProvider();
    }

    @Override
    protected String metadata() {
        return NativeImages.downcalls();
    }
}
