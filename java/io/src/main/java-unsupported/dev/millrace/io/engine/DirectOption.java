// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import com.sun.nio.file.ExtendedOpenOption;
import java.nio.file.OpenOption;

/**
 * The JDK's only door to O_DIRECT. It lies in the module jdk.unsupported, which javac warns of in a way that cannot be
 * suppressed, so this class is compiled apart from the others, for which warnings are errors. <b>Not API</b>.
 */
public final class DirectOption {
    /** Opens a channel past the page cache. */
    public static final OpenOption DIRECT = ExtendedOpenOption.DIRECT;

    private DirectOption() {}
}
