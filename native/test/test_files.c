/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on files, the same on both engines; and the blocking calls beside them. */
#include "test.h"

#include <sys/vfs.h>

#define BLOCK 4096
#define MANY 64

static int64_t engine;

static int32_t open_file(const char *name, int flags) {
  return run(engine, (struct mr_op){.code = MR_OPEN,
                                    .address = (uint64_t)ADDRESS(in_folder(name)),
                                    .arg = (uint32_t)flags,
                                    .arg2 = 0640});
}

static int32_t on_fd(uint16_t code, int fd) {
  return run(engine, (struct mr_op){.code = code, .fd = fd});
}

static int32_t transfer(uint16_t code, int fd, void *at, uint32_t length, uint64_t offset) {
  return run(
      engine,
      (struct mr_op){
          .code = code, .fd = fd, .offset = offset, .address = (uint64_t)ADDRESS(at), .length = length});
}

static int32_t stat_path(const char *path, int fd, struct mr_stat *out) {
  return run(engine, (struct mr_op){.code = MR_STATX,
                                    .fd = fd,
                                    .address = (uint64_t)ADDRESS(path),
                                    .extra = (uint64_t)ADDRESS(out)});
}

static void test_life_of_a_file(void) {
  int fd = open_file("one", O_RDWR | O_CREAT | O_EXCL);
  CHECK(fd >= 0);
  CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  CHECK_EQ(open_file("one", O_RDWR | O_CREAT | O_EXCL), -EEXIST);
  CHECK_EQ(open_file("none", O_RDONLY), -ENOENT);

  CHECK_EQ(run(engine, (struct mr_op){.code = MR_FALLOCATE, .fd = fd, .extra = 65536}), 0);
  struct mr_stat by_fd, by_path, plain;
  CHECK_EQ(stat_path(NULL, fd, &by_fd), 0);
  CHECK_EQ(by_fd.size, 65536);
  CHECK(S_ISREG(by_fd.mode));
  CHECK_EQ(by_fd.mode & 0777, 0640);
  CHECK(by_fd.blocks * 512 >= 65536);
  CHECK_EQ(stat_path(in_folder("one"), 0, &by_path), 0);
  CHECK(!memcmp(&by_fd, &by_path, sizeof by_fd));
  CHECK_EQ(mr_statx(fd, 0, ADDRESS(&plain)), 0);
  CHECK(!memcmp(&by_fd, &plain, sizeof by_fd));
  struct statfs fs;
  CHECK(fstatfs(fd, &fs) == 0);
  CHECK_EQ(by_fd.fs_type, fs.f_type);
  CHECK_EQ(stat_path(in_folder("none"), 0, &by_path), -ENOENT);

  char text[] = "millrace", back[32] = "";
  CHECK_EQ(transfer(MR_WRITE, fd, text, 8, 100000), 8);
  CHECK_EQ(transfer(MR_READ, fd, back, 32, 100000), 8);
  CHECK(!memcmp(text, back, 8));
  CHECK_EQ(transfer(MR_READ, fd, back, 32, 100008), 0);
  CHECK_EQ(transfer(MR_READ, fd, back, 32, 1ull << 40), 0);
  CHECK_EQ(transfer(MR_READ, fd, back, 0, 0), 0);
  if (!getenv("MR_TEST_SLOW")) /* valgrind would complain of what is tried here */
    CHECK_EQ(transfer(MR_READ, fd, (void *)8, 8, 0), -EFAULT);
  CHECK_EQ(on_fd(MR_FSYNC, fd), 0);
  CHECK_EQ(on_fd(MR_FDATASYNC, fd), 0);
  CHECK_EQ(run(engine, (struct mr_op){.code = MR_FTRUNCATE, .fd = fd, .offset = 100004}), 0);
  CHECK_EQ(transfer(MR_READ, fd, back, 32, 100000), 4);
  CHECK_EQ(on_fd(MR_CLOSE, fd), 0);
  CHECK_EQ(on_fd(MR_CLOSE, fd), -EBADF);
  CHECK_EQ(transfer(MR_READ, fd, back, 8, 0), -EBADF);
  CHECK_EQ(on_fd(MR_FSYNC, -1), -EBADF);
}

