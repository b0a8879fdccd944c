// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.jni;

import dev.millrace.bindings.NativeFunction;
import dev.millrace.bindings.NativeIoProvider;
import dev.millrace.bindings.contract.BorderContract;
import dev.millrace.bindings.contract.NativeImages;

class JniNativeIoTest extends BorderContract {

    @Override
    protected NativeIoProvider provider() {
        return new JniProvider();
    }

    @Override
    protected String metadata() {
        return NativeImages.methods(Glue.class.getName(), NativeFunction::javaName);
    }
}
