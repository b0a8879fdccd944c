// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.transfer.ObjectId;

/**
 * A SOURCE of the command line: one object, or all below a prefix. The key is literal: nothing in it is decoded or a
 * pattern.
 *
 * @param bucket not empty
 * @param key of the object; or a prefix that is empty or ends in a slash
 */
record SourceSpec(String bucket, String key) {
    private static final String SCHEME = "s3://";

    /**
     * Reads {@code s3://bucket/key}, {@code s3://bucket/prefix/}, {@code s3://bucket}.
     *
     * @throws IllegalArgumentException with a sentence
     */
    static SourceSpec parse(String text) {
        if (!text.startsWith(SCHEME)) {
            throw new IllegalArgumentException("'" + Sentences.oneLine(text)
                    + "' is no source: write s3://bucket/key for an object or s3://bucket/prefix/ for all below");
        }
        String rest = text.substring(SCHEME.length());
        int slash = rest.indexOf('/');
        String bucket = slash < 0 ? rest : rest.substring(0, slash);
        if (bucket.isEmpty()) {
            throw new IllegalArgumentException(
                    "'" + Sentences.oneLine(text) + "' names no bucket: write s3://bucket/key");
        }
        if (!bucket.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            throw new IllegalArgumentException("'" + Sentences.oneLine(bucket) + "' is no name of a bucket");
        }
        return new SourceSpec(bucket, slash < 0 ? "" : rest.substring(slash + 1));
    }

    /** True for all below; else one object. */
    boolean isPrefix() {
        return key.isEmpty() || key.endsWith("/");
    }

    /** The object, where it is one. */
    ObjectId object() {
        return new ObjectId(bucket, key);
    }

    /** What follows the last slash of the key. */
    String lastPart() {
        return key.substring(key.lastIndexOf('/') + 1);
    }

    @Override
    public String toString() {
        return SCHEME + bucket + "/" + key;
    }
}
