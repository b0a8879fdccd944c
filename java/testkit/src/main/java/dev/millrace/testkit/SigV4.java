// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signs a request again after something that its signature covered has been changed. Only for requests whose signature
 * lies in the Authorization header and does not seed a signed stream of chunks, which is what downloads are.
 */
record SigV4(String accessKey, String secretKey) {
    private static final Pattern FORM =
            Pattern.compile("AWS4-HMAC-SHA256\\s+Credential=([^,]+),\\s*SignedHeaders=([^,]+),\\s*Signature=(\\w+)");

    /** The same request with a signature that fits; as it is if it had none of ours. */
    Request sign(Request request) {
        Optional<Matcher> form =
                request.header("Authorization").map(FORM::matcher).filter(Matcher::matches);
        if (form.isEmpty() || !form.get().group(1).startsWith(accessKey + "/")) {
            return request;
        }
        String credential = form.get().group(1);
        List<String> signed = Arrays.stream(form.get().group(2).split(";", -1))
                .filter(name -> request.headers().has(name))
                .toList();
        StringBuilder canonical = new StringBuilder(request.method())
                .append('\n')
                .append(request.path())
                .append('\n')
                .append(canonicalQuery(request.query()))
                .append('\n');
        for (String name : signed) {
            String value = String.join(",", request.headers().all(name)).replaceAll(" +", " ");
            canonical.append(name).append(':').append(value).append('\n');
        }
        String names = String.join(";", signed);
        canonical
                .append('\n')
                .append(names)
                .append('\n')
                .append(request.header("x-amz-content-sha256").orElse("UNSIGNED-PAYLOAD"));
        String scope = credential.substring(accessKey.length() + 1);
        String toSign = "AWS4-HMAC-SHA256\n"
                + request.header("x-amz-date").orElse("") + "\n" + scope + "\n"
                + hex(sha256(canonical.toString()));
        byte[] key = ("AWS4" + secretKey).getBytes(StandardCharsets.UTF_8);
        for (String part : scope.split("/", -1)) {
            key = hmac(key, part);
        }
        return request.withHeaders(request.headers()
                .with(
                        "Authorization",
                        "AWS4-HMAC-SHA256 Credential=" + credential + ", SignedHeaders=" + names + ", Signature="
                                + hex(hmac(key, toSign))));
    }

    private static String canonicalQuery(String query) {
        if (query.isEmpty()) {
            return "";
        }
        return String.join(
                "&",
                Arrays.stream(query.split("&", -1))
                        .map(pair -> pair.indexOf('=') < 0 ? pair + "=" : pair)
                        .sorted()
                        .toList());
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This Java runtime lacks SHA-256.", e);
        }
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This Java runtime lacks HmacSHA256.", e);
        }
    }
}
