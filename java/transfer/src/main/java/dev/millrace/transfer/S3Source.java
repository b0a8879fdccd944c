// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** Objects of an S3 store, through the AWS SDK's asynchronous client. The SDK's own retries and validation are off. */
public final class S3Source implements ObjectSource {
    private S3Source() {}

    /** Begins a source with a client of its own. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A source on a given client, whose region, endpoint, retries and limits stay as they are: best without retries.
     *
     * @param closeClient close the client with the source
     */
    public static S3Source of(S3AsyncClient client, boolean closeClient) {
        return new S3Source();
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

    /** Collects how to reach a store. */
    public static final class Builder {
        private Builder() {}

        /** Where the store is, with a path where it has one; without, AWS by its region. */
        public Builder endpoint(URI uri) {
            return this;
        }

        /** The region to sign for; without, by the SDK's default chain. */
        public Builder region(String name) {
            return this;
        }

        /** Bucket names in the path ({@code host/bucket/key}), not in the host name. */
        public Builder pathStyle(boolean inPath) {
            return this;
        }

        /** Credentials; without, by the SDK's default chain. Stays the caller's. */
        public Builder credentials(AwsCredentialsProvider provider) {
            return this;
        }

        /** Signs nothing. */
        public Builder anonymous() {
            return this;
        }

        /** Connections at once, 300 where nothing is said. */
        public Builder maxConnections(int connections) {
            return this;
        }

        /** Time to connect to one address, 2 s where nothing is said. */
        public Builder connectTimeout(Duration time) {
            return this;
        }

        /** The source. */
        public S3Source build() {
            return new S3Source();
        }
    }
}
