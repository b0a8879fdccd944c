// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * What {@code millrace get --manifest} does, by the AWS SDK's own {@code toFile}: the same manifest, the same last line.
 * Credentials come from the SDK's default chain.
 */
@Command(
        name = "sdk-to-file",
        mixinStandardHelpOptions = true,
        description = "Downloads the objects of a manifest by the AWS SDK's own toFile and syncs each.")
public final class SdkToFile implements Callable<Integer> {
    @Mixin
    private final S3Options s3 = new S3Options();

    @Option(names = "--client", defaultValue = "netty", description = "${COMPLETION-CANDIDATES} (${DEFAULT-VALUE})")
    private SdkDownloads.Client client = SdkDownloads.Client.NETTY;

    @Option(names = "--concurrency", defaultValue = "8", description = "downloads at once (${DEFAULT-VALUE})")
    private int concurrency = 8;

    @Option(names = "--manifest", required = true, description = "lines of s3://bucket/key, a tab, a target")
    private Path manifest = Path.of("");

    @Parameters(description = "folder of the files")
    private Path folder = Path.of("");

    @Override
    public Integer call() throws Exception {
        try (SdkDownloads downloads = new SdkDownloads(client, s3, concurrency)) {
            Figures figures = downloads.run(Item.read(manifest), folder);
            System.out.println(Figures.json(figures.toMap()));
            return figures.failed() == 0 ? 0 : 1;
        }
    }

    /** Runs; see the class. */
    public static void main(String... args) {
        System.exit(Commands.run(new SdkToFile(), args));
    }
}
