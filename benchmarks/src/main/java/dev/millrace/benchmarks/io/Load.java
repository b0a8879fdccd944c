// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import java.io.IOException;
import java.util.Map;

/** A contender at work on a workload's file. */
interface Load extends AutoCloseable {

    /** Does so many operations, as many at once as the workload says; a sequential write ends durable. */
    void run(int operations) throws Exception;

    /** Which engine and binding really ran, and what the engine counted. */
    Map<String, Object> facts();

    @Override
    void close() throws IOException;
}
