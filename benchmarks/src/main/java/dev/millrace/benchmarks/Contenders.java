// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Who takes part in {@code make bench-peers}, and how each is made to do the same. */
final class Contenders {
    /** What all are measured by; the second of the two runs as a control. */
    static final String LIMIT = "limit.c";

    static final String CONTROL = "limit.c-again";

    /** What others do in a round takes it half a second, too short for a yardstick: it does it several times. */
    private static final int LIMIT_TIMES = 4;

    /** Where the client in C looks for authorities, with no way to name another file. */
    private static final Path SYSTEM_AUTHORITIES = Path.of("/etc/ssl/certs/ca-certificates.crt");

    private static final Map<String, String> JVM = jvm();

    private final Place place;

    /**
     * Where a run takes place.
     *
     * @param work folder for all that is written
     * @param javaMain the script that starts a main class
     * @param limit the limit program
     * @param httpPort of the server
     * @param httpsPort of the server
     * @param tls folder of the {@link Authority}
     * @param timeLimit of a round
     */
    record Place(Path work, Path javaMain, Path limit, int httpPort, int httpsPort, Path tls, Duration timeLimit) {
        String endpoint(Workload workload) {
            return workload.isSecure() ? "https://127.0.0.1:" + httpsPort : "http://127.0.0.1:" + httpPort;
        }

        Path errors(String name) {
            return work.resolve(name + ".err");
        }
    }

    Contenders(Place place) {
        this.place = place;
    }

    private static Map<String, String> jvm() {
        Map<String, String> options = new LinkedHashMap<>();
        for (String engine : List.of("io_uring", "epoll", "blocking")) {
            options.put("get-" + engine, "--contender millrace --engine " + engine);
        }
        for (String engine : List.of("io_uring", "epoll", "blocking")) {
            options.put("drop-in-" + engine, "--contender drop_in --engine " + engine);
        }
        options.put("sdk-async", "--contender sdk --client netty");
        options.put("sdk-async-multipart", "--contender sdk --client netty_multipart");
        options.put("sdk-sync", "--contender sdk --client sync");
        options.put("sdk-crt", "--contender sdk --client crt");
        options.put("sdk-transfer-manager", "--contender sdk --client transfer_manager");
        options.put("aws-crt-directio", "--contender crt_direct");
        return options;
    }

    /** All names, in the order of the table. */
    static List<String> names() {
        return Stream.of(
                        Stream.of(LIMIT),
                        JVM.keySet().stream(),
                        Stream.of("curl", "aws-cli", "s5cmd", "rclone", CONTROL))
                .flatMap(names -> names)
                .toList();
    }

    /** A contender for a workload, or the sentence that says why it cannot take part. */
    Peer make(String name, Workload workload) throws PeerFailure {
        if (JVM.containsKey(name)) {
            return jvmPeer(name, workload);
        }
        return switch (name) {
            case LIMIT, CONTROL -> limit(name, workload);
            case "curl" -> command(name, workload, "curl", curl(workload), Map.of());
            case "aws-cli" -> command(name, workload, "aws", aws(workload), awsEnvironment(workload));
            case "s5cmd" -> command(name, workload, "s5cmd", s5cmd(workload), goEnvironment());
            case "rclone" -> command(name, workload, "rclone", rclone(workload), goEnvironment());
            default -> throw new PeerFailure("nobody is called " + name);
        };
    }

    private Peer jvmPeer(String name, Workload workload) throws PeerFailure {
        List<String> command = new ArrayList<>();
        boolean systemStore = name.equals("sdk-crt") || name.equals("sdk-transfer-manager");
        if (workload.isSecure() && systemStore) {
            command.addAll(withAuthority());
        }
        command.addAll(List.of(place.javaMain().toString(), "DownloadRounds"));
        command.addAll(List.of(JVM.getOrDefault(name, "").split(" ", -1)));
        command.addAll(List.of("--endpoint-url", place.endpoint(workload), "--path-style", "--no-sign-request"));
        command.addAll(List.of("--on-request", "--concurrency", Integer.toString(workload.concurrency())));
        command.addAll(List.of("--bucket", workload.bucket(), "--keys", keys(workload, "", ",")));
        command.addAll(List.of("--dir", files(name).toString()));
        command.addAll(List.of("--authority", place.tls().resolve("ca.pem").toString()));
        return new JvmPeer(name, command, place.errors(name), place.timeLimit());
    }

    /**
     * The SDK's client in C trusts the system's authorities only: it gets a view of the file system in which ours is
     * among them, which nobody else sees.
     */
    private List<String> withAuthority() throws PeerFailure {
        if (!"root".equals(System.getProperty("user.name")) || !Files.exists(SYSTEM_AUTHORITIES)) {
            throw new PeerFailure("over HTTPS it trusts " + SYSTEM_AUTHORITIES
                    + " only, into which root alone can put the authority of this run: run as root");
        }
        Path bundle = place.work().resolve("authorities.pem");
        try {
            Files.writeString(
                    bundle,
                    Files.readString(SYSTEM_AUTHORITIES)
                            + Files.readString(place.tls().resolve("ca.pem")));
        } catch (IOException e) {
            throw new PeerFailure("the authorities cannot be put together: " + Commands.sentence(e));
        }
        String mount = "mount --bind '" + bundle + "' '" + SYSTEM_AUTHORITIES + "' && exec \"$@\"";
        return List.of("unshare", "--mount", "sh", "-c", mount, "sh");
    }