static int32_t name_op(uint16_t code, const char *a, const char *b, uint32_t arg) {
  return run(engine, (struct mr_op){.code = code,
                                    .address = (uint64_t)ADDRESS(in_folder(a)),
                                    .extra = b ? (uint64_t)ADDRESS(in_folder(b)) : 0,
                                    .arg = arg,
                                    .arg2 = 0700});
}

static void test_names(void) {
  CHECK_EQ(name_op(MR_MKDIR, "folder", NULL, 0), 0);
  CHECK_EQ(name_op(MR_MKDIR, "folder", NULL, 0), -EEXIST);
  CHECK_EQ(name_op(MR_RENAME, "one", "folder/two", 0), 0);
  CHECK_EQ(name_op(MR_RENAME, "one", "folder/two", 0), -ENOENT);
  int fd = open_file("three", O_WRONLY | O_CREAT);
  CHECK(fd >= 0);
  CHECK_EQ(on_fd(MR_CLOSE, fd), 0);
  CHECK_EQ(name_op(MR_RENAME, "three", "folder/two", MR_RENAME_NOREPLACE), -EEXIST);
  CHECK_EQ(name_op(MR_RENAME, "three", "folder/two", 0), 0);
  CHECK_EQ(name_op(MR_UNLINK, "folder", NULL, 0), -EISDIR);
  CHECK_EQ(name_op(MR_UNLINK, "folder", NULL, MR_UNLINK_DIR), -ENOTEMPTY);
  CHECK_EQ(name_op(MR_UNLINK, "folder/two", NULL, 0), 0);
  CHECK_EQ(name_op(MR_UNLINK, "folder/two", NULL, 0), -ENOENT);
  CHECK_EQ(name_op(MR_UNLINK, "folder", NULL, MR_UNLINK_DIR), 0);
}

/* Blocks written and read in random order, many in flight, each told by its token. */
static void test_many(int direct_flag, bool fixed) {
  uint64_t size = MANY * BLOCK;
  int64_t memory = mr_memory_map((int64_t)(2 * size), 0);
  CHECK(memory > 0);
  if (fixed) {
    uint64_t pairs[4] = {(uint64_t)memory, size, (uint64_t)memory + size, size};
    int32_t error = -1, got = mr_engine_register_buffers(engine, ADDRESS(pairs), 2, ADDRESS(&error));
    CHECK(got == 2 || (got == 0 && error != 0));
  }
  unsigned char *from = (unsigned char *)(uintptr_t)memory, *to = from + size;
  for (uint64_t i = 0; i < size; i++)
    from[i] = (unsigned char)(i / BLOCK + i * 7);
  int fd = open_file("many", O_RDWR | O_CREAT | O_TRUNC | direct_flag);
  if (fd == -EINVAL && direct_flag) {
    fprintf(stderr, "no direct I/O on this file system\n");
    CHECK_EQ(mr_memory_unmap(memory, (int64_t)(2 * size)), 0);
    return;
  }
  CHECK(fd >= 0);
  struct mr_stat st;
  CHECK_EQ(stat_path(NULL, fd, &st), 0);
  /* Where the file system says what direct I/O needs, less is refused by the kernel, on every engine. */
  if (direct_flag && st.dio_offset_align != MR_DIO_UNKNOWN && st.dio_offset_align > 1) {
    CHECK_EQ(transfer(MR_WRITE, fd, from, BLOCK, 1), -EINVAL);
    CHECK_EQ(transfer(MR_WRITE, fd, from + 1, BLOCK, 0), -EINVAL);
    CHECK_EQ(transfer(MR_WRITE, fd, from, 100, 0), -EINVAL);
  }
  CHECK_EQ(run(engine, (struct mr_op){.code = MR_FALLOCATE, .fd = fd, .extra = size}), 0);
  struct mr_engine_stats before, after;
  CHECK_EQ(mr_engine_stats(engine, ADDRESS(&before)), 0);
  for (int round = 0; round < 2; round++) {
    struct mr_op ops[MANY];
    bool seen[MANY] = {false};
    for (uint32_t i = 0; i < MANY; i++) {
      uint32_t block = (i * 37 + 11) % MANY;
      unsigned char *at = (round ? to : from) + block * BLOCK;
      ops[i] = (struct mr_op){.code = round ? MR_READ : MR_WRITE,
                              .flags = fixed ? MR_OP_FIXED_BUFFER : 0,
                              .buffer = (uint32_t)round,
                              .fd = fd,
                              .offset = (uint64_t)block * BLOCK,
                              .address = (uint64_t)ADDRESS(at),
                              .length = BLOCK,
                              .token = 5000 + block};
    }
    struct mr_completion out[7];
    int32_t handed = MANY;
    for (int done = 0; done < MANY;) {
      int32_t n = turn(engine, ops, handed, out, 7, SECOND);
      handed = 0;
      for (int32_t i = 0; i < n; i++, done++) {
        CHECK(out[i].token >= 5000 && out[i].token < 5000 + MANY);
        CHECK(!seen[out[i].token - 5000]);
        seen[out[i].token - 5000] = true;
        CHECK_EQ(out[i].result, BLOCK);
      }
    }
  }
  CHECK(!memcmp(from, to, size));
  CHECK_EQ(mr_engine_stats(engine, ADDRESS(&after)), 0);
  CHECK_EQ(after.in_flight, 0);
  CHECK_EQ(after.submitted - before.submitted, 2 * MANY);
  CHECK_EQ(after.bytes_read - before.bytes_read, size);
  CHECK_EQ(after.bytes_written - before.bytes_written, size);
  CHECK_EQ(after.fixed + after.plain - before.fixed - before.plain, 2 * MANY);
  CHECK_EQ(after.fixed - before.fixed, fixed && after.buffers ? 2 * MANY : 0);
  CHECK_EQ(on_fd(MR_CLOSE, fd), 0);
  if (fixed) {
    CHECK_EQ(mr_engine_unregister_buffers(engine), 0);
    CHECK_EQ(mr_engine_unregister_buffers(engine), 0);
  }
  CHECK_EQ(mr_memory_unmap(memory, (int64_t)(2 * size)), 0);
}

