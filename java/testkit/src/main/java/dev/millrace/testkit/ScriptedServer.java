// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * A store whose objects, and whose manners, are the test's: read-only S3 over HTTP/1.1, without signature checks. Objects
 * are {@link Content}s, so that one of 5 GiB costs no memory; they can be swapped at any time, or with each GET.
 *
 * <p>Answers HEAD and GET of objects (Range, If-Match, If-None-Match, versionId, partNumber, checksum mode), HEAD of
 * buckets, ListObjectsV2 and ListObjects with paging, delimiter and {@code encoding-type=url}; 501
 * {@code NotImplemented} to the rest. Keys are decoded exactly once and otherwise taken as they are: {@code a//b},
 * {@code a/./b}, {@code a+b} and {@code a%2Bb} are four objects. All methods may be called from any thread.
 */
public final class ScriptedServer extends FaultyServer {
    private static final Comparator<String> BYTE_ORDER =
            (a, b) -> Arrays.compareUnsigned(a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
    private static final String MODIFIED = "Mon, 01 Jun 2026 12:00:00 GMT";
    private static final String MODIFIED_IN_LISTING = "2026-06-01T12:00:00.000Z";

    private final Map<String, NavigableMap<String, Slot>> buckets = new ConcurrentHashMap<>();
    private volatile int pageSize = 1000;
    private volatile Set<ListingQuirk> quirks = Set.of();
    private volatile String basePath = "";
    private volatile Optional<String> domain = Optional.empty();

    private ScriptedServer() throws IOException {
        super("scripted-server");
    }

    /** An empty store. */
    public static ScriptedServer start() throws IOException {
        ScriptedServer server = new ScriptedServer();
        server.begin();
        return server;
    }

    /** Makes an empty bucket; one that is there stays as it is. */
    public ScriptedServer createBucket(String bucket) {
        buckets.computeIfAbsent(bucket, b -> new ConcurrentSkipListMap<>(BYTE_ORDER));
        return this;
    }

    /** Puts an object in the place of whatever is there; makes the bucket, too. Answers under way keep the old one. */
    public ScriptedServer put(String bucket, String key, ScriptedObject object) {
        return putInTurn(bucket, key, object);
    }

    /** Puts an honest object with that content. */
    public ScriptedServer put(String bucket, String key, Content content) {
        return put(bucket, key, ScriptedObject.of(content));
    }

    /** The first GET gets the first object, the second the second, and from then on the last; HEAD moves nothing on. */
    public ScriptedServer putInTurn(String bucket, String key, ScriptedObject... turns) {
        if (turns.length == 0) {
            throw new IllegalArgumentException("An object is needed for " + key + ".");
        }
        createBucket(bucket);
        buckets.get(bucket).put(key, new Slot(List.of(turns)));
        return this;
    }

    /** Removes an object, if it is there. */
    public ScriptedServer remove(String bucket, String key) {
        Optional.ofNullable(buckets.get(bucket)).ifPresent(keys -> keys.remove(key));
        return this;
    }

    /** The most keys of a page, whatever the client asks for; 1000 at first. */
    public ScriptedServer pageSize(int keys) {
        if (keys <= 0) {
            throw new IllegalArgumentException("A page has at least one key, not " + keys + ".");
        }
        pageSize = keys;
        return this;
    }

    /** What is done badly in listings from now on. */
    public ScriptedServer listing(ListingQuirk... bad) {
        quirks = Set.of(bad);
        return this;
    }

    /** Puts the store below a path, such as {@code /s3}: an endpoint with a path of its own. */
    public ScriptedServer under(String path) {
        basePath = path;
        return this;
    }

    /**
     * Takes what precedes this domain in the Host header for the bucket, as virtual hosted addressing has it. A client
     * reaches such hosts by using this server as its HTTP proxy.
     */
    public ScriptedServer virtualHosts(String ofDomain) {
        domain = Optional.of("." + ofDomain);
        return this;
    }

    @Override
    Backend newBackend() {
        return new Backend() {
            @Override
            public Answer answer(Request edited, Request original, InputStream body) {
                try {
                    return ScriptedServer.this.answer(edited);
                } catch (IllegalArgumentException e) {
                    return Answer.error(400, "InvalidRequest", String.valueOf(e.getMessage()));
                }
            }

            @Override
            public void close() {
                // holds nothing
            }
        };
    }

    /** The objects of one key, and how many GETs have taken theirs. */
    private static final class Slot {
        private final List<ScriptedObject> turns;
        private int served;

        Slot(List<ScriptedObject> turns) {
            this.turns = turns;
        }

        synchronized ScriptedObject next(boolean moveOn) {
            ScriptedObject object = turns.get(Math.min(served, turns.size() - 1));
            if (moveOn && served < turns.size()) {
                served++;
            }
            return object;
        }
    }

    private Answer answer(Request request) {
        if (!request.isGet() && !request.isHead()) {
            return Answer.error(501, "NotImplemented", "This store is for reading only.");
        }
        String path = request.decodedPath();
        if (!path.startsWith(basePath)) {
            return Answer.error(404, "NoSuchKey", "The store lies below " + basePath + ".");
        }
        path = path.substring(basePath.length());
        Optional<String> host = request.header("Host").map(h -> h.replaceFirst(":\\d+$", ""));
        String bucket;
        String key;
        if (domain.isPresent() && host.isPresent() && host.get().endsWith(domain.get())) {
            bucket = host.get().substring(0, host.get().length() - domain.get().length());
            key = path.isEmpty() ? "" : path.substring(1);
        } else {
            int slash = path.indexOf('/', 1);
            bucket = path.isEmpty() ? "" : path.substring(1, slash < 0 ? path.length() : slash);
            key = slash < 0 ? "" : path.substring(slash + 1);
        }
        NavigableMap<String, Slot> keys = buckets.get(bucket);
        if (keys == null) {
            return Answer.error(404, "NoSuchBucket", "There is no bucket " + bucket + ".");
        }
        if (key.isEmpty()) {
            return request.isHead() ? Answer.of(200, Headers.none(), "") : list(request, bucket, keys);
        }
        Slot slot = keys.get(key);
        return slot == null
                ? Answer.error(404, "NoSuchKey", "There is no object " + key + ".")
                : object(request, slot.next(request.isGet()));
    }

    private static Answer object(Request request, ScriptedObject object) {
        Headers headers = Headers.of("Last-Modified", MODIFIED, "Accept-Ranges", "bytes")
                .with("Content-Type", "application/octet-stream");
        if (object.etag().isPresent()) {
            headers = headers.with("ETag", object.etag().get());
        }
        headers = headers.with(object.headers());
        Optional<String> version = request.parameter("versionId");
        if (version.isPresent() && !version.equals(object.headers().first("x-amz-version-id"))) {
            return Answer.error(404, "NoSuchVersion", "There is no version " + version.get() + ".");
        }
        Optional<String> ifMatch = request.header("If-Match");
        if (ifMatch.isPresent()
                && !object.has(ScriptedObject.Quirk.IGNORES_IF_MATCH)
                && !ifMatch.get().equals("*")
                && !ifMatch.equals(object.etag())) {
            return Answer.error(
                    412,
                    "PreconditionFailed",
                    "The ETag is another: " + object.etag().orElse("none"));
        }
        Optional<String> ifNoneMatch = request.header("If-None-Match");
        if (ifNoneMatch.isPresent() && ifNoneMatch.equals(object.etag())) {
            return Answer.of(304, headers, "");
        }
        long size = object.content().length();
        Optional<long[]> part = Optional.of(new long[] {0, size});
        boolean partial = false;
        Optional<ByteRange> range = request.header("Range").flatMap(ByteRange::parse);
        Optional<String> partNumber = request.parameter("partNumber");
        if (partNumber.isPresent() && object.partSize().isPresent()) {
            long partSize = object.partSize().getAsLong();
            long count = Math.max(1, (size + partSize - 1) / partSize);
            long number = Long.parseLong(partNumber.get());
            if (number < 1 || number > count) {
                return Answer.error(416, "InvalidPartNumber", "The object has " + count + " parts.");
            }
            long from = (number - 1) * partSize;
            part = Optional.of(new long[] {from, Math.min(partSize, size - from)});
            partial = true;
            headers = headers.with("x-amz-mp-parts-count", Long.toString(count));
        } else if (range.isPresent() && !object.has(ScriptedObject.Quirk.IGNORES_RANGE)) {
            part = object.has(ScriptedObject.Quirk.REFUSES_RANGES)
                    ? Optional.empty()
                    : range.get().within(size);
            partial = true;
        }
        if (part.isEmpty()) {
            return Answer.error(
                    416,
                    "InvalidRange",
                    "The object has " + size + " bytes.",
                    Headers.of("Content-Range", "bytes */" + size));
        }
        long from = part.get()[0];
        long count = part.get()[1];
        if (partial) {
            headers = headers.with("Content-Range", "bytes " + from + "-" + (from + count - 1) + "/" + size);
        }
        boolean checksumMode = request.header("x-amz-checksum-mode")
                .filter(m -> m.equalsIgnoreCase("ENABLED"))
                .isPresent();
        if (checksumMode && (!partial || object.has(ScriptedObject.Quirk.CHECKSUM_ON_PARTIAL_ANSWERS))) {
            headers = headers.with(object.checksums());
        }
        return new Answer(partial ? 206 : 200, headers, OptionalLong.of(count), object.content().stream(from, count));
    }

    private Answer list(Request request, String bucket, NavigableMap<String, Slot> keys) {
        boolean v2 = request.parameter("list-type").filter("2"::equals).isPresent();
        if (v2 && quirks.contains(ListingQuirk.NO_V2)) {
            return Answer.error(501, "NotImplemented", "This store has no ListObjectsV2.");
        }
        String prefix = request.parameter("prefix").orElse("");
        String delimiter = request.parameter("delimiter").orElse("");
        boolean encoded =
                request.parameter("encoding-type").filter("url"::equals).isPresent()
                        && !quirks.contains(ListingQuirk.NO_ENCODING);
        int max = request.parameter("max-keys")
                .map(Integer::parseInt)
                .map(keysAsked -> Math.min(keysAsked, pageSize))
                .orElse(pageSize);
        Optional<String> after = v2
                ? request.parameter("continuation-token")
                        .map(token -> new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8))
                        .or(() -> request.parameter("start-after"))
                : request.parameter("marker").filter(marker -> !marker.isEmpty());
        if (quirks.contains(ListingQuirk.SAME_TOKEN)) {
            after = Optional.empty();
        }
        Page page = page(keys, prefix, delimiter, after, max);
        List<String> contents = new ArrayList<>();
        page.objects.forEach((key, object) -> contents.add(entry(key, object, encoded)));
        if (quirks.contains(ListingQuirk.REPEATED) && after.isPresent()) {
            Optional<Slot> repeated = Optional.ofNullable(keys.get(after.get()));
            String key = after.get();
            repeated.ifPresent(slot -> contents.add(0, entry(key, slot.next(false), encoded)));
        }
        if (quirks.contains(ListingQuirk.UNORDERED)) {
            Collections.reverse(contents);
        }
        StringBuilder xml = new StringBuilder(256 + 256 * contents.size())
                .append(S3Xml.PROLOGUE)
                .append("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        element(xml, "Name", bucket);
        element(xml, "Prefix", name(prefix, encoded));
        element(xml, "MaxKeys", Integer.toString(max));
        if (!delimiter.isEmpty()) {
            element(xml, "Delimiter", name(delimiter, encoded));
        }
        if (encoded) {
            element(xml, "EncodingType", "url");
        }
        element(xml, "IsTruncated", Boolean.toString(page.truncated));
        if (v2) {
            element(xml, "KeyCount", Integer.toString(contents.size() + page.prefixes.size()));
        }
        if (page.truncated && !quirks.contains(ListingQuirk.NO_TOKEN)) {
            if (v2) {
                element(
                        xml,
                        "NextContinuationToken",
                        Base64.getUrlEncoder().encodeToString(page.last.getBytes(StandardCharsets.UTF_8)));
            } else if (!delimiter.isEmpty()) {
                // as S3 does: without a delimiter the last key is the next marker
                element(xml, "NextMarker", name(page.last, encoded));
            }
        }
        contents.forEach(xml::append);
        for (String common : page.prefixes) {
            xml.append("<CommonPrefixes>");
            element(xml, "Prefix", name(common, encoded));
            xml.append("</CommonPrefixes>");
        }
        return Answer.of(
                200,
                Headers.of("Content-Type", "application/xml"),
                xml.append("</ListBucketResult>").toString());
    }

    private static final class Page {
        private final Map<String, ScriptedObject> objects = new LinkedHashMap<>();
        private final Set<String> prefixes = new LinkedHashSet<>();
        private String last = "";
        private boolean truncated;
    }

    private static Page page(
            NavigableMap<String, Slot> keys, String prefix, String delimiter, Optional<String> after, int max) {
        Page page = new Page();
        boolean exclusive = after.isPresent() && BYTE_ORDER.compare(after.get(), prefix) >= 0;
        NavigableMap<String, Slot> rest = keys.tailMap(exclusive ? after.get() : prefix, !exclusive);
        for (Map.Entry<String, Slot> entry : rest.entrySet()) {
            String key = entry.getKey();
            if (!key.startsWith(prefix)) {
                break;
            }
            int cut = delimiter.isEmpty() ? -1 : key.indexOf(delimiter, prefix.length());
            String common = cut < 0 ? "" : key.substring(0, cut + delimiter.length());
            boolean known = cut >= 0
                    && (page.prefixes.contains(common)
                            || after.filter(a -> a.startsWith(common)).isPresent());
            if (!known && page.objects.size() + page.prefixes.size() >= max) {
                page.truncated = max > 0;
                break;
            }
            if (cut < 0) {
                page.objects.put(key, entry.getValue().next(false));
            } else if (!known) {
                page.prefixes.add(common);
            }
            page.last = key;
        }
        return page;
    }

    private static String entry(String key, ScriptedObject object, boolean encoded) {
        StringBuilder xml = new StringBuilder(256).append("<Contents>");
        element(xml, "Key", name(key, encoded));
        element(xml, "LastModified", MODIFIED_IN_LISTING);
        object.etag().ifPresent(etag -> element(xml, "ETag", etag));
        element(
                xml,
                "Size",
                Long.toString(object.listedSize().orElse(object.content().length())));
        element(
                xml,
                "StorageClass",
                object.headers().first("x-amz-storage-class").orElse("STANDARD"));
        return xml.append("</Contents>").toString();
    }

    /** As S3 encodes it: a space is a plus sign. */
    private static String name(String raw, boolean encoded) {
        return encoded ? Percent.encode(raw, true, "+") : raw;
    }

    private static void element(StringBuilder xml, String name, String value) {
        xml.append('<').append(name).append('>');
        xml.append(S3Xml.text(value));
        xml.append("</").append(name).append('>');
    }
}
