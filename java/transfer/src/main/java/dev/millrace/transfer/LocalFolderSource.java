// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.TemporaryFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A local folder laid out like a store ({@code root/bucket/key}), with the same semantics: for tests, demos and air gaps.
 * An object's ETag is made of its file's identity, length and time of change. Keys that are no paths here ({@code a//b},
 * {@code ../a}) are not there, as in a store that lacks them. Nothing outside the root is reached.
 */
public final class LocalFolderSource implements ObjectSource, ObjectWriter {
    private static final int READERS = 8;
    private static final int PAGE = 1000;
    private static final Comparator<String> BYTE_ORDER =
            (a, b) -> Arrays.compareUnsigned(a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));

    private final Path root;
    private final ThreadPoolExecutor readers;
    private final Set<LocalFetch> underWay = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    private LocalFolderSource(Path root) {
        this.root = root;
        AtomicInteger number = new AtomicInteger();
        readers = new ThreadPoolExecutor(READERS, READERS, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            Thread thread = new Thread(task, "millrace-folder-" + number.getAndIncrement());
            thread.setDaemon(true);
            return thread;
        });
        readers.allowCoreThreadTimeOut(true);
    }

    /** A source below a folder, each folder in which is a bucket. */
    public static LocalFolderSource open(Path root) {
        return new LocalFolderSource(root.toAbsolutePath().normalize());
    }

    @Override
    public String name() {
        return "folder " + root;
    }

    @Override
    public Fetch get(FetchRequest request, FetchListener listener) {
        LocalFetch fetch = new LocalFetch(this, request, listener, readers);
        if (closed) {
            listener.failed(closedFailure());
            return fetch;
        }
        underWay.add(fetch);
        fetch.visit();
        return fetch;
    }

    @Override
    public CompletableFuture<ObjectHead> head(FetchRequest request) {
        if (closed) {
            return CompletableFuture.failedFuture(closedFailure());
        }
        CompletableFuture<ObjectHead> future = new CompletableFuture<>();
        readers.execute(() -> {
            try {
                future.complete(find(request).head());
            } catch (SourceFailure e) {
                future.completeExceptionally(e);
            } catch (IOException e) {
                future.completeExceptionally(unreadable(request.object(), e));
            }
        });
        return future;
    }

    @Override
    public CompletableFuture<Optional<String>> put(PutRequest request) {
        if (closed) {
            return CompletableFuture.failedFuture(closedFailure());
        }
        CompletableFuture<Optional<String>> future = new CompletableFuture<>();
        readers.execute(() -> {
            ObjectId object = request.object();
            try {
                future.complete(Optional.of(write(request)));
            } catch (SourceFailure e) {
                future.completeExceptionally(e);
            } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
                future.completeExceptionally(noFile(object, e.getMessage() + " is in the way")
                        .cause(e)
                        .build());
            } catch (IOException | RuntimeException e) {
                future.completeExceptionally(SourceFailure.of(
                                SourceFailure.Kind.ANSWER, "PUT of " + object + " at " + name() + " failed: " + e)
                        .answer(500, "InternalError")
                        .cause(e)
                        .build());
            }
        });
        return future;
    }

    private String write(PutRequest request) throws IOException {
        ObjectId object = request.object();
        Path bucket = bucket(object.bucket());
        Path target = path(bucket, object.key())
                .orElseThrow(() -> noFile(object, "the key is no path").build());
        if (TemporaryFile.isTemporaryName(String.valueOf(target.getFileName())) || Files.isDirectory(target)) {
            throw noFile(object, "its name is that of a folder or of a temporary file")
                    .build();
        }
        LocalPut.run(bucket, target, request.body(), there -> checkCondition(request, there));
        return etag(Files.readAttributes(target, BasicFileAttributes.class));
    }

    private static void checkCondition(PutRequest request, Optional<Path> there) throws IOException {
        if (request.condition() instanceof PutRequest.Condition.IfAbsent && there.isPresent()) {
            throw answer("PUT", 412, "PreconditionFailed", request.object(), "an object of that name is there")
                    .build();
        }
        if (request.condition() instanceof PutRequest.Condition.IfMatch match) {
            if (there.isEmpty()) {
                throw answer("PUT", 404, "NoSuchKey", request.object(), "there is none that could match")
                        .build();
            }
            String etag = etag(Files.readAttributes(there.get(), BasicFileAttributes.class));
            if (!etag.equals(match.etag())) {
                throw answer("PUT", 412, "PreconditionFailed", request.object(), "its ETag is " + etag)
                        .build();
            }
        }
    }

    private SourceFailure.Builder noFile(ObjectId object, String why) {
        return SourceFailure.of(
                SourceFailure.Kind.INVALID, "PUT of " + object + " at " + name() + " is not possible: " + why);
    }

    // ------------------------------------------------------------------ objects

    /**
     * An object's bytes.
     *
     * @param file that holds it
     * @param head as an answer would say
     * @param first offset of the first byte wanted
     * @param end offset after the last
     */
    record Found(Path file, ObjectHead head, long first, long end) {}

    Found find(FetchRequest request) throws IOException {
        ObjectId object = request.object();
        Path bucket = bucket(object.bucket());
        Path file = path(bucket, object.key()).orElseThrow(() -> missing("NoSuchKey", object));
        if (!Files.isRegularFile(file)) {
            throw missing("NoSuchKey", object);
        }
        if (request.versionId().isPresent()) {
            throw missing("NoSuchVersion", object);
        }
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        String etag = etag(attributes);
        Optional<String> ifMatch = request.ifMatch();
        if (ifMatch.isPresent() && !ifMatch.get().equals("*") && !ifMatch.get().equals(etag)) {
            throw answer(412, "PreconditionFailed", object, "its ETag is " + etag)
                    .build();
        }
        long size = attributes.size();
        long first = 0;
        long end = size;
        if (request.range().isPresent()) {
            ByteRange range = request.range().get();
            if (range.first() >= size) {
                throw answer(416, "InvalidRange", object, "the object has " + size + " bytes")
                        .totalLength(OptionalLong.of(size))
                        .build();
            }
            first = range.first();
            end = range.last().isPresent() ? Math.min(size, range.last().getAsLong() + 1) : size;
        }
        boolean partial = request.range().isPresent();
        ObjectHead head = new ObjectHead(
                partial ? 206 : 200,
                OptionalLong.of(end - first),
                false,
                partial ? Optional.of("bytes " + first + "-" + (end - 1) + "/" + size) : Optional.empty(),
                Optional.of(etag),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.of(attributes.lastModifiedTime().toInstant()),
                Optional.empty());
        return new Found(file, head, first, end);
    }

    private static String etag(BasicFileAttributes attributes) {
        return '"' + Integer.toHexString(String.valueOf(attributes.fileKey()).hashCode()) + "-"
                + Long.toHexString(attributes.size()) + "-"
                + Long.toHexString(attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS)) + '"';
    }

    private Path bucket(String name) throws SourceFailure {
        ObjectId place = new ObjectId(name, "*");
        Path bucket = path(root, name).orElseThrow(() -> missing("NoSuchBucket", place));
        if (name.indexOf('/') >= 0 || !Files.isDirectory(bucket)) {
            throw missing("NoSuchBucket", place);
        }
        return bucket;
    }

    /** Where a name lies, if it is one: exactly, with no part that a file system would read as another. */
    private static Optional<Path> path(Path below, String name) {
        for (String part : name.split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..") || part.indexOf('\0') >= 0) {
                return Optional.empty();
            }
        }
        try {
            return Optional.of(below.resolve(name));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    private SourceFailure missing(String code, ObjectId object) {
        return answer(404, code, object, "there is none in " + root).build();
    }

    private static SourceFailure.Builder answer(int status, String code, ObjectId object, String why) {
        return answer("GET", status, code, object, why);
    }

    private static SourceFailure.Builder answer(String method, int status, String code, ObjectId object, String why) {
        return SourceFailure.of(
                        SourceFailure.Kind.ANSWER,
                        method + " of " + object + " was answered with " + status + " " + code + ": " + why)
                .answer(status, code);
    }

    SourceFailure unreadable(ObjectId object, IOException e) {
        return answer(403, "AccessDenied", object, e.toString()).cause(e).build();
    }

    SourceFailure shortened(ObjectId object, long at, long end) {
        return SourceFailure.of(
                        SourceFailure.Kind.CONNECTION,
                        "GET of " + object + " at " + name() + " ended at byte " + at + " of " + end
                                + ": the file was cut meanwhile")
                .build();
    }

    private SourceFailure closedFailure() {
        return SourceFailure.of(SourceFailure.Kind.CLOSED, "the source " + name() + " is closed")
                .build();
    }

    void forget(LocalFetch fetch) {
        underWay.remove(fetch);
    }

    // ------------------------------------------------------------------ listing

    @Override
    public ListPage list(String bucket, String prefix, Optional<String> token) throws SourceFailure {
        if (closed) {
            throw closedFailure();
        }
        Path folder = bucket(bucket);
        List<ListedObject> page = new ArrayList<>();
        try {
            walk(folder, "", prefix, token, page);
        } catch (IOException e) {
            throw unreadable(new ObjectId(bucket, prefix.isEmpty() ? "*" : prefix + "*"), e);
        }
        Optional<String> next = Optional.empty();
        if (page.size() > PAGE) {
            page.remove(PAGE);
            next = Optional.of(page.get(PAGE - 1).key());
        }
        return new ListPage(page, next);
    }

    /** Adds what follows {@code after}, in the order of keys, until the page is full and one more is known. */
    private static void walk(Path folder, String path, String prefix, Optional<String> after, List<ListedObject> page)
            throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                if (TemporaryFile.isTemporaryName(String.valueOf(entry.getFileName()))) {
                    continue; // an object that is being put
                }
                boolean isFolder = Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS);
                String name = path + entry.getFileName() + (isFolder ? "/" : "");
                boolean mayMatch = name.startsWith(prefix) || (isFolder && prefix.startsWith(name));
                boolean isPast = after.isPresent()
                        && BYTE_ORDER.compare(name, after.get()) <= 0
                        && !(isFolder && after.get().startsWith(name));
                if (mayMatch && !isPast) {
                    names.add(name);
                }
            }
        }
        names.sort(BYTE_ORDER);
        for (String name : names) {
            if (page.size() > PAGE) {
                return;
            }
            Path entry = folder.resolve(name.substring(path.length()));
            if (name.endsWith("/")) {
                walk(entry, name, prefix, after, page);
            } else if (Files.isRegularFile(entry)) {
                BasicFileAttributes attributes = Files.readAttributes(entry, BasicFileAttributes.class);
                page.add(new ListedObject(
                        name, attributes.size(), Optional.of(etag(attributes)), Optional.of("STANDARD")));
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        underWay.forEach(LocalFetch::cancel);
        readers.shutdown();
    }
}
