// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All objects below a prefix, page by page: the next page is asked for when the one before is used up, so that memory
 * holds one page however many there are. Each page is put in the order of keys' bytes, and a key that comes twice in a row
 * is given once. Not thread-safe.
 */
public final class ObjectLister {
    private static final Logger LOG = LoggerFactory.getLogger(ObjectLister.class);
    private static final int MAX_TRIES = 11;
    private static final int MAX_EMPTY_PAGES = 1000;
    private static final double LONGEST_SLEEP_MILLIS = 3000;
    private static final Comparator<String> BYTE_ORDER = ObjectLister::compareBytes;

    private final ObjectSource source;
    private final String bucket;
    private final String prefix;
    private final BooleanSupplier cancelled;

    private Iterator<ListedObject> page = List.<ListedObject>of().iterator();
    private Optional<String> token = Optional.empty();
    private boolean lastPage;
    private int emptyPages;
    private Optional<String> lastKey = Optional.empty();
    // A token of earlier, renewed at each power of two: finds circles of any length in bounded requests.
    private Optional<String> landmark = Optional.empty();
    private long pages;

    /**
     * A listing; asks for nothing yet.
     *
     * @param prefix exact; empty for the whole bucket
     * @param cancelled when true, waiting between tries ends
     */
    public ObjectLister(ObjectSource source, String bucket, String prefix, BooleanSupplier cancelled) {
        this.source = source;
        this.bucket = bucket;
        this.prefix = prefix;
        this.cancelled = cancelled;
    }

    /**
     * The next object; empty after the last. Blocks while a page is fetched.
     *
     * @throws SourceFailure where the store cannot or will not list, also after tries that could have helped
     */
    public Optional<ListedObject> next() throws SourceFailure {
        while (true) {
            while (page.hasNext()) {
                ListedObject object = page.next();
                if (!object.key().startsWith(prefix)) {
                    throw invalid("a key that does not begin with the prefix came: " + object.key());
                }
                if (lastKey.filter(object.key()::equals).isPresent()) {
                    continue;
                }
                lastKey = Optional.of(object.key());
                return Optional.of(object);
            }
            if (lastPage) {
                return Optional.empty();
            }
            turnPage();
        }
    }

    private void turnPage() throws SourceFailure {
        ListPage next = fetch();
        Optional<String> asked = token;
        token = next.nextToken();
        lastPage = token.isEmpty();
        pages++;
        if (token.isPresent() && (token.equals(asked) || token.equals(landmark))) {
            throw invalid("the same continuation token came twice (" + token.get() + ")");
        }
        if (Long.bitCount(pages) == 1) {
            landmark = token;
        }
        emptyPages = next.objects().isEmpty() ? emptyPages + 1 : 0;
        if (emptyPages > MAX_EMPTY_PAGES) {
            throw invalid(MAX_EMPTY_PAGES + " pages in a row held no key");
        }
        List<ListedObject> sorted = new ArrayList<>(next.objects());
        sorted.sort(Comparator.comparing(ListedObject::key, BYTE_ORDER));
        page = sorted.iterator();
    }

    private SourceFailure invalid(String what) {
        return SourceFailure.of(
                        SourceFailure.Kind.INVALID,
                        "The listing of s3://" + bucket + "/" + prefix + " at " + source.name() + " makes no sense: "
                                + what)
                .build();
    }

    private ListPage fetch() throws SourceFailure {
        for (int attempt = 1; ; attempt++) {
            try {
                return source.list(bucket, prefix, token);
            } catch (SourceFailure e) {
                if (attempt >= MAX_TRIES || !canHelp(e) || cancelled.getAsBoolean()) {
                    throw e;
                }
                if (attempt <= 3) {
                    LOG.info("Listing s3://{}/{}: try {} failed: {}", bucket, prefix, attempt, e.getMessage());
                } else {
                    LOG.warn("Listing s3://{}/{}: try {} failed: {}", bucket, prefix, attempt, e.getMessage());
                }
                sleep(attempt, e.retryAfter(), e);
            }
        }
    }

    private static boolean canHelp(SourceFailure e) {
        return switch (e.kind()) {
            case CONNECTION, TIMEOUT -> true;
            case ANSWER ->
                (e.status() >= 500 && e.status() != 501)
                        || e.status() == 429
                        || e.code().equals("SlowDown")
                        || e.code().equals("RequestTimeout")
                        || e.code().equals("InternalError");
            default -> false;
        };
    }

    private void sleep(int attempt, Optional<Duration> retryAfter, SourceFailure cause) throws SourceFailure {
        if (attempt == 1 && retryAfter.isEmpty()) {
            return;
        }
        double most = Math.min(LONGEST_SLEEP_MILLIS, 1000 * Math.pow(1.1, attempt));
        long millis = Math.max(retryAfter.map(Duration::toMillis).orElse(0L), (long)
                ThreadLocalRandom.current().nextDouble(most));
        long until = System.nanoTime() + millis * 1_000_000;
        while (System.nanoTime() < until) {
            if (cancelled.getAsBoolean()) {
                throw cause;
            }
            try {
                Thread.sleep(Math.min(50, Math.max(1, (until - System.nanoTime()) / 1_000_000)));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw cause;
            }
        }
    }

    /** Order of UTF-8 bytes, which is that of code points and not of {@link String#compareTo}. */
    static int compareBytes(String a, String b) {
        int mismatch = 0;
        int common = Math.min(a.length(), b.length());
        while (mismatch < common && a.charAt(mismatch) == b.charAt(mismatch)) {
            mismatch++;
        }
        if (mismatch == common) {
            return Integer.compare(a.length(), b.length());
        }
        char x = a.charAt(mismatch);
        char y = b.charAt(mismatch);
        // Surrogates stand for code points above all others.
        boolean surrogateX = Character.isSurrogate(x);
        boolean surrogateY = Character.isSurrogate(y);
        return surrogateX == surrogateY ? Character.compare(x, y) : surrogateX ? 1 : -1;
    }
}
