// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is said of an engine that is refused; that limits do refuse them so, {@code native/test/test_limits.c} shows. */
class EngineReportTest {
    private static final long UNLIMITED = -1;

    private static String refusal(int kind, int error, int call, long memlock) {
        return new EngineReport(kind, 0, 0, 0, 0, 0, error, call, memlock, memlock).refusal();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1 | 24 | 1 | io_uring is refused: io_uring_setup failed with EMFILE because no descriptor is left (RLIMIT_NOFILE, or"
                        + " the system's bound); raise it with ulimit -n",
                "2 | 24 | 5 | epoll is refused: eventfd failed with EMFILE because no descriptor is left (RLIMIT_NOFILE, or the"
                        + " system's bound); raise it with ulimit -n",
                "2 | 11 | 7 | epoll is refused: the start of a thread failed with EAGAIN because no more threads are allowed"
                        + " (RLIMIT_NPROC, or the control group's pids.max); raise it with ulimit -u",
                "1 | 12 | 4 | io_uring is refused: mmap failed with ENOMEM because memory is short",
            })
    void namesTheLimitAndTheRemedy(int kind, int error, int call, String sentence) {
        assertThat(refusal(kind, error, call, 8 << 20)).isEqualTo(sentence);
    }

    @ParameterizedTest
    @CsvSource({"1,true", "4,false", "7,false"})
    void takesOnlyARingThatDoesNotFitForOneThatASmallerMayReplace(int call, boolean smaller) {
        assertThat(new EngineReport(1, 0, 0, 0, 0, 0, Errno.ENOMEM, call, 64 << 10, UNLIMITED).isOfMemlock())
                .isEqualTo(smaller);
        assertThat(new EngineReport(1, 0, 0, 0, 0, 0, Errno.ENOMEM, call, UNLIMITED, UNLIMITED).isOfMemlock())
                .isFalse();
    }
}
