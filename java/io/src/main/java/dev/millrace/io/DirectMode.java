// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** Whether a file is read and written past the page cache (O_DIRECT). */
public enum DirectMode {
    /** Direct, or opening fails, naming path and file system and leaving no new file behind. */
    REQUIRED,
    /**
     * Direct where the file system has it, else through the page cache; said once per folder. Where it has, the engine's
     * mode chooses ({@link IoEngine#switchMode}).
     */
    PREFERRED,
    /** Through the page cache. The default: readers that scan live from the kernel's read-ahead. */
    OFF
}
