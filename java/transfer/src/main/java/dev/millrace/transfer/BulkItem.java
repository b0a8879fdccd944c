// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/** One of many objects that a {@link BulkDownload} fetches. */
public sealed interface BulkItem {
    /** Names it for people: {@code s3://bucket/key}. */
    String name();

    /**
     * An object to a place below the folder of the download, under all rules for keys.
     *
     * @param object which object
     * @param relative its place, parts by slashes; with a slash at the end, or empty, it stands for a folder
     * @param size as listed
     * @param etag as listed, quotes included
     */
    record Below(ObjectId object, String relative, OptionalLong size, Optional<String> etag) implements BulkItem {
        @Override
        public String name() {
            return object.toString();
        }
    }

    /**
     * An object to a file that the caller chose himself.
     *
     * @param object which object
     * @param target the file
     */
    record Exact(ObjectId object, Path target) implements BulkItem {
        @Override
        public String name() {
            return object.toString();
        }
    }

    /**
     * What could not even become an object: a listing that failed, a source that matched nothing. Counts as failed.
     *
     * @param name of the source
     * @param cause why, as a sentence
     */
    record Broken(String name, IOException cause) implements BulkItem {}
}
