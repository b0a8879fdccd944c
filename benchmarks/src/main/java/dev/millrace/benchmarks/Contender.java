// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.nio.file.Path;
import java.util.List;

/** One way to bring objects to disk, measured. */
interface Contender extends AutoCloseable {
    /**
     * Downloads all items into a folder, so many at once as it was made for, each durable when it counts as done.
     * What fails is named on standard error and counted.
     */
    Figures run(List<Item> items, Path folder);

    @Override
    void close();
}
