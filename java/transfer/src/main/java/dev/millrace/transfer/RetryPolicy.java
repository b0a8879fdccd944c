// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.time.Duration;
import java.util.Set;

/** What a failure of the store means for the download, and how long to wait. */
final class RetryPolicy {
    /** What follows from a failure. */
    enum Verdict {
        /** Ask again. */
        RETRY,
        /** Ask again, and everyone more slowly. */
        SLOW_DOWN,
        /** The object under this ETag is gone: begin again, or give up where the caller promised the ETag. */
        PRECONDITION,
        /** The range lies outside the object. */
        OUT_OF_RANGE,
        /** There is no such object, version or bucket. */
        MISSING,
        /** The store will not give it. */
        REFUSED,
        /** Another request would be refused just so. */
        PERMANENT,
        /** Nobody wants it any more. */
        CANCELLED
    }

    private static final Set<String> MISSING = Set.of("NoSuchKey", "NoSuchBucket", "NoSuchVersion", "NotFound");
    private static final Set<String> REFUSED = Set.of(
            "AccessDenied",
            "AllAccessDisabled",
            "AccountProblem",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "InvalidObjectState",
            "InvalidToken",
            "NotSignedUp",
            "InvalidPayer");
    private static final Set<String> SLOW_DOWN = Set.of(
            "SlowDown",
            "ServiceUnavailable",
            "TooManyRequests",
            "Throttling",
            "ThrottlingException",
            "RequestLimitExceeded",
            "BandwidthLimitExceeded");
    private static final Set<String> RETRY = Set.of(
            "RequestTimeout",
            "RequestTimeoutException",
            "InternalError",
            "ExpiredToken",
            "ExpiredTokenException",
            "TokenRefreshRequired",
            "RequestTimeTooSkewed",
            "OperationAborted",
            "BadDigest");
    private static final Set<String> PERMANENT = Set.of("MethodNotAllowed", "NotImplemented");

    private static final double BASE = 1.1;
    private static final double LONGEST_SECONDS = 3;

    private RetryPolicy() {}

    /** Goes by the store's error code, then by status. */
    static Verdict judge(SourceFailure failure) {
        return switch (failure.kind()) {
            case CONNECTION, TIMEOUT -> Verdict.RETRY;
            case CANCELLED, CLOSED -> Verdict.CANCELLED;
            case CREDENTIALS -> Verdict.REFUSED;
            case REDIRECT, INVALID -> Verdict.PERMANENT;
            case ANSWER -> judge(failure.status(), failure.code());
        };
    }

    private static Verdict judge(int status, String code) {
        if (MISSING.contains(code)) {
            return Verdict.MISSING;
        }
        if (REFUSED.contains(code)) {
            return Verdict.REFUSED;
        }
        if (SLOW_DOWN.contains(code)) {
            return Verdict.SLOW_DOWN;
        }
        if (RETRY.contains(code)) {
            return Verdict.RETRY;
        }
        if (PERMANENT.contains(code)) {
            return Verdict.PERMANENT;
        }
        return switch (status) {
            case 404, 410 -> Verdict.MISSING;
            case 401, 403 -> Verdict.REFUSED;
            case 408 -> Verdict.RETRY;
            case 412 -> Verdict.PRECONDITION;
            case 416 -> Verdict.OUT_OF_RANGE;
            case 429, 503 -> Verdict.SLOW_DOWN;
            default -> status >= 500 ? Verdict.RETRY : Verdict.PERMANENT;
        };
    }

    /**
     * The sleep after the {@code n}th try in a row without progress: none after the first, then evenly between nothing and
     * min(3 s, 1.1^n s), so that downloads that failed together do not come back together.
     */
    static Duration sleepAfter(int n, double random) {
        if (n <= 1) {
            return Duration.ZERO;
        }
        double most = Math.min(LONGEST_SECONDS, Math.pow(BASE, n));
        return Duration.ofNanos((long) (most * random * 1e9));
    }
}
