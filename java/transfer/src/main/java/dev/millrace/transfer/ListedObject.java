// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.util.Optional;

/**
 * An object as a listing has it.
 *
 * @param key exact, decoded once
 * @param size bytes, as the listing claims
 * @param etag with its quotes, where the store gives one
 * @param storageClass such as {@code STANDARD}, where the store gives one; archived objects are tried all the same
 */
public record ListedObject(String key, long size, Optional<String> etag, Optional<String> storageClass) {}
