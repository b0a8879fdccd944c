// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * One PUT, as it goes out.
 *
 * @param object which object
 * @param body its bytes
 * @param condition what must hold of the object that is there
 */
public record PutRequest(ObjectId object, Body body, Condition condition) {
    /** Where the bytes come from. */
    public sealed interface Body {
        /**
         * Bytes in memory, from position to limit, neither of which moves; not to be changed until the PUT has ended.
         *
         * @param content the bytes
         */
        record Bytes(ByteBuffer content) implements Body {}

        /**
         * A regular file, all of it; not to be changed until the PUT has ended.
         *
         * @param path where it lies
         */
        record File(Path path) implements Body {}
    }

    /** What must hold of the object that is there. */
    public sealed interface Condition {
        /** Whatever is there is replaced. */
        record None() implements Condition {}

        /** There must be none. */
        record IfAbsent() implements Condition {}

        /**
         * It must be the one that was read.
         *
         * @param etag its ETag, quotes included
         */
        record IfMatch(String etag) implements Condition {}
    }

    /** Replaces whatever is there. */
    public static PutRequest of(ObjectId object, Body body) {
        return new PutRequest(object, body, new Condition.None());
    }

    /** The same where no object of that name is there. */
    public PutRequest ifAbsent() {
        return new PutRequest(object, body, new Condition.IfAbsent());
    }

    /** The same where the object there has this ETag, quotes included. */
    public PutRequest ifMatch(String etag) {
        return new PutRequest(object, body, new Condition.IfMatch(etag));
    }
}
