// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.jna;

import dev.millrace.bindings.NativeFunction;
import dev.millrace.bindings.NativeIoProvider;
import dev.millrace.bindings.contract.BorderContract;
import dev.millrace.bindings.contract.NativeImages;

class JnaNativeIoTest extends BorderContract {

    @Override
    protected NativeIoProvider provider() {
        return new JnaProvider();
    }

    @Override
    protected String metadata() {
        return NativeImages.methods(Direct.class.getName(), NativeFunction::symbol);
    }
}
