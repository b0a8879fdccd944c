// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.util.List;
import java.util.Map;

/** One contender of {@code make bench-peers}, on one workload. */
interface Peer extends AutoCloseable {
    /** Short, without spaces: what the user names it by. */
    String name();

    /** Comes to where it could begin; returns what its start cost. */
    Map<String, Object> start() throws PeerFailure, InterruptedException;

    /** One round; its figures. */
    Map<String, Object> round(int number) throws PeerFailure, InterruptedException;

    /** One round more under a command that traces it; the command's own words are put in front, {@code PID} replaced. */
    void traced(List<String> strace) throws PeerFailure, InterruptedException;

    /** How often it does in a round what the workload asks for. */
    default int times() {
        return 1;
    }

    @Override
    void close();
}