    private Path files(String name) {
        return place.work().resolve("files-" + name);
    }

    private static String keys(Workload workload, String prefix, String separator) {
        return IntStream.range(0, workload.objects())
                .mapToObj(i -> prefix + workload.key(i))
                .collect(Collectors.joining(separator));
    }

    /** It speaks no TLS: beside HTTPS, too, it runs over HTTP, as the yardstick and the control. */
    private Peer limit(String name, Workload workload) throws PeerFailure {
        if (!Files.isExecutable(place.limit())) {
            throw new PeerFailure("it is not built: make limit");
        }
        Path paths = place.work().resolve(workload.bucket() + ".paths");
        write(paths, keys(workload, "/" + workload.bucket() + "/", "\n") + "\n");
        List<String> command = new ArrayList<>(List.of(place.limit().toString(), "--host", "127.0.0.1"));
        command.addAll(List.of(
                "--port",
                Integer.toString(place.httpPort()),
                "--dir",
                files(name).toString()));
        command.addAll(List.of("--connections", Integer.toString(workload.concurrency()), "--waitall", "--json"));
        command.addAll(List.of("--repeat", Integer.toString(LIMIT_TIMES)));
        command.addAll(List.of("--paths-from", paths.toString()));
        return new CommandPeer(
                name, command, Map.of(), workload, files(name), place.errors(name), place.timeLimit(), LIMIT_TIMES);
    }

    private Peer command(
            String name, Workload workload, String program, List<String> arguments, Map<String, String> environment)
            throws PeerFailure {
        boolean there = Stream.of(System.getenv().getOrDefault("PATH", "").split(":", -1))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
        if (!there) {
            throw new PeerFailure(program + " is not installed");
        }
        List<String> command = new ArrayList<>(List.of(program));
        command.addAll(arguments);
        return new CommandPeer(
                name, command, environment, workload, files(name), place.errors(name), place.timeLimit(), 0);
    }

    private List<String> curl(Workload workload) throws PeerFailure {
        Path urls = place.work().resolve(workload.bucket() + "-" + workload.scheme() + ".urls");
        write(
                urls,
                IntStream.range(0, workload.objects())
                        .mapToObj(i ->
                                "url = \"" + place.endpoint(workload) + "/" + workload.bucket() + "/" + workload.key(i)
                                        + "\"\noutput = \"" + files("curl").resolve(workload.key(i)) + "\"\n")
                        .collect(Collectors.joining()));
        return List.of(
                "--silent",
                "--show-error",
                "--fail",
                "--noproxy",
                "*",
                "--cacert",
                place.tls().resolve("ca.pem").toString(),
                "--parallel",
                "--parallel-immediate",
                "--parallel-max",
                Integer.toString(workload.concurrency()),
                "--config",
                urls.toString());
    }

    private List<String> aws(Workload workload) {
        String bucket = "s3://" + workload.bucket() + "/";
        List<String> command = new ArrayList<>(List.of("s3", "cp", "--only-show-errors", "--no-sign-request"));
        command.addAll(List.of("--region", "us-east-1", "--endpoint-url", place.endpoint(workload)));
        command.addAll(workload.objects() == 1 ? List.of(bucket + workload.key(0)) : List.of("--recursive", bucket));
        command.add(files("aws-cli") + "/");
        return command;
    }

    /** One object is taken in as many parts at once as it likes; of many, so many at once as all others take. */
    private Map<String, String> awsEnvironment(Workload workload) throws PeerFailure {
        Path config = place.work().resolve("aws-" + workload.concurrency() + ".config");
        String requests = workload.objects() == 1 ? "" : "  max_concurrent_requests = " + workload.concurrency() + "\n";
        write(config, "[default]\nregion = us-east-1\ns3 =\n  addressing_style = path\n" + requests);
        return Map.of(
                "AWS_CONFIG_FILE",
                config.toString(),
                "AWS_SHARED_CREDENTIALS_FILE",
                "/nonexistent",
                "AWS_CA_BUNDLE",
                place.tls().resolve("ca.pem").toString());
    }

    private List<String> s5cmd(Workload workload) {
        String source = "s3://" + workload.bucket() + (workload.objects() == 1 ? "/" + workload.key(0) : "/*");
        return List.of(
                "--no-sign-request",
                "--log",
                "error",
                "--endpoint-url",
                place.endpoint(workload),
                "--numworkers",
                Integer.toString(workload.concurrency()),
                "cp",
                source,
                files("s5cmd") + "/");
    }

    private List<String> rclone(Workload workload) {
        return List.of(
                "copy",
                "--config",
                "",
                "--quiet",
                "--s3-provider",
                "Other",
                "--s3-endpoint",
                place.endpoint(workload),
                "--ca-cert",
                place.tls().resolve("ca.pem").toString(),
                "--transfers",
                Integer.toString(workload.concurrency()),
                // Without it a round of a second would be a listing and a pause.
                "--checkers",
                Integer.toString(Math.max(8, workload.concurrency())),
                ":s3:" + workload.bucket(),
                files("rclone").toString());
    }

    private Map<String, String> goEnvironment() {
        return Map.of("SSL_CERT_FILE", place.tls().resolve("ca.pem").toString(), "AWS_REGION", "us-east-1");
    }

    private static void write(Path file, String text) throws PeerFailure {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new PeerFailure(file + " cannot be written: " + Commands.sentence(e));
        }
    }
}