/* Direct reads across an end that is no whole block: the exact bytes, then the end. */
static void test_direct_tail(void) {
  int64_t memory = mr_memory_map(4 * BLOCK, 0);
  CHECK(memory > 0);
  char *at = (char *)(uintptr_t)memory;
  memset(at, 'x', 4 * BLOCK);
  int fd = open_file("tail", O_RDWR | O_CREAT | O_TRUNC);
  CHECK_EQ(transfer(MR_WRITE, fd, at, BLOCK + 100, 0), BLOCK + 100);
  CHECK_EQ(on_fd(MR_FSYNC, fd), 0);
  CHECK_EQ(on_fd(MR_CLOSE, fd), 0);
  fd = open_file("tail", O_RDONLY | O_DIRECT);
  if (fd >= 0) {
    CHECK_EQ(transfer(MR_READ, fd, at, 4 * BLOCK, 0), BLOCK + 100);
    CHECK_EQ(transfer(MR_READ, fd, at, BLOCK, BLOCK), 100);
    CHECK_EQ(transfer(MR_READ, fd, at, BLOCK, 2 * BLOCK), 0);
    CHECK_EQ(on_fd(MR_CLOSE, fd), 0);
  }
  CHECK_EQ(mr_memory_unmap(memory, 4 * BLOCK), 0);
}

static void test_registered_files(void) {
  CHECK_EQ(mr_engine_update_file(engine, 0, 0), -ENXIO);
  CHECK_EQ(mr_engine_register_files(engine, 0), -EINVAL);
  CHECK_EQ(mr_engine_register_files(engine, 4), 0);
  CHECK_EQ(mr_engine_register_files(engine, 4), -EBUSY);
  CHECK_EQ(mr_engine_update_file(engine, 4, 0), -EINVAL);
  CHECK_EQ(mr_engine_update_file(engine, 1, 9999), -EBADF);
  int fd = open_file("fixed", O_RDWR | O_CREAT);
  CHECK_EQ(mr_engine_update_file(engine, 2, fd), 0);
  CHECK_EQ(on_fd(MR_CLOSE, fd), 0); /* the table holds the file */
  char text[] = "fixed", back[8] = "";
  struct mr_op op = {
      .code = MR_WRITE, .flags = MR_OP_FIXED_FILE, .fd = 2, .address = (uint64_t)ADDRESS(text), .length = 5};
  CHECK_EQ(run(engine, op), 5);
  op.code = MR_READ;
  op.address = (uint64_t)ADDRESS(back);
  CHECK_EQ(run(engine, op), 5);
  CHECK(!memcmp(text, back, 5));
  CHECK_EQ(run(engine, (struct mr_op){.code = MR_FTRUNCATE, .flags = MR_OP_FIXED_FILE, .fd = 2, .offset = 3}),
           0);
  CHECK_EQ(run(engine, op), 3);
  CHECK_EQ(run(engine, (struct mr_op){.code = MR_FSYNC, .flags = MR_OP_FIXED_FILE, .fd = 2}), 0);
  op.fd = 1;
  CHECK_EQ(run(engine, op), -EBADF);
  op.fd = 77;
  CHECK_EQ(run(engine, op), -EBADF);
  op.fd = 2;
  CHECK_EQ(mr_engine_update_file(engine, 2, -1), 0);
  CHECK_EQ(run(engine, op), -EBADF);
}

