// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** Says on which lane an operation runs. */
interface LaneHolder {
    /** The lane, held: whoever is given it lets it go once, when its operation has ended. Never blocks. */
    Lane hold();
}
