// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/**
 * The file's descriptor had been closed for want of descriptors, and its path leads to another file now, or to none:
 * something outside of this engine has moved, replaced or removed it. Nothing was read or written; the {@link VirtualFile}
 * works again as soon as its path names the file again.
 */
public final class FileReplacedException extends IoFailure {
    private static final long serialVersionUID = 1L;

    /** {@code lies}: what is found there, as the end of a sentence. */
    FileReplacedException(String operation, String path, String lies) {
        super(
                operation,
                path,
                operation + " of " + path + " is not possible: its descriptor was closed for want of descriptors, and "
                        + lies
                        + " (something outside of this engine moved, replaced or removed the file; open it by its new"
                        + " path, or give the engine more descriptors by IoEngineConfig.withDescriptors)");
    }
}
