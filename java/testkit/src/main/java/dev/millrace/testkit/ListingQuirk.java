// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

/** What a {@link ScriptedServer} may do badly when it lists a bucket. */
public enum ListingQuirk {
    /** ListObjectsV2 answers 501 {@code NotImplemented}; listing by marker works. */
    NO_V2,
    /** A page says that it is truncated and has no token for the next. */
    NO_TOKEN,
    /** Each page has the same token, and each request gets the first page. */
    SAME_TOKEN,
    /** The keys of a page are in reverse order. */
    UNORDERED,
    /** Each page but the first begins with the key that ended the one before. */
    REPEATED,
    /** {@code encoding-type=url} is ignored. */
    NO_ENCODING
}
