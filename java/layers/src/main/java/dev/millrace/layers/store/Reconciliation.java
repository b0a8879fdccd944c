// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.io.IoEngine;
import dev.millrace.io.TemporaryFile;
import dev.millrace.layers.LayerName;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a timeline's folder hold nothing but whole files that its index names. Opens none of them. Blocks. */
final class Reconciliation {
    private static final Logger LOG = LoggerFactory.getLogger(Reconciliation.class);

    private Reconciliation() {}

    /**
     * Removes temporary files that nobody writes, and files that the index does not name, or not of this generation or size.
     * Folders stay: nobody of here made them.
     *
     * @return the layers whose files are there
     */
    static Set<LayerName> run(IoEngine engine, Path folder, IndexPart index) throws IOException {
        Map<String, LayerName> wanted = new HashMap<>();
        index.layers().forEach((layer, file) -> wanted.put(file.nameOf(layer).toString(), layer));
        Files.createDirectories(folder);
        TemporaryFile.clean(engine, folder);
        Set<LayerName> resident = new HashSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                String name = String.valueOf(entry.getFileName());
                BasicFileAttributes found =
                        Files.readAttributes(entry, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
                if (found.isDirectory() || TemporaryFile.isTemporaryName(name)) {
                    continue;
                }
                LayerName layer = wanted.get(name);
                if (layer != null && found.isRegularFile()) {
                    long size = index.layers().get(layer).size();
                    if (found.size() == size) {
                        resident.add(layer);
                        continue;
                    }
                    LOG.warn(
                            "{} has {} bytes in place of {}; it is removed and fetched anew when it is read",
                            entry,
                            found.size(),
                            size);
                } else {
                    LOG.info("{} is not in the index; it is removed", entry);
                }
                engine.deleteIfExists(entry);
            }
        }
        return resident;
    }
}
