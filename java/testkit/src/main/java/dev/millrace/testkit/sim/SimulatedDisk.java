// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.FileStat;
import dev.millrace.io.engine.OpenFlag;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A file system in memory with two states: the volatile one, which programs see, and the durable one, which a power loss
 * leaves. Between them lie the changes that no fsync has made durable yet.
 *
 * <p><b>What a power loss leaves</b> ({@link #afterPowerLoss}): all that was fsynced through the file; of each later write
 * nothing, all, or any of its sectors of 512 bytes, in any order, since nothing orders writes but an fsync; of later
 * lengths the first few, as a journal keeps metadata in order. Names survive where the folder was fsynced; of later
 * creations, renames and unlinks the first few, or any (both are chosen), each whole. An fsync of a file says nothing about
 * its name. A failed fsync loses what it should have written, for good: the next one succeeds without it.
 *
 * <p>Paths are absolute and without links; renames stay within a folder. Results are counts, descriptors or negated
 * errnos. Descriptors are the lowest free numbers, so that a stale one hits another file. Thread-safe.
 */
public final class SimulatedDisk {
    /** What a disk writes whole or not at all. */
    public static final int SECTOR = 512;

    private static final int BLOCK = 4096;
    private static final long LONGEST = 1L << 40;
    private static final int FIRST_DESCRIPTOR = 3;
    private static final int EXDEV = 18;
    private static final int DIRECTORY = 0x4000;
    private static final int REGULAR = 0x8000;

    /** Bytes and a length; what lies beyond the array is zero. */
    private static final class Content {
        private byte[] bytes = new byte[0];
        private long length;

        Content copy() {
            Content copy = new Content();
            copy.bytes = bytes.clone();
            copy.length = length;
            return copy;
        }

        void put(long offset, byte[] from, int at, int count) {
            int end = (int) (offset + count);
            if (end > bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.max(end, bytes.length * 2));
            }
            System.arraycopy(from, at, bytes, (int) offset, count);
        }

        void resize(long now) {
            if (now < length && now < bytes.length) {
                Arrays.fill(bytes, (int) now, bytes.length, (byte) 0);
            }
            length = now;
        }
    }

    /** A change that is not durable yet: bytes written, a new length, or both. */
    private static final class Change {
        private final long offset;
        private final byte[] written;
        private final long newLength;

        Change(long offset, byte[] written, long newLength) {
            this.offset = offset;
            this.written = written;
            this.newLength = newLength;
        }

        boolean changesLength() {
            return newLength >= 0;
        }
    }

    private abstract static class Node {
        final long inode;
        int mode;

        Node(long inode, int mode) {
            this.inode = inode;
            this.mode = mode;
        }
    }

    private static final class FileNode extends Node {
        private Content now = new Content();
        private Content durable = new Content();
        private final List<Change> pending = new ArrayList<>();
        private long allocated;
        private Optional<Integer> lockedBy = Optional.empty();
        private int opened;
        private boolean named = true;

        FileNode(long inode, int mode) {
            super(inode, mode);
        }

        long blocks() {
            return (Math.max(now.bytes.length == 0 ? 0 : Math.min(now.length, now.bytes.length), allocated) + BLOCK - 1)
                    / BLOCK
                    * BLOCK;
        }
    }

    /** A change of a folder's names; a creation has no {@code from}, an unlink no {@code to}. */
    private record NameChange(String from, String to, Node node) {}

    private static final class FolderNode extends Node {
        private TreeMap<String, Node> names = new TreeMap<>();
        private TreeMap<String, Node> durable = new TreeMap<>();
        private final List<NameChange> pending = new ArrayList<>();

        FolderNode(long inode, int mode) {
            super(inode, mode);
        }

        void change(String from, String to, Node node) {
            NameChange change = new NameChange(from, to, node);
            apply(names, change);
            pending.add(change);
        }

        static void apply(Map<String, Node> map, NameChange change) {
            if (!change.from().isEmpty()) {
                map.remove(change.from(), change.node());
            }
            if (!change.to().isEmpty()) {
                map.put(change.to(), change.node());
            }
        }
    }

    private record Open(Node node, int flags) {
        boolean has(int flag) {
            return (flags & flag) != 0;
        }
    }

    private final Map<Integer, Open> descriptors = new TreeMap<>();
    private final List<FileNode> files = new ArrayList<>();
    private final FolderNode root = new FolderNode(1, 0755);
    private final int directAlign;
    private final long capacity;
    private long nextInode = 2;
    private boolean dead;

    /**
     * An empty disk.
     *
     * @param directAlign what direct I/O asks of offsets and lengths, a power of two; of memory it asks 512
     * @param capacity bytes of files it has room for
     */
    public SimulatedDisk(int directAlign, long capacity) {
        this.directAlign = directAlign;
        this.capacity = capacity;
    }

    // ------------------------------------------------------------------ names

    private static List<String> parts(String path) {
        return Arrays.stream(path.split("/"))
                .filter(part -> !part.isEmpty() && !part.equals("."))
                .toList();
    }

    private Optional<Node> find(List<String> parts) {
        Node node = root;
        for (String part : parts) {
            Node next = node instanceof FolderNode folder ? folder.names.get(part) : null;
            if (next == null) {
                return Optional.empty();
            }
            node = next;
        }
        return Optional.of(node);
    }

    private Optional<FolderNode> folderOf(List<String> parts) {
        if (parts.isEmpty()) {
            return Optional.empty();
        }
        return find(parts.subList(0, parts.size() - 1))
                .filter(FolderNode.class::isInstance)
                .map(FolderNode.class::cast);
    }

    private static String last(List<String> parts) {
        return parts.get(parts.size() - 1);
    }

    /** Makes a folder and those above it, durably. For tests that begin with one. */
    public synchronized void makeFolders(String path) {
        FolderNode folder = root;
        for (String part : parts(path)) {
            Node next = folder.names.get(part);
            if (next == null) {
                next = new FolderNode(nextInode++, 0755);
                folder.names.put(part, next);
                folder.durable.put(part, next);
            }
            folder = (FolderNode) next;
        }
    }

    /** Puts a file there, durably. For tests that begin with one. */
    public synchronized void put(String path, byte[] content) {
        List<String> parts = parts(path);
        FolderNode folder = folderOf(parts).orElseThrow();
        FileNode file = new FileNode(nextInode++, 0644);
        file.now.put(0, content, 0, content.length);
        file.now.length = content.length;
        file.durable = file.now.copy();
        files.add(file);
        folder.names.put(last(parts), file);
        folder.durable.put(last(parts), file);
    }

    /** Names in a folder, sorted; none where there is no such folder. */
    public synchronized List<String> names(String path) {
        return find(parts(path))
                .filter(FolderNode.class::isInstance)
                .map(folder -> List.copyOf(((FolderNode) folder).names.keySet()))
                .orElse(List.of());
    }

    /** What a file holds; empty where there is none. */
    public synchronized Optional<byte[]> content(String path) {
        return find(parts(path)).filter(FileNode.class::isInstance).map(node -> {
            Content content = ((FileNode) node).now;
            return Arrays.copyOf(content.bytes, Math.toIntExact(content.length));
        });
    }

    synchronized int open(String path, int flags, int mode) {
        List<String> parts = parts(path);
        Optional<Node> found = find(parts);
        boolean create = (flags & OpenFlag.CREATE) != 0;
        if (found.isPresent() && create && (flags & OpenFlag.EXCLUSIVE) != 0) {
            return -Errno.EEXIST;
        }
        if (found.isEmpty()) {
            Optional<FolderNode> folder = folderOf(parts);
            if (!create || folder.isEmpty()) {
                return -Errno.ENOENT;
            }
            FileNode made = new FileNode(nextInode++, mode & 0777);
            files.add(made);
            folder.get().change("", last(parts), made);
            found = Optional.of(made);
        }
        Node node = found.get();
        if (node instanceof FolderNode) {
            if ((flags & OpenFlag.WRITE) != 0) {
                return -Errno.EISDIR;
            }
        } else if ((flags & OpenFlag.DIRECTORY) != 0) {
            return -Errno.ENOTDIR;
        } else if ((flags & OpenFlag.TRUNCATE) != 0) {
            resize((FileNode) node, 0);
        }
        int fd = FIRST_DESCRIPTOR;
        while (descriptors.containsKey(fd)) {
            fd++;
        }
        descriptors.put(fd, new Open(node, flags));
        if (node instanceof FileNode file) {
            file.opened++;
        }
        return fd;
    }

    synchronized int close(int fd) {
        Open open = descriptors.remove(fd);
        if (open == null) {
            return -Errno.EBADF;
        }
        if (open.node() instanceof FileNode file) {
            if (file.lockedBy.equals(Optional.of(fd))) {
                file.lockedBy = Optional.empty();
            }
            file.opened--;
            forgetIfGone(file);
        }
        return 0;
    }

    private void forgetIfGone(FileNode file) {
        if (file.opened == 0 && !file.named) {
            files.remove(file);
        }
    }

    synchronized int rename(String from, String to, boolean noReplace) {
        List<String> fromParts = parts(from);
        List<String> toParts = parts(to);
        Optional<FolderNode> folder = folderOf(fromParts);
        Optional<Node> node = find(fromParts);
        if (node.isEmpty() || folder.isEmpty()) {
            return -Errno.ENOENT;
        }
        if (!folder.equals(folderOf(toParts))) {
            return -EXDEV;
        }
        Node replaced = folder.get().names.get(last(toParts));
        if (replaced != null && noReplace) {
            return -Errno.EEXIST;
        }
        if (replaced instanceof FolderNode) {
            return -Errno.EISDIR;
        }
        folder.get().change(last(fromParts), last(toParts), node.get());
        if (replaced instanceof FileNode file && !replaced.equals(node.get())) {
            file.named = false;
            forgetIfGone(file);
        }
        return 0;
    }

    synchronized int unlink(String path, boolean directory) {
        List<String> parts = parts(path);
        Optional<Node> node = find(parts);
        if (node.isEmpty() || parts.isEmpty()) {
            return -Errno.ENOENT;
        }
        if (node.get() instanceof FolderNode folder) {
            if (!directory) {
                return -Errno.EISDIR;
            }
            if (!folder.names.isEmpty()) {
                return -Errno.ENOTEMPTY;
            }
        } else if (directory) {
            return -Errno.ENOTDIR;
        }
        folderOf(parts).orElseThrow().change(last(parts), "", node.get());
        if (node.get() instanceof FileNode file) {
            file.named = false;
            forgetIfGone(file);
        }
        return 0;
    }

    synchronized int mkdir(String path, int mode) {
        List<String> parts = parts(path);
        if (find(parts).isPresent()) {
            return -Errno.EEXIST;
        }
        Optional<FolderNode> folder = folderOf(parts);
        if (folder.isEmpty()) {
            return -Errno.ENOENT;
        }
        folder.get().change("", last(parts), new FolderNode(nextInode++, mode & 0777));
        return 0;
    }

    // ------------------------------------------------------------------ content

    private Optional<FileNode> file(int fd, int flag) {
        Open open = descriptors.get(fd);
        return open != null && open.has(flag) && open.node() instanceof FileNode file
                ? Optional.of(file)
                : Optional.empty();
    }

    /** True where direct I/O on a descriptor would be refused for its alignment. */
    synchronized boolean isMisaligned(int fd, int at, int length, long offset) {
        return isDirect(fd) && (((offset | length) & (directAlign - 1)) != 0 || at % SECTOR != 0);
    }

    synchronized boolean isDirect(int fd) {
        Open open = descriptors.get(fd);
        return open != null && open.has(OpenFlag.DIRECT);
    }

    int directAlign() {
        return directAlign;
    }

    synchronized boolean isOpen(int fd) {
        return descriptors.containsKey(fd);
    }

    synchronized boolean isFolder(int fd) {
        return descriptors.containsKey(fd) && descriptors.get(fd).node() instanceof FolderNode;
    }

    synchronized int read(int fd, ByteBuffer memory, int at, int length, long offset) {
        Optional<FileNode> file = file(fd, OpenFlag.READ);
        if (file.isEmpty()) {
            return -Errno.EBADF;
        }
        if (isMisaligned(fd, at, length, offset)) {
            return -Errno.EINVAL;
        }
        Content content = file.get().now;
        int count = (int) Math.max(0, Math.min(length, content.length - offset));
        for (int i = 0; i < count; i++) {
            long from = offset + i;
            memory.put(at + i, from < content.bytes.length ? content.bytes[(int) from] : 0);
        }
        return count;
    }

    synchronized int write(int fd, ByteBuffer memory, int at, int length, long offset) {
        Optional<FileNode> file = file(fd, OpenFlag.WRITE);
        if (file.isEmpty()) {
            return -Errno.EBADF;
        }
        if (isMisaligned(fd, at, length, offset)) {
            return -Errno.EINVAL;
        }
        if (offset + length > Integer.MAX_VALUE / 4) {
            return -Errno.EFBIG;
        }
        long room = Math.max(file.get().blocks() - offset, 0) + free();
        int count = (int) Math.min(length, room);
        if (count == 0 && length > 0) {
            return -Errno.ENOSPC;
        }
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = memory.get(at + i);
        }
        Content content = file.get().now;
        content.put(offset, bytes, 0, count);
        long end = offset + count;
        boolean longer = end > content.length;
        content.length = Math.max(content.length, end);
        file.get().pending.add(new Change(offset, bytes, longer ? end : -1));
        return count;
    }

    synchronized int truncate(int fd, long length) {
        Optional<FileNode> file = file(fd, OpenFlag.WRITE);
        if (file.isEmpty()) {
            return -Errno.EBADF;
        }
        if (length < 0 || length > LONGEST) {
            return length < 0 ? -Errno.EINVAL : -Errno.EFBIG;
        }
        resize(file.get(), length);
        return 0;
    }

    private static void resize(FileNode file, long length) {
        file.now.resize(length);
        file.allocated = Math.min(file.allocated, length);
        file.pending.add(new Change(0, new byte[0], length));
    }

    synchronized int allocate(int fd, long offset, long length) {
        Optional<FileNode> file = file(fd, OpenFlag.WRITE);
        if (file.isEmpty()) {
            return -Errno.EBADF;
        }
        long end = offset + length;
        if (end < 0 || end > LONGEST) {
            return -Errno.EFBIG;
        }
        if (end - file.get().blocks() > free()) {
            return -Errno.ENOSPC;
        }
        file.get().allocated = Math.max(file.get().allocated, end);
        if (end > file.get().now.length) {
            file.get().now.length = end;
            file.get().pending.add(new Change(0, new byte[0], end));
        }
        return 0;
    }

    synchronized long free() {
        long used = 0;
        for (FileNode file : files) {
            used += file.blocks();
        }
        return Math.max(0, capacity - used);
    }

    synchronized int sync(int fd) {
        Open open = descriptors.get(fd);
        if (open == null) {
            return -Errno.EBADF;
        }
        if (open.node() instanceof FolderNode folder) {
            folder.durable = new TreeMap<>(folder.names);
            folder.pending.clear();
        } else if (open.node() instanceof FileNode file) {
            // By the changes, not by the state: what a failed fsync has lost is still to be seen, and never durable.
            for (Change change : file.pending) {
                file.durable.put(change.offset, change.written, 0, change.written.length);
                if (change.changesLength()) {
                    file.durable.resize(change.newLength);
                }
            }
            file.pending.clear();
        }
        return 0;
    }

    /** What an fsync that fails does: the kernel drops some of what it could not write, and takes it for written. */
    synchronized void failSync(int fd, SplittableRandom random) {
        Open open = descriptors.get(fd);
        if (open != null && open.node() instanceof FileNode file) {
            file.pending.removeIf(change -> change.written.length > 0 && random.nextBoolean());
        }
    }

    synchronized int chmod(int fd, int mode) {
        Open open = descriptors.get(fd);
        if (open == null) {
            return -Errno.EBADF;
        }
        open.node().mode = mode & 07777;
        return 0;
    }

    synchronized int tryLock(int fd) {
        Open open = descriptors.get(fd);
        if (open == null || !(open.node() instanceof FileNode file)) {
            return -Errno.EBADF;
        }
        if (file.lockedBy.isPresent() && file.lockedBy.get() != fd) {
            return -Errno.EAGAIN;
        }
        file.lockedBy = Optional.of(fd);
        return 0;
    }

    synchronized Optional<FileStat> stat(int fd) {
        return Optional.ofNullable(descriptors.get(fd)).map(open -> statOf(open.node()));
    }

    synchronized Optional<FileStat> stat(String path) {
        return find(parts(path)).map(this::statOf);
    }

    private FileStat statOf(Node node) {
        boolean folder = node instanceof FolderNode;
        long size = node instanceof FileNode file ? file.now.length : 0;
        long allocated = node instanceof FileNode file ? file.blocks() : 0;
        int mode = (folder ? DIRECTORY : REGULAR) | node.mode;
        return new FileStat(size, mode, 1, node.inode, allocated, 0, "simulated", BLOCK, SECTOR, directAlign);
    }

    /** Descriptors that are open now. */
    public synchronized int openDescriptors() {
        return descriptors.size();
    }

    // ------------------------------------------------------------------ power loss

    /** From now on nothing has an effect any more, but that descriptors are closed. */
    synchronized void cutPower() {
        dead = true;
    }

    /** True once the power was lost. */
    public synchronized boolean isDead() {
        return dead;
    }

    /** The disk as the next start finds it, by one of the many outcomes of this moment. */
    public synchronized SimulatedDisk afterPowerLoss(SplittableRandom random) {
        SimulatedDisk next = new SimulatedDisk(directAlign, capacity);
        next.nextInode = nextInode;
        survive(root, next.root, next, new IdentityHashMap<>(), random);
        return next;
    }

    private static void survive(
            FolderNode before, FolderNode after, SimulatedDisk disk, Map<Node, Node> known, SplittableRandom random) {
        TreeMap<String, Node> names = new TreeMap<>(before.durable);
        int size = before.pending.size();
        boolean inOrder = random.nextBoolean();
        int first = random.nextInt(size + 1);
        for (int i = 0; i < size; i++) {
            if (inOrder ? i < first : random.nextBoolean()) {
                FolderNode.apply(names, before.pending.get(i));
            }
        }
        names.forEach((name, node) -> {
            Node there = known.get(node);
            if (there == null) {
                if (node instanceof FolderNode folder) {
                    FolderNode made = new FolderNode(node.inode, node.mode);
                    known.put(node, made);
                    survive(folder, made, disk, known, random);
                    there = made;
                } else {
                    FileNode made = new FileNode(node.inode, node.mode);
                    made.now = surviving((FileNode) node, random);
                    made.durable = made.now.copy();
                    disk.files.add(made);
                    known.put(node, made);
                    there = made;
                }
            }
            after.names.put(name, there);
        });
        after.durable = new TreeMap<>(after.names);
    }

    private static Content surviving(FileNode file, SplittableRandom random) {
        Content content = file.durable.copy();
        int lengths = random.nextInt(file.pending.size() + 1);
        int luck = random.nextInt(4);
        for (int i = 0; i < file.pending.size(); i++) {
            Change change = file.pending.get(i);
            // No luck, all of it, or mixed: the extremes alone would be rare among many writes.
            int kept = luck < 2 ? luck : random.nextInt(3);
            keep(content, change, kept, random);
            if (change.changesLength() && i < lengths) {
                content.resize(change.newLength);
            }
        }
        long length = content.length;
        if (length < content.bytes.length) {
            Arrays.fill(content.bytes, (int) length, content.bytes.length, (byte) 0);
        }
        return content;
    }

    /** {@code kept}: 0 nothing, 1 all, 2 some of the sectors. */
    private static void keep(Content content, Change change, int kept, SplittableRandom random) {
        int at = 0;
        while (at < change.written.length) {
            long from = change.offset + at;
            int count = (int) Math.min(change.written.length - at, SECTOR - from % SECTOR);
            if (kept == 1 || (kept == 2 && random.nextBoolean())) {
                content.put(from, change.written, at, count);
            }
            at += count;
        }
    }
}
