// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.engine.OpenFilesLimit;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many downloads this process and its engine have descriptors for. Each takes one for its file and one for its
 * connection; what a JVM and an engine keep open must stay free besides, or not even a class can be loaded any more to say
 * what is wrong.
 */
final class Descriptors {
    private static final Logger LOG = LoggerFactory.getLogger(Descriptors.class);
    /** What a JVM with the SDK, an engine and the embedding program's own few files have open. */
    private static final int RESERVE = 96;

    private static final int PER_DOWNLOAD = 2;

    private Descriptors() {}

    /**
     * The settings with as many permits as RLIMIT_NOFILE of this process and the engine's own limit have room for: as they
     * are, or both kinds, which are used at the same time, in the same proportion and at least one each.
     *
     * @param engineLimit descriptors of files that the engine has open at most: a file being downloaded keeps its own, and a
     *     quarter is left to others
     */
    static DownloaderConfig fit(DownloaderConfig config, int engineLimit) {
        OptionalLong limit = OpenFilesLimit.descriptors();
        long ofProcess = limit.isEmpty() ? Long.MAX_VALUE : (limit.getAsLong() - RESERVE) / PER_DOWNLOAD;
        long ofEngine = (long) engineLimit - engineLimit / 4;
        long wished = (long) config.layerPermits() + config.indexPermits();
        long room = Math.max(2, Math.min(ofProcess, ofEngine));
        if (wished <= room) {
            return config;
        }
        int layers = (int) Math.max(1, config.layerPermits() * room / wished);
        int index = (int) Math.max(1, config.indexPermits() * room / wished);
        boolean byProcess = ofProcess <= ofEngine;
        LOG.info(
                "{} is {}: {} downloads of layers and {} of index objects at once instead of {} and {}; raise it with {}",
                byProcess ? "RLIMIT_NOFILE" : "The engine's limit of descriptors",
                byProcess ? limit.getAsLong() : engineLimit,
                layers,
                index,
                config.layerPermits(),
                config.indexPermits(),
                byProcess ? "ulimit -n" : "IoEngineConfig.withDescriptors");
        return config.withPermits(layers, index);
    }
}
