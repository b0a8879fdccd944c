// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

/** The kernel, its settings or its limits refuse an engine. */
public final class EngineRefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient EngineReport report;

    /** With what creation reported. */
    public EngineRefusedException(EngineReport report) {
        super(report.refusal());
        this.report = report;
    }

    /** What creation reported. */
    public EngineReport report() {
        return report;
    }
}
