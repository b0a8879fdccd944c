// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

/**
 * What {@code statx(2)} and {@code statfs(2)} say of a file.
 *
 * @param size in bytes
 * @param mode type and permissions, as {@code st_mode}; 0 where the system has none
 * @param device number of the device
 * @param inode number of the inode
 * @param allocatedBytes bytes of storage in use
 * @param modifiedNanos time of last change, since the epoch
 * @param fileSystem its name ({@code ext4}), or its magic number in hexadecimal
 * @param blockSize preferred size of I/O in bytes
 * @param directMemoryAlign alignment of memory under direct I/O in bytes; 0 not supported, -1 not said
 * @param directOffsetAlign alignment of offsets and lengths under direct I/O in bytes; 0 not supported, -1 not said
 */
public record FileStat(
        long size,
        int mode,
        long device,
        long inode,
        long allocatedBytes,
        long modifiedNanos,
        String fileSystem,
        int blockSize,
        int directMemoryAlign,
        int directOffsetAlign) {
    private static final int TYPE = 0xf000;
    private static final int REGULAR = 0x8000;
    private static final int DIRECTORY = 0x4000;

    /** True for a regular file. */
    public boolean isRegularFile() {
        return (mode & TYPE) == REGULAR;
    }

    /** True for a folder. */
    public boolean isDirectory() {
        return (mode & TYPE) == DIRECTORY;
    }

    /** Whether both are of one file, by device and inode; true of any two where the system has no such numbers. */
    public boolean isSameFile(FileStat other) {
        return inode == other.inode && device == other.device;
    }

    /** The permission bits, 0 to 07777. */
    public int permissions() {
        return mode & 0xfff;
    }

    FileStat withSize(long now) {
        return changed(now, mode, modifiedNanos);
    }

    /** The same file, on a system that does not tell allocated bytes: the size stands for them. */
    FileStat changed(long newSize, int newMode, long newModifiedNanos) {
        return new FileStat(
                newSize,
                newMode,
                device,
                inode,
                newSize,
                newModifiedNanos,
                fileSystem,
                blockSize,
                directMemoryAlign,
                directOffsetAlign);
    }

    /** A regular file's or folder's mode for systems that have none of their own. */
    static int modeOf(boolean directory, int permissions) {
        return (directory ? DIRECTORY : REGULAR) | permissions;
    }
}
