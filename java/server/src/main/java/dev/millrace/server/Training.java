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
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What the build runs once, for the JVM to note which classes a download takes, and a run of the churn benchmark: loaded from a
 * shared archive they cost half of a short command's CPU. Downloads a few objects from itself, signed and unsigned, and drives
 * a management API of its own, which does nothing; not for users.
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

    private static final String ID = "0123456789abcdef0123456789abcdef";
    private static final String LAYER =
            "{\"kind\":\"Image\",\"layer_file_name\":\"%d\",\"layer_file_size\":1,\"remote\":false,\"access_stats\":{}}";
    private static final int LAYERS = 20;

    private Training() {}

    /** {@code Training FOLDER}: works in a new folder below it, and leaves nothing. */
    public static void main(String... args) throws IOException {
        System.setProperty("aws.accessKeyId", "training");
        System.setProperty("aws.secretAccessKey", "training");
        Path folder = Files.createTempDirectory(Path.of(args[0]), "training-");
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        server.createContext("/", Training::answer);
        server.createContext("/v1/", Training::manage);
        server.createContext("/metrics", Training::manage);
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
            Main.run(
                    new String[] {
                        "bench",
                        "ondemand-download-churn",
                        "--mgmt-api-endpoint",
                        endpoint,
                        "--runtime",
                        "1s",
                        "--concurrency-per-target",
                        "4"
                    },
                    nowhere,
                    nowhere);
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

    /** One timeline, whose layers come and go as they are told. */
    private static void manage(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            String body;
            if (path.equals("/v1/tenant")) {
                body = "[{\"id\":\"" + ID + "\"}]";
            } else if (path.equals("/v1/tenant/" + ID)) {
                body = "{\"timelines\":[\"" + ID + "\"]}";
            } else if (path.endsWith("/layer")) {
                body = IntStream.range(0, LAYERS)
                        .mapToObj(LAYER::formatted)
                        .collect(Collectors.joining(",", "{\"historic_layers\":[", "]}"));
            } else {
                body = "{\"downloaded\":true,\"bytes\":1}";
            }
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
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
