// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A local folder laid out like a store ({@code root/bucket/key}), with the same semantics: for tests and air gaps. */
public final class LocalFolderSource implements ObjectSource {
    private LocalFolderSource() {}

    /** A source below a folder. */
    public static LocalFolderSource open(Path root) {
        return new LocalFolderSource();
    }

    @Override
    public String name() {
        return "";
    }

    @Override
    public Fetch get(FetchRequest request, FetchListener listener) {
        throw new UnsupportedOperationException("not there yet");
    }

    @Override
    public CompletableFuture<ObjectHead> head(FetchRequest request) {
        return CompletableFuture.failedFuture(new UnsupportedOperationException("not there yet"));
    }

    @Override
    public ListPage list(String bucket, String prefix, Optional<String> token) throws SourceFailure {
        throw new UnsupportedOperationException("not there yet");
    }

    @Override
    public void close() {}
}
