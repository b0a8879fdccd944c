// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.utils.SdkAutoCloseable;

/**
 * The SDK's default chain, looked through anew when the store says that what it gave has expired: one at a time, for all.
 */
final class RenewableCredentials implements AwsCredentialsProvider, SdkAutoCloseable {
    private static final long AT_MOST_EVERY = Duration.ofSeconds(5).toNanos();

    private final ReentrantLock lock = new ReentrantLock();
    private final Supplier<AwsCredentialsProvider> maker;
    private volatile AwsCredentialsProvider current;
    private long renewedAt = System.nanoTime() - AT_MOST_EVERY;

    RenewableCredentials(Supplier<AwsCredentialsProvider> maker) {
        this.maker = maker;
        this.current = maker.get();
    }

    @Override
    public AwsCredentials resolveCredentials() {
        return current.resolveCredentials();
    }

    /** What was given has expired. */
    void renew() {
        lock.lock();
        try {
            long now = System.nanoTime();
            if (now - renewedAt < AT_MOST_EVERY) {
                return; // somebody was faster: the next try uses theirs
            }
            renewedAt = now;
            AwsCredentialsProvider old = current;
            current = maker.get();
            closeIfCloseable(old);
        } finally {
            lock.unlock();
        }
    }

    private static void closeIfCloseable(AwsCredentialsProvider provider) {
        if (provider instanceof SdkAutoCloseable closeable) {
            closeable.close();
        }
    }

    @Override
    public void close() {
        closeIfCloseable(current);
    }
}
