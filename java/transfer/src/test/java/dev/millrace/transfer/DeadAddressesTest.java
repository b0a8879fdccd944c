// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Which addresses are passed over, and for how long. */
final class DeadAddressesTest {
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1); // as System.nanoTime may be
    private final DeadAddresses dead = new DeadAddresses(now::get);

    private static InetSocketAddress address(int port) {
        return InetSocketAddress.createUnresolved("store.test", port);
    }

    @Test
    void shouldPassOverAnAddressForAMinuteAfterItsLastFailure() {
        dead.add(address(1));
        now.addAndGet(TimeUnit.SECONDS.toNanos(40));
        dead.add(address(1));
        now.addAndGet(TimeUnit.SECONDS.toNanos(60));
        assertThat(dead.contains(address(1))).isTrue();
        now.incrementAndGet();
        assertThat(dead.contains(address(1))).isFalse();
        assertThat(dead.contains(address(2))).isFalse();
    }

    @Test
    void shouldUseAnAddressThatHasAnsweredSince() {
        dead.add(address(1));
        dead.remove(address(1));
        assertThat(dead.contains(address(1))).isFalse();
    }

    @Test
    void shouldForgetWhatFailedFirstWhereThereIsTooMuchToRemember() {
        dead.add(address(1));
        dead.add(address(2));
        dead.add(address(1));
        for (int i = 0; i < DeadAddresses.MAX_REMEMBERED - 1; i++) {
            dead.add(address(1000 + i));
        }
        assertThat(dead.contains(address(2))).isFalse();
        assertThat(dead.contains(address(1))).isTrue();
        assertThat(dead.contains(address(1000))).isTrue();
    }

    @Test
    void shouldRememberForOneSourceOnly() {
        dead.add(address(1));
        assertThat(new DeadAddresses(now::get).contains(address(1))).isFalse();
    }
}
