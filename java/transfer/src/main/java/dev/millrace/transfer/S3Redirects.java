// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

/**
 * Where buckets really are: learnt from the store's redirects, once for each bucket. Credentials and signatures go to
 * another host only within the store's own domain: the endpoint's host, one below it, or AWS's for AWS.
 */
final class S3Redirects {
    private static final int MAX_BUCKETS = 10_000;
    private static final Pattern AWS_HOST = Pattern.compile(
            "(?:[a-z0-9.-]+\\.)?s3[.-](?:dualstack\\.)?([a-z]{2}(?:-[a-z]+)+-\\d)\\.amazonaws\\.com(?:\\.cn)?");

    private final S3Clients.Route home;
    private final Map<String, S3Clients.Route> learnt = new ConcurrentHashMap<>();

    S3Redirects(S3Clients.Route home) {
        this.home = home;
    }

    /** Where to ask for a bucket. */
    S3Clients.Route routeOf(String bucket) {
        return learnt.getOrDefault(bucket, home);
    }

    /**
     * Where an answer sends us; empty where it is no redirect.
     *
     * @param used where the request went
     * @param what for sentences
     * @throws SourceFailure where it leads out of the store's domain, or in a circle
     */
    Optional<S3Clients.Route> follow(String bucket, S3Clients.Route used, Throwable thrown, String what)
            throws SourceFailure {
        if (!(S3Errors.root(thrown) instanceof AwsServiceException answer) || !isRedirect(answer)) {
            return Optional.empty();
        }
        Optional<AwsErrorDetails> details = Optional.ofNullable(answer.awsErrorDetails());
        var http = details.map(AwsErrorDetails::sdkHttpResponse);
        Optional<String> region =
                S3Errors.header(http, "x-amz-bucket-region").or(() -> S3Errors.element(answer, "Region"));
        Optional<String> location = S3Errors.header(http, "Location").or(() -> S3Errors.element(answer, "Endpoint"));
        if (region.isEmpty() && location.isEmpty()) {
            return Optional.empty();
        }
        Optional<URI> place = location.flatMap(S3Redirects::uri);
        if (location.isPresent() && place.isEmpty()) {
            throw refused(what, "sends us to " + location.get() + ", which is no address");
        }
        S3Clients.Route next = place.isPresent()
                ? elsewhere(bucket, used, place.get(), region, what)
                : new S3Clients.Route(used.endpoint(), region.orElseThrow());
        S3Clients.Route known = routeOf(bucket);
        if (next.equals(used) || (!known.equals(home) && !known.equals(next) && !used.equals(home))) {
            throw refused(
                    what,
                    "sends us in a circle: it names the region " + next.region()
                            + next.endpoint().map(uri -> " at " + uri).orElse("") + " after "
                            + used.region()
                            + used.endpoint().map(uri -> " at " + uri).orElse("")
                            + "; name the bucket's region");
        }
        if (learnt.size() >= MAX_BUCKETS) {
            learnt.clear();
        }
        learnt.put(bucket, next);
        return Optional.of(next);
    }

    private static boolean isRedirect(AwsServiceException answer) {
        int status = answer.statusCode();
        String code = Optional.ofNullable(answer.awsErrorDetails())
                .map(AwsErrorDetails::errorCode)
                .orElse("");
        return status == 301
                || status == 302
                || status == 307
                || status == 308
                || (status == 400
                        && (code.equals("AuthorizationHeaderMalformed")
                                || code.equals("IllegalLocationConstraintException")))
                // A HEAD has no body to name the code
                || (status == 400
                        && S3Errors.header(
                                        Optional.ofNullable(answer.awsErrorDetails())
                                                .map(AwsErrorDetails::sdkHttpResponse),
                                        "x-amz-bucket-region")
                                .isPresent());
    }

    private static Optional<URI> uri(String text) {
        try {
            URI uri = new URI(text.contains("://") ? text : "https://" + text);
            return uri.getHost() == null ? Optional.empty() : Optional.of(uri);
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    private S3Clients.Route elsewhere(
            String bucket, S3Clients.Route used, URI place, Optional<String> region, String what) throws SourceFailure {
        String host = place.getHost().toLowerCase(Locale.ROOT);
        String bare = host.startsWith(bucket + ".") ? host.substring(bucket.length() + 1) : host;
        Matcher aws = AWS_HOST.matcher(bare);
        if (used.endpoint().isEmpty()) {
            if (!aws.matches() && !bare.equals("s3.amazonaws.com")) {
                throw refused(what, "sends us to " + host + ", which is not AWS; credentials do not go there");
            }
            String named = region.orElseGet(() -> aws.matches() ? aws.group(1) : "us-east-1");
            return new S3Clients.Route(Optional.empty(), named);
        }
        URI own = home.endpoint().orElse(used.endpoint().get());
        String ownHost = own.getHost().toLowerCase(Locale.ROOT);
        boolean within = bare.equals(ownHost)
                || bare.endsWith("." + ownHost)
                || (AWS_HOST.matcher(ownHost).matches() && aws.matches());
        boolean downgrade = "https".equalsIgnoreCase(own.getScheme()) && !"https".equalsIgnoreCase(place.getScheme());
        if (!within || downgrade) {
            throw refused(
                    what,
                    "sends us to " + place.getScheme() + "://" + place.getAuthority() + ", which is not within " + own
                            + "; credentials do not go there");
        }
        URI endpoint =
                URI.create(place.getScheme() + "://" + bare + (place.getPort() < 0 ? "" : ":" + place.getPort()));
        return new S3Clients.Route(Optional.of(endpoint), region.orElse(used.region()));
    }

    private static SourceFailure refused(String what, String why) {
        return SourceFailure.of(SourceFailure.Kind.REDIRECT, what + " failed: the store " + why)
                .build();
    }
}
