// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What the build runs once, for the JVM to note which classes a download takes: loaded from a shared archive they cost half
 * of a short command's CPU. Downloads a few objects from itself, signed and unsigned; not for users.
 */
final class Training {
    private static final byte[] BODY = new byte[(3 << 20) + 17];
    private static final String LISTING = """
            <?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix>p/</Prefix>\
            <KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>\
            <Contents><Key>p/a</Key><LastModified>2026-06-01T12:00:00.000Z</LastModified><ETag>&quot;1&quot;</ETag>\
            <Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents>\
            <Contents><Key>p/b</Key><LastModified>2026-06-01T12:00:00.000Z</LastModified><ETag>&quot;1&quot;</ETag>\
            <Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>""".formatted(BODY.length, BODY.length);

    private Training() {}

    /** {@code Training FOLDER}: works in a new folder below it, and leaves nothing. */
    public static void main(String... args) throws IOException {
        System.setProperty("aws.accessKeyId", "training");
        System.setProperty("aws.secretAccessKey", "training");
        Path folder = Files.createTempDirectory(Path.of(args[0]), "training-");
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        server.createContext("/", Training::answer);
        server.start();
        try (PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8)) {
            String endpoint = "http://127.0.0.1:" + server.getAddress().getPort();
            String target = folder.resolve("out").toString();
            for (String engine : new String[] {"auto", "epoll", "blocking"}) {
                Main.run(
                        new String[] {
                            "get",
                            "--json",
                            "--engine",
                            engine,
                            "--endpoint-url",
                            endpoint,
                            "--path-style",
                            "--region",
                            "us-east-1",
                            "s3://bucket/p/",
                            target
                        },
                        nowhere,
                        nowhere);
            }
            Main.run(
                    new String[] {
                        "get",
                        "--endpoint-url",
                        endpoint,
                        "--region",
                        "us-east-1",
                        "--no-sign-request",
                        "s3://bucket/p/a",
                        target + "/c"
                    },
                    nowhere,
                    nowhere);
            Main.run(new String[] {"doctor", folder.toString()}, nowhere, nowhere);
        } finally {
            server.stop(0);
            remove(folder);
        }
        System.exit(0);
    }

    private static void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            boolean listing = exchange.getRequestURI().toString().contains("list-type");
            byte[] body = listing ? LISTING.getBytes(StandardCharsets.UTF_8) : BODY;
            exchange.getResponseHeaders().set("ETag", "\"1\"");
            exchange.getResponseHeaders().set("Content-Type", listing ? "application/xml" : "binary/octet-stream");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
