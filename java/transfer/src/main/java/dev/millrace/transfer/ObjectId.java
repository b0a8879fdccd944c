// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

/**
 * Names an object. The key is exact: nothing in it is decoded, normalised or a pattern, so {@code a//b}, {@code a/./b},
 * {@code /a} and {@code a+b} are what they are.
 *
 * @param bucket name of the bucket, not empty
 * @param key key of the object, not empty
 */
public record ObjectId(String bucket, String key) {
    /** Checks that neither is empty. */
    public ObjectId {
        if (bucket.isEmpty() || key.isEmpty()) {
            throw new IllegalArgumentException(
                    "an object needs a bucket and a key: bucket '" + bucket + "', key '" + key + "'");
        }
    }

    /** {@code s3://bucket/key}. */
    @Override
    public String toString() {
        return "s3://" + bucket + "/" + key;
    }
}
