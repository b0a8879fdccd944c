// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.util.List;
import java.util.Optional;

/**
 * One page of a listing.
 *
 * @param objects in the store's order, which need not be sorted or free of repeats
 * @param nextToken asks for the next page; empty on the last. Opaque, and good for this source and prefix only.
 */
public record ListPage(List<ListedObject> objects, Optional<String> nextToken) {
    /** Copies the list. */
    public ListPage {
        objects = List.copyOf(objects);
    }
}
