// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.IoEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** The files that downloads write to before they get their final name. */
public final class TemporaryFiles {
    private static final Pattern FORM = Pattern.compile("\\.[0-9a-f]{32}\\.millrace-part");

    private TemporaryFiles() {}

    /** True for names that only temporary files have: {@code .<32 hex>.millrace-part}. */
    public static boolean isTemporaryName(String name) {
        return FORM.matcher(name).matches();
    }

    /**
     * Removes the temporary files of a folder that nobody writes any more, which a crash has left.
     *
     * @return how many were removed
     */
    public static int clean(IoEngine engine, Path folder) throws IOException {
        throw new UnsupportedOperationException("not there yet");
    }
}
