// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/**
 * How a file is opened. Start with {@link #reading()} or {@link #creating()} and derive. There is no append: every write
 * says its offset, and Linux would let {@code O_APPEND} overrule that.
 *
 * @param read reading is allowed
 * @param write writing is allowed
 * @param create the file is made where it is missing
 * @param exclusive with {@code create}: it is an error when the file is there
 * @param truncate the file is emptied
 * @param direct whether the page cache is passed by
 * @param mode permissions of a new file before the umask is taken off, as in {@code 0666}
 */
public record OpenOptions(
        boolean read, boolean write, boolean create, boolean exclusive, boolean truncate, DirectMode direct, int mode) {

    /** Refuses combinations that systems take differently, or that mean nothing. */
    public OpenOptions {
        if (!read && !write) {
            throw new IllegalArgumentException("a file is opened for reading, for writing, or for both");
        }
        if (exclusive && !create) {
            throw new IllegalArgumentException("exclusive says that the file is to be made: create is needed with it");
        }
        if (truncate && !write) {
            throw new IllegalArgumentException("only a file that is opened for writing can be emptied");
        }
        if ((mode & ~07777) != 0) {
            throw new IllegalArgumentException("permissions are 0 to 07777, and not 0" + Integer.toOctalString(mode));
        }
    }

    /** An existing file, for reading, through the page cache. */
    public static OpenOptions reading() {
        return new OpenOptions(true, false, false, false, false, DirectMode.OFF, 0666);
    }

    /** An existing file, for reading and writing, through the page cache. */
    public static OpenOptions updating() {
        return new OpenOptions(true, true, false, false, false, DirectMode.OFF, 0666);
    }

    /** For reading and writing, made where it is missing, emptied where it is there, through the page cache. */
    public static OpenOptions creating() {
        return new OpenOptions(true, true, true, false, true, DirectMode.OFF, 0666);
    }

    /** A file that must not exist yet, for reading and writing, through the page cache. */
    public static OpenOptions creatingNew() {
        return new OpenOptions(true, true, true, true, false, DirectMode.OFF, 0666);
    }

    /** The same with another direct mode. */
    public OpenOptions withDirect(DirectMode mode2) {
        return new OpenOptions(read, write, create, exclusive, truncate, mode2, mode);
    }

    /** The same with other permissions for a new file. */
    public OpenOptions withMode(int permissions) {
        return new OpenOptions(read, write, create, exclusive, truncate, direct, permissions);
    }
}
