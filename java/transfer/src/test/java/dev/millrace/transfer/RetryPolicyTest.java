// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.transfer.RetryPolicy.Verdict;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RetryPolicyTest {
    @ParameterizedTest
    @CsvSource({
        "404,NoSuchKey,MISSING",
        "404,NoSuchBucket,MISSING",
        "404,NoSuchVersion,MISSING",
        "404,'',MISSING",
        "403,AccessDenied,REFUSED",
        "403,InvalidAccessKeyId,REFUSED",
        "403,SignatureDoesNotMatch,REFUSED",
        "403,InvalidObjectState,REFUSED",
        "403,'',REFUSED",
        "403,ExpiredToken,RETRY",
        "400,ExpiredToken,RETRY",
        "400,TokenRefreshRequired,RETRY",
        "403,RequestTimeTooSkewed,RETRY",
        "400,RequestTimeout,RETRY",
        "408,'',RETRY",
        "500,InternalError,RETRY",
        "502,'',RETRY",
        "504,'',RETRY",
        "503,SlowDown,SLOW_DOWN",
        "400,SlowDown,SLOW_DOWN",
        "503,'',SLOW_DOWN",
        "429,'',SLOW_DOWN",
        "405,MethodNotAllowed,PERMANENT",
        "501,NotImplemented,PERMANENT",
        "400,InvalidArgument,PERMANENT",
        "409,'',PERMANENT",
        "412,PreconditionFailed,PRECONDITION",
        "416,InvalidRange,OUT_OF_RANGE"
    })
    void shouldJudgeByCodeThenByStatus(int status, String code, Verdict verdict) {
        assertThat(RetryPolicy.judge(SourceFailure.of(SourceFailure.Kind.ANSWER, "x")
                        .answer(status, code)
                        .build()))
                .isEqualTo(verdict);
    }

    @Test
    void shouldSleepNotAtAllAfterTheFirstTryAndThenUpToThreeSeconds() {
        assertThat(RetryPolicy.sleepAfter(1, 0.99)).isZero();
        for (int n = 2; n < 200; n++) {
            double most = Math.min(3, Math.pow(1.1, n));
            assertThat(RetryPolicy.sleepAfter(n, 0)).isZero();
            assertThat(RetryPolicy.sleepAfter(n, 0.999999))
                    .isLessThanOrEqualTo(Duration.ofNanos((long) (most * 1e9)))
                    .isGreaterThan(Duration.ofNanos((long) (most * 0.99 * 1e9)));
        }
    }
}
