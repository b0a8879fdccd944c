// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NameLedgerTest {
    private final NameLedger names = new NameLedger();

    @Test
    void aFileAboveIsFoundHoweverMuchLiesBetween() {
        assertThat(names.fileAbove("a")).isEmpty();
        for (int i = 0; i < 1000; i++) {
            assertThat(names.fileAbove(String.format("a-%04d", i))).isEmpty();
        }
        assertThat(names.fileAbove("a/b")).contains("a");
        assertThat(names.fileAbove("a/b/c")).contains("a");
        assertThat(names.fileAbove("a/c")).contains("a");
        assertThat(names.fileAbove("a0")).isEmpty();
        assertThat(names.fileAbove("b/c")).isEmpty();
        assertThat(names.fileAbove("b/c/d")).contains("b/c");
    }

    @Test
    void aMarkerIsNoFileButNeedsNone() {
        assertThat(names.fileAbove("a/")).isEmpty();
        assertThat(names.fileAbove("a/b")).isEmpty();
        assertThat(names.fileAbove("c")).isEmpty();
        assertThat(names.fileAbove("c/")).contains("c");
    }

    @Test
    void namesAreClaimedOnce() {
        assertThat(names.claim("a", "1")).isEqualTo(NameLedger.Known.NEW);
        assertThat(names.claim("a", "2")).isEqualTo(NameLedger.Known.NEW); // nothing is remembered unless asked to
        names.remember();
        for (int i = 0; i < 100_000; i++) {
            assertThat(names.claim("n" + i, "1")).isEqualTo(NameLedger.Known.NEW);
        }
        for (int i = 0; i < 100_000; i++) {
            assertThat(names.claim("n" + i, "1")).isEqualTo(NameLedger.Known.SAME_SOURCE);
            assertThat(names.claim("n" + i, "2")).isEqualTo(NameLedger.Known.OTHER_SOURCE);
        }
        assertThat(names.claim("N1", "1")).isEqualTo(NameLedger.Known.NEW);
    }

    @Test
    void foldedNamesAreOne() {
        names.fold();
        assertThat(names.claim("Straße/É", "1")).isEqualTo(NameLedger.Known.NEW);
        assertThat(names.claim("STRASSE/e\u0301", "2")).isEqualTo(NameLedger.Known.OTHER_SOURCE);
    }
}
