// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.transfer.BulkItem;
import dev.millrace.transfer.ListedObject;
import dev.millrace.transfer.ObjectLister;
import dev.millrace.transfer.ObjectSource;
import dev.millrace.transfer.SourceFailure;
import java.io.IOException;
import java.util.Collections;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;

/**
 * All objects that the sources of a command stand for, one after the other: prefixes are listed when it is their turn, so
 * that nothing is held but a page. A source that cannot be listed or matches nothing becomes an item that has failed.
 */
final class Plan implements Iterator<BulkItem> {
    private final ObjectSource store;
    private final Iterator<Manifest.Line> lines;
    private final BooleanSupplier cancelled;

    private Optional<BulkItem> next = Optional.empty();
    private Optional<Listing> listing = Optional.empty();

    private static final class Listing {
        private final SourceSpec source;
        private final String base;
        private final ObjectLister lister;
        private boolean matched;

        Listing(SourceSpec source, String base, ObjectLister lister) {
            this.source = source;
            this.base = base;
            this.lister = lister;
        }
    }

    /**
     * @param lines sources and where they go
     * @param cancelled ends the waiting between tries of a listing
     */
    Plan(ObjectSource store, Iterator<Manifest.Line> lines, BooleanSupplier cancelled) {
        this.store = store;
        this.lines = lines;
        this.cancelled = cancelled;
    }

    @Override
    public boolean hasNext() {
        while (next.isEmpty()) {
            if (listing.isPresent()) {
                next = fromListing(listing.get());
            } else if (lines.hasNext()) {
                open(lines.next());
            } else {
                return false;
            }
        }
        return true;
    }

    @Override
    public BulkItem next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        BulkItem item = next.orElseThrow();
        next = Optional.empty();
        return item;
    }

    private void open(Manifest.Line line) {
        SourceSpec source = line.source();
        String target = line.target();
        if (source.isPrefix()) {
            String base = target.isEmpty() || target.endsWith("/") ? target : target + "/";
            listing = Optional.of(
                    new Listing(source, base, new ObjectLister(store, source.bucket(), source.key(), cancelled)));
            return;
        }
        String relative = target.isEmpty() || target.endsWith("/") ? target + source.lastPart() : target;
        next = Optional.of(new BulkItem.Below(source.object(), relative, OptionalLong.empty(), Optional.empty()));
    }

    private Optional<BulkItem> fromListing(Listing from) {
        Optional<ListedObject> listed;
        try {
            listed = from.lister.next();
        } catch (SourceFailure e) {
            listing = Optional.empty();
            return Optional.of(new BulkItem.Broken(from.source.toString(), e));
        }
        if (listed.isEmpty()) {
            listing = Optional.empty();
            return from.matched
                    ? Optional.empty()
                    : Optional.of(new BulkItem.Broken(from.source.toString(), nothingBelow(from.source)));
        }
        from.matched = true;
        ListedObject object = listed.get();
        return Optional.of(new BulkItem.Below(
                new SourceSpec(from.source.bucket(), object.key()).object(),
                from.base + object.key().substring(from.source.key().length()),
                OptionalLong.of(object.size()),
                object.etag()));
    }

    /** Nothing below a prefix: perhaps an object was meant. */
    private IOException nothingBelow(SourceSpec source) {
        if (source.key().isEmpty()) {
            return new IOException("The bucket " + source + " is empty");
        }
        String sentence = "Nothing lies below " + source;
        String without = source.key().substring(0, source.key().length() - 1);
        if (!without.isEmpty() && isListed(source.bucket(), without, true)) {
            sentence += ", but there is an object of that name without the slash: write s3://" + source.bucket() + "/"
                    + without;
        } else {
            sentence += " (keys are literal, upper and lower case differ, and there are no patterns)";
        }
        return new IOException(sentence);
    }

    /** What to write in place of an object that is not there; empty where nothing better is known. */
    static String spelling(ObjectSource store, SourceSpec source) {
        return new Plan(store, Collections.emptyIterator(), () -> true)
                        .isListed(source.bucket(), source.key() + "/", false)
                ? ". Objects lie below it: write " + source + "/ to have them all"
                : "";
    }

    private boolean isListed(String bucket, String prefix, boolean exact) {
        try {
            Optional<ListedObject> first = new ObjectLister(store, bucket, prefix, cancelled).next();
            return first.isPresent() && (!exact || first.get().key().equals(prefix));
        } catch (SourceFailure e) {
            return false; // a hint that cannot be had is no hint
        }
    }
}
