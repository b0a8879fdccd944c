// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/**
 * The release that these classes are of. It is in a file and not in the code, so that relocating our packages leaves
 * it as it is.
 *
 * @param groupId of the Maven coordinates
 * @param version of the Maven coordinates, and a folder's name in jars and caches
 */
record NativeRelease(String groupId, String version) {

    /**
     * Reads it from beside the class.
     *
     * @throws BindingUnavailableException where whoever repacked these classes lost the file
     */
    static NativeRelease read() throws BindingUnavailableException {
        Properties properties = new Properties();
        String file = "version.properties";
        try (InputStream in = NativeRelease.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new BindingUnavailableException(file + " is missing beside " + NativeRelease.class.getName()
                        + ": repack the jar of these classes with its resources");
            }
            properties.load(in);
        } catch (IOException | IllegalArgumentException e) {
            throw new BindingUnavailableException(
                    file + " beside " + NativeRelease.class.getName() + " cannot be read: " + e.getMessage(), e);
        }
        return new NativeRelease(properties.getProperty("groupId", ""), properties.getProperty("version", ""));
    }

    /** Coordinates of the jar that brings the libraries for a platform. */
    String coordinates(NativePlatform platform) {
        return groupId + ":millrace-native:" + version + ":jar:" + platform.classifier();
    }
}
