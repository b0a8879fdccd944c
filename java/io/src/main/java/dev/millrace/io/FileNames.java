// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.FileStat;
import dev.millrace.io.engine.Syscalls;
import dev.millrace.io.engine.Syscalls.StatResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open files of an engine by what they are (device and inode), so that a rename or removal by the engine is no
 * surprise to those whose descriptors come and go: whoever is moved is told the new path, and whoever loses its name keeps
 * its descriptor from then on.
 *
 * <p>Found by identity, not by path: symbolic links, hard links and any spelling lead to the same files. Of a renamed
 * folder, those count that lie below it by their real paths.
 */
final class FileNames {
    private static final Logger LOG = LoggerFactory.getLogger(FileNames.class);

    private record Inode(long device, long number) {
        static Inode of(FileStat stat) {
            return new Inode(stat.device(), stat.inode());
        }

        // Those that a record has by itself are kept by the JDK with this class, and so keep a dropped class loader.

        @Override
        public boolean equals(Object other) {
            return other instanceof Inode inode && inode.device == device && inode.number == number;
        }

        @Override
        public int hashCode() {
            return Long.hashCode(31 * device + number);
        }
    }

    private final Syscalls syscalls;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Inode, Set<Descriptor>> open = new HashMap<>();
    private volatile boolean any;

    /** Held while files move that may have to be opened by the paths that change. Taken before any descriptor's. */
    private final ReentrantLock moving = new ReentrantLock();

    FileNames(Syscalls syscalls) {
        this.syscalls = syscalls;
    }

    void add(Descriptor descriptor) {
        lock.lock();
        try {
            Inode inode = Inode.of(descriptor.identity());
            Set<Descriptor> same = open.getOrDefault(inode, Set.of());
            if (same.isEmpty()) {
                open.put(inode, Set.of(descriptor)); // most files are open once: no set that can grow for those
            } else {
                Set<Descriptor> more = same.size() == 1 ? new LinkedHashSet<>(same) : same;
                more.add(descriptor);
                open.put(inode, more);
            }
            any = true;
        } finally {
            lock.unlock();
        }
    }

    void remove(Descriptor descriptor) {
        lock.lock();
        try {
            Inode inode = Inode.of(descriptor.identity());
            Set<Descriptor> same = open.getOrDefault(inode, Set.of());
            if (same.size() <= 1) {
                open.remove(inode);
            } else {
                same.remove(descriptor);
                if (same.size() == 1) {
                    open.put(inode, Set.copyOf(same));
                }
            }
            any = !open.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    private List<Descriptor> named(StatResult stat) {
        if (stat.error() < 0 || stat.stat().inode() == 0) {
            return List.of(); // nothing, or a system that does not tell files apart: there each keeps its descriptor
        }
        lock.lock();
        try {
            return List.copyOf(open.getOrDefault(Inode.of(stat.stat()), Set.of()));
        } finally {
            lock.unlock();
        }
    }

    /** All that are open. */
    List<Descriptor> all() {
        List<Descriptor> all = new ArrayList<>();
        lock.lock();
        try {
            open.values().forEach(all::addAll);
        } finally {
            lock.unlock();
        }
        return all;
    }

    /** Removes a file by its name; open ones get and keep their descriptors before. */
    int unlink(String path) throws IoFailure {
        if (any) {
            keep("unlink", named(syscalls.stat(path)));
        }
        return syscalls.unlink(path, false);
    }

    /** Renames; open files that are replaced get and keep their descriptors before, those that are moved learn it. */
    int rename(String from, String to, boolean noReplace) throws IoFailure {
        if (!any) {
            return syscalls.rename(from, to, noReplace);
        }
        StatResult source = syscalls.stat(from);
        if (!noReplace) {
            List<Descriptor> replaced = new ArrayList<>(named(syscalls.stat(to)));
            replaced.removeAll(named(source)); // two names of one file: it keeps one of them
            keep("rename", replaced);
        }
        if (source.error() == 0 && source.stat().isDirectory()) {
            moving.lock();
            try {
                Map<Descriptor, String> moved = below(Path.of(from), Path.of(to));
                int result = syscalls.rename(from, to, noReplace);
                if (result == 0) {
                    moved.forEach(Descriptor::moved);
                }
                return result;
            } finally {
                moving.unlock();
            }
        }
        // Files that keep their descriptors are never opened again: nobody has to wait for their new path.
        boolean mayBeOpenedMeanwhile = named(source).stream().anyMatch(descriptor -> !descriptor.isKept());
        if (mayBeOpenedMeanwhile) {
            moving.lock();
        }
        try {
            int result = syscalls.rename(from, to, noReplace);
            if (result == 0) {
                for (Descriptor descriptor : named(source)) {
                    if (isNoLongerAt(descriptor, from)) {
                        descriptor.moved(to);
                    }
                }
            }
            return result;
        } finally {
            if (mayBeOpenedMeanwhile) {
                moving.unlock();
            }
        }
    }

    /** The same file may have another name (a hard or symbolic link), by which this one was opened. */
    private boolean isNoLongerAt(Descriptor descriptor, String from) {
        String path = descriptor.path();
        if (path.equals(from)
                || Path.of(path).toAbsolutePath().equals(Path.of(from).toAbsolutePath())) {
            return true;
        }
        StatResult now = syscalls.stat(path);
        return now.error() < 0 || !descriptor.is(now.stat());
    }

    /** Which files lie below a folder, and where they will lie when it has its new name. */
    private Map<Descriptor, String> below(Path folder, Path target) {
        Path real = real(folder);
        Path realTarget = target.toAbsolutePath();
        Map<Path, Path> parents = new HashMap<>();
        Map<Descriptor, String> below = new LinkedHashMap<>();
        for (Descriptor descriptor : all()) {
            Path path = Path.of(descriptor.path()).toAbsolutePath();
            Optional<Path> parent = Optional.ofNullable(path.getParent())
                    .map(unresolved -> parents.computeIfAbsent(unresolved, FileNames::real));
            if (parent.filter(found -> found.startsWith(real)).isPresent()) {
                Path inside = real.relativize(parent.get()).resolve(path.getFileName());
                below.put(descriptor, realTarget.resolve(inside).toString());
            }
        }
        return below;
    }

    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException gone) {
            return path.toAbsolutePath().normalize();
        }
    }

    /** One after the other: nothing is held while the next one is waited for but what its file keeps for good. */
    private static void keep(String operation, List<Descriptor> descriptors) throws IoFailure {
        for (Descriptor descriptor : descriptors) {
            try {
                descriptor.keepFor(operation);
            } catch (FileClosedException | FileReplacedException e) {
                LOG.debug("{} has no descriptor to keep", descriptor.path(), e);
            }
        }
    }

    /** True where a file that was not found at a path has another one by now. Waits for moves under way. */
    boolean hasMovedFrom(Descriptor descriptor, String path) {
        moving.lock();
        try {
            return !descriptor.path().equals(path);
        } finally {
            moving.unlock();
        }
    }
}
