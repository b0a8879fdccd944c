// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The embedded S3 server as a process of its own.
 *
 * <p>Usage: {@code EmbeddedS3Main [--bucket NAME]... [FOLDER]}. Prints one line to standard output when it is ready,
 * {@code endpoint=... region=... access_key=... secret_key=... folder=...}, and serves until its standard input ends or
 * it is told to end (SIGTERM, SIGINT). Without FOLDER it keeps objects in a temporary folder, which it removes at the
 * end.
 */
public final class EmbeddedS3Main {
    private EmbeddedS3Main() {}

    /** Starts the server; see the class. */
    public static void main(String... args) throws IOException {
        EmbeddedS3 s3 = start(args);
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> FaultyServer.closeQuietly(s3::close), "embedded-s3-close"));
        System.out.printf(
                "endpoint=%s region=%s access_key=%s secret_key=%s folder=%s%n",
                s3.endpoint(), s3.region(), s3.accessKey(), s3.secretKey(), s3.folder());
        System.out.flush();
        InputStream in = System.in;
        byte[] ignored = new byte[1024];
        while (in.read(ignored) >= 0) {
            // until the one who started us is gone
        }
        System.exit(0);
    }

    private static EmbeddedS3 start(String... args) throws IOException {
        List<String> buckets = new ArrayList<>();
        Optional<Path> folder = Optional.empty();
        for (int i = 0; i < args.length; i++) {
            if (args[i].equals("--bucket") && i + 1 < args.length) {
                buckets.add(args[++i]);
            } else if (args[i].startsWith("-") || folder.isPresent()) {
                System.err.println("Usage: EmbeddedS3Main [--bucket NAME]... [FOLDER]");
                System.exit(64);
            } else {
                folder = Optional.of(Path.of(args[i]));
            }
        }
        EmbeddedS3 s3 = folder.isPresent() ? EmbeddedS3.start(folder.get()) : EmbeddedS3.start();
        buckets.forEach(s3::createBucket);
        return s3;
    }
}
