// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

import java.util.ArrayList;
import java.util.List;

/**
 * Who reads. Programs add kinds of their own by {@link #of}; at most {@link #MAX_KINDS} in a process, so that the kinds
 * that ever read a layer are the bits of one number.
 */
public final class TaskKind {
    /** The most kinds of a process. */
    public static final int MAX_KINDS = 64;

    private static final List<TaskKind> KINDS = new ArrayList<>();

    /** Somebody waits for a page. */
    public static final TaskKind PAGE_REQUEST_HANDLER = of("PageRequestHandler");
    /** Layers become fewer. */
    public static final TaskKind COMPACTION = of("Compaction");
    /** Room is made. */
    public static final TaskKind EVICTION = of("Eviction");
    /** Somebody manages. */
    public static final TaskKind MGMT_REQUEST = of("MgmtRequest");
    /** Layers are fetched in bulk. */
    public static final TaskKind DOWNLOAD_ALL_REMOTE_LAYERS = of("DownloadAllRemoteLayers");

    private final String label;
    private final int index;

    private TaskKind(String label, int index) {
        this.label = label;
        this.index = index;
    }

    /**
     * The kind of a name, which begins to exist where it does not yet.
     *
     * @param label letters and digits, at most 64
     * @throws IllegalArgumentException where it is anything else
     * @throws IllegalStateException where there are {@link #MAX_KINDS} others
     */
    public static TaskKind of(String label) {
        if (label.isEmpty()
                || label.length() > 64
                || !label.chars().allMatch(c -> c < 128 && Character.isLetterOrDigit(c))) {
            throw new IllegalArgumentException(
                    "'" + label + "' is not the name of a task kind, which is letters and digits");
        }
        synchronized (KINDS) {
            for (TaskKind kind : KINDS) {
                if (kind.label.equals(label)) {
                    return kind;
                }
            }
            if (KINDS.size() == MAX_KINDS) {
                throw new IllegalStateException(
                        "there are " + MAX_KINDS + " task kinds already and '" + label + "' would be one more");
            }
            TaskKind kind = new TaskKind(label, KINDS.size());
            KINDS.add(kind);
            return kind;
        }
    }

    /** The kind of an index. */
    public static TaskKind at(int index) {
        synchronized (KINDS) {
            return KINDS.get(index);
        }
    }

    /** As JSON says it. */
    public String label() {
        return label;
    }

    /** Its number in this process, from 0; below {@link #MAX_KINDS}. */
    public int index() {
        return index;
    }

    @Override
    public String toString() {
        return label;
    }
}
