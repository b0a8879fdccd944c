// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.Optional;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestInstanceFactoryContext;
import org.junit.jupiter.api.extension.TestInstancePreConstructCallback;

/**
 * After every test of this module: no slot, buffer, descriptor, ring or thread is left that was not there before. Found by
 * JUnit itself ({@code junit-platform.properties}), so that no test can forget it. Tests run one after the other.
 */
@SuppressWarnings("exports") // public for JUnit only
public final class NothingLeft implements TestInstancePreConstructCallback, BeforeEachCallback, AfterEachCallback {
    private Optional<Leaks> before = Optional.empty();

    /** For JUnit. */
    public NothingLeft() {}

    @Override
    public void preConstructTestInstance(TestInstanceFactoryContext factory, ExtensionContext context) {
        before = Optional.of(new Leaks()); // a test's fields may hold engines
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        TestEngines.forgetOpened();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        boolean failed = context.getExecutionException().isPresent();
        if (!failed) { // its own failure says more
            TestEngines.checkOpened();
            before.ifPresent(Leaks::check);
        }
    }
}