static void test_blocking(void) {
  int fd = mr_open(ADDRESS(in_folder("plain")), O_RDWR | O_CREAT, 0600);
  CHECK(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC);
  char text[] = "plain", back[8];
  CHECK_EQ(mr_pwrite(fd, ADDRESS(text), 5, 3), 5);
  CHECK_EQ(mr_pread(fd, ADDRESS(back), 8, 3), 5);
  CHECK_EQ(mr_pread(fd, ADDRESS(back), -1, 3), -EINVAL);
  CHECK_EQ(mr_fsync(fd), 0);
  CHECK_EQ(mr_fdatasync(fd), 0);
  CHECK_EQ(mr_fallocate(fd, 0, 0, 8192), 0);
  CHECK_EQ(mr_ftruncate(fd, 4), 0);
  CHECK_EQ(mr_fchmod(fd, 0400), 0);
  struct mr_stat st;
  CHECK_EQ(mr_statx(0, ADDRESS(in_folder("plain")), ADDRESS(&st)), 0);
  CHECK_EQ(st.size, 4);
  CHECK_EQ(st.mode & 0777, 0400);
  CHECK_EQ(mr_statx(0, 0, 0), -EINVAL);
  int other = mr_open(ADDRESS(in_folder("plain")), O_RDWR, 0);
  if (other >= 0) { /* root may */
    CHECK_EQ(mr_try_lock(fd), 0);
    CHECK_EQ(mr_try_lock(fd), 0);
    CHECK_EQ(mr_try_lock(other), -EAGAIN);
    CHECK_EQ(mr_close(fd), 0);
    CHECK_EQ(mr_try_lock(other), 0);
    CHECK_EQ(mr_close(other), 0);
  } else {
    CHECK_EQ(mr_close(fd), 0);
  }
  CHECK_EQ(mr_close(fd), -EBADF);
  CHECK_EQ(mr_mkdir(ADDRESS(in_folder("d")), 0700), 0);
  CHECK_EQ(mr_rename(ADDRESS(in_folder("plain")), ADDRESS(in_folder("d/p")), MR_RENAME_NOREPLACE), 0);
  CHECK_EQ(mr_unlink(ADDRESS(in_folder("d")), MR_UNLINK_DIR), -ENOTEMPTY);
  CHECK_EQ(mr_unlink(ADDRESS(in_folder("d/p")), 0), 0);
  CHECK_EQ(mr_unlink(ADDRESS(in_folder("d")), MR_UNLINK_DIR), 0);
  CHECK(mr_free_bytes(ADDRESS(test_folder)) > 0);
  CHECK_EQ(mr_free_bytes(ADDRESS("/nowhere/at/all")), -ENOENT);
  CHECK_EQ(mr_free_bytes(ADDRESS("/proc")), INT64_MAX);
  CHECK_EQ(mr_open(0, 0, 0), -EINVAL);
}

int main(void) {
  make_folder();
  unsigned before = open_descriptors();
  for (int k = 0; k < 2; k++) {
    engine = make_engine(both_kinds[k], 128, NULL);
    if (!engine)
      continue;
    test_life_of_a_file();
    test_names();
    test_many(0, false);
    test_many(O_DIRECT, false);
    test_many(0, true);
    test_many(O_DIRECT, true);
    test_direct_tail();
    test_registered_files();
    CHECK_EQ(mr_engine_destroy(engine), 0);
    CHECK_EQ(open_descriptors(), before);
    remove_folder();
    CHECK(mkdir(test_folder, 0700) == 0);
  }
  test_blocking();
  return 0;
}
