// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.http.SdkCancellationException;
import software.amazon.awssdk.http.SdkHttpResponse;

/** What the SDK's exceptions mean. */
final class S3Errors {
    /** The status that Netty makes up for what it cannot read, such as what an earlier answer had too much. */
    private static final int NOT_HTTP = 999;

    private S3Errors() {}

    /** Through the wrappers of futures and of the SDK, down to a service's answer or the first cause. */
    static Throwable root(Throwable thrown) {
        Throwable at = thrown;
        for (int depth = 0; depth < 20; depth++) {
            boolean answer = at instanceof AwsServiceException;
            Throwable cause = at.getCause();
            if (answer || cause == null || cause.equals(at)) {
                return at;
            }
            at = cause;
        }
        return at;
    }

    private static Optional<AwsServiceException> answer(Throwable thrown) {
        Throwable at = thrown;
        for (int depth = 0; at != null && depth < 20; depth++) {
            if (at instanceof AwsServiceException service && service.statusCode() > 0) {
                return Optional.of(service);
            }
            at = at.getCause();
        }
        return Optional.empty();
    }

    /**
     * The failure.
     *
     * @param what such as {@code GET of s3://bucket/key at http://host}
     * @param reused no byte of an answer had come, over a connection that earlier requests had used
     */
    static SourceFailure of(Throwable thrown, String what, boolean reused) {
        Optional<AwsServiceException> answer = answer(thrown);
        if (answer.filter(service -> service.statusCode() == NOT_HTTP).isPresent()) {
            return SourceFailure.of(SourceFailure.Kind.CONNECTION, what + " failed: what came is no HTTP answer")
                    .reusedConnection(reused)
                    .cause(thrown)
                    .build();
        }
        if (answer.isPresent()) {
            return ofAnswer(answer.get(), what);
        }
        Throwable root = root(thrown);
        String said = root.getMessage() == null ? root.getClass().getSimpleName() : firstLine(root.getMessage());
        String sentence = what + " failed: " + said;
        if (thrown instanceof SourceFailure already) {
            return already;
        }
        if (root instanceof CancellationException
                || root instanceof SdkCancellationException
                || root instanceof AbortedException) {
            return SourceFailure.of(SourceFailure.Kind.CANCELLED, what + " was cancelled")
                    .cause(thrown)
                    .build();
        }
        String all = allMessages(thrown).toLowerCase(Locale.ROOT);
        if (all.contains("unable to load credentials") || all.contains("credentials provider")) {
            return SourceFailure.of(
                            SourceFailure.Kind.CREDENTIALS,
                            what + " failed: no credentials were found; give them by environment, profile or role, or"
                                    + " ask without signing: " + firstLine(allMessages(thrown)))
                    .cause(thrown)
                    .build();
        }
        if (all.contains("executor not accepting a task")
                || all.contains("event executor terminated")
                || all.contains("connection pool shut down")) {
            return SourceFailure.of(SourceFailure.Kind.CLOSED, what + " failed: the source is closed")
                    .cause(thrown)
                    .build();
        }
        if (root instanceof TimeoutException
                || all.contains("timed out")
                || all.contains("acquire operation took longer")) {
            return SourceFailure.of(SourceFailure.Kind.TIMEOUT, sentence)
                    .cause(thrown)
                    .build();
        }
        boolean connection = hasIoCause(thrown)
                || all.contains("connection")
                || all.contains("connect ")
                || all.contains("unable to execute http request");
        if (connection) {
            boolean closed = all.contains("closed") || all.contains("reset") || all.contains("broken pipe");
            return SourceFailure.of(SourceFailure.Kind.CONNECTION, sentence)
                    .reusedConnection(reused && closed)
                    .cause(thrown)
                    .build();
        }
        return SourceFailure.of(SourceFailure.Kind.INVALID, sentence)
                .cause(thrown)
                .build();
    }

    private static boolean hasIoCause(Throwable thrown) {
        Throwable at = thrown;
        for (int depth = 0; at != null && depth < 20; depth++) {
            if (at instanceof IOException) {
                return true;
            }
            at = at.getCause();
        }
        return false;
    }

    private static String allMessages(Throwable thrown) {
        StringBuilder all = new StringBuilder();
        Throwable at = thrown;
        for (int depth = 0; at != null && depth < 20; depth++) {
            if (!(at instanceof CompletionException) && at.getMessage() != null) {
                all.append(at.getMessage()).append('\n');
            }
            at = at.getCause();
        }
        return all.toString();
    }

    private static String firstLine(String text) {
        int end = text.indexOf('\n');
        return end < 0 ? text : text.substring(0, end);
    }

    private static SourceFailure ofAnswer(AwsServiceException e, String what) {
        Optional<AwsErrorDetails> details = Optional.ofNullable(e.awsErrorDetails());
        String code = details.map(AwsErrorDetails::errorCode).orElse("");
        String message = details.map(AwsErrorDetails::errorMessage).orElse("");
        Optional<SdkHttpResponse> http = details.map(AwsErrorDetails::sdkHttpResponse);
        String sentence = what + " was answered with " + e.statusCode()
                + (code.isEmpty() ? "" : " " + code)
                + (message.isEmpty() || message.equals(code) ? "" : ": " + message)
                + remedy(code, e.statusCode());
        return SourceFailure.of(SourceFailure.Kind.ANSWER, sentence)
                .answer(e.statusCode(), code)
                .retryAfter(header(http, "Retry-After").flatMap(S3Errors::retryAfter))
                .totalLength(header(http, "Content-Range")
                        .map(ContentRange::totalOfUnsatisfied)
                        .orElse(OptionalLong.empty()))
                .cause(e)
                .build();
    }

    private static String remedy(String code, int status) {
        return switch (code) {
            case "InvalidObjectState" -> " (it is archived: restore it first)";
            case "SignatureDoesNotMatch" -> " (check the secret key)";
            case "InvalidAccessKeyId" -> " (check the access key)";
            case "ExpiredToken" -> " (renew the session's credentials)";
            default -> status == 403 && code.isEmpty() ? " (access denied)" : "";
        };
    }

    /** A header of an answer. */
    static Optional<String> header(Optional<SdkHttpResponse> http, String name) {
        return http.flatMap(response -> response.firstMatchingHeader(name));
    }

    /** Seconds, or a date. */
    static Optional<Duration> retryAfter(String text) {
        try {
            return Optional.of(Duration.ofSeconds(Math.max(0, Long.parseLong(text.trim()))));
        } catch (NumberFormatException notSeconds) {
            return date(text);
        }
    }

    private static Optional<Duration> date(String text) {
        try {
            Instant at = ZonedDateTime.parse(text.trim(), DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            Duration wait = Duration.between(Instant.now(), at);
            return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
        } catch (DateTimeException nonsense) {
            return Optional.empty();
        }
    }

    /** The text of an element in the error document of an answer. */
    static Optional<String> element(AwsServiceException e, String name) {
        String xml = Optional.ofNullable(e.awsErrorDetails())
                .map(AwsErrorDetails::rawResponse)
                .map(SdkBytes::asByteArrayUnsafe)
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .orElse("");
        Matcher matcher =
                Pattern.compile("<" + name + ">([^<]{1,255})</" + name + ">").matcher(xml);
        return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    }
}
