/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel, or a worker for it, fills lies right before a page that nobody may touch: not one byte is
 * written behind it, and none behind the count that is answered. */
#include "test.h"

#include <sys/mman.h>
#include <sys/socket.h>

#define HUGE (2ll << 20)
#define SIZE 16384

static size_t page;

/* The last `size` bytes before a guard. */
static void *guarded(size_t size) {
  size_t whole = (size + page - 1) / page * page;
  char *at = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED);
  CHECK(mprotect(at + whole, page, PROT_NONE) == 0);
  return at + whole - size;
}

static int make_file(const char *name, size_t size) {
  int fd = open(in_folder(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  static char bytes[SIZE];
  memset(bytes, 'f', sizeof bytes);
  CHECK(write(fd, bytes, size) == (ssize_t)size);
  return fd;
}

static bool all(const char *at, char value, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (at[i] != value)
      return false;
  return true;
}

/* A read of exactly the buffer, and one of a file that ends 100 bytes before it. */
static void read_into(int64_t engine, char *at, uint16_t flags) {
  int whole = make_file("whole", SIZE), shorter = make_file("shorter", SIZE - 100);
  struct mr_op op = {
      .code = MR_READ, .flags = flags, .fd = whole, .address = (uint64_t)ADDRESS(at), .length = SIZE};
  memset(at, 0, SIZE);
  CHECK_EQ(run(engine, op), SIZE);
  CHECK(all(at, 'f', SIZE));
  memset(at, 0, SIZE);
  op.fd = shorter;
  CHECK_EQ(run(engine, op), SIZE - 100);
  CHECK(all(at, 'f', SIZE - 100) && all(at + SIZE - 100, 0, 100));
  close(whole);
  close(shorter);
}

static void pool_buffer(int64_t engine, bool registers) {
  int64_t pool = mr_memory_map(HUGE, 0);
  CHECK(pool > 0);
  char *buffer = (char *)(uintptr_t)pool;
  CHECK(mprotect(buffer + SIZE, page, PROT_NONE) == 0);
  read_into(engine, buffer, 0);
  uint64_t pair[2] = {(uint64_t)pool, SIZE};
  int32_t error;
  int32_t got = mr_engine_register_buffers(engine, ADDRESS(pair), 1, ADDRESS(&error));
  if (registers && got == 0)
    printf("no buffer can be registered here: errno %d\n", error);
  CHECK(registers || got == 0);
  if (got) {
    read_into(engine, buffer, MR_OP_FIXED_BUFFER);
    CHECK_EQ(mr_engine_unregister_buffers(engine), 0);
  }
  CHECK_EQ(mr_memory_unmap(pool, HUGE), 0);
}

static void received(int64_t engine) {
  int ends[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  char text[SIZE + 100], *at = guarded(SIZE);
  memset(text, 'r', sizeof text);
  CHECK(write(ends[1], text, sizeof text) == (ssize_t)sizeof text); /* more than there is room for */
  CHECK_EQ(run(engine, (struct mr_op){.code = MR_RECV,
                                      .fd = ends[0],
                                      .address = (uint64_t)ADDRESS(at),
                                      .length = SIZE,
                                      .arg = MR_RECV_WAITALL}),
           SIZE);
  CHECK(all(at, 'r', SIZE));
  close(ends[0]);
  close(ends[1]);
}

static void structures(int64_t engine) {
  struct mr_stat *st = guarded(sizeof *st);
  CHECK_EQ(run(engine, (struct mr_op){.code = MR_STATX,
                                      .address = (uint64_t)ADDRESS("/"),
                                      .extra = (uint64_t)ADDRESS(st)}),
           0);
  CHECK(S_ISDIR(st->mode));
  CHECK_EQ(mr_statx(0, ADDRESS("/"), ADDRESS(st)), 0);
  struct mr_engine_stats *stats = guarded(sizeof *stats);
  CHECK_EQ(mr_engine_stats(engine, ADDRESS(stats)), 0);
  struct mr_op nops[4] = {{.token = 1}, {.token = 2}, {.token = 3}, {.token = 4}};
  struct mr_completion *out = guarded(2 * sizeof *out);
  int32_t taken = 0;
  for (int32_t handed = 4; taken < 4; handed = 0) {
    int32_t n = turn(engine, nops, handed, out, 2, SECOND);
    CHECK(n <= 2);
    taken += n;
  }
}

int main(void) {
  page = (size_t)sysconf(_SC_PAGESIZE);
  make_folder();
  struct mr_probe *probe = guarded(sizeof *probe);
  CHECK_EQ(mr_probe(ADDRESS(probe), 0), 0);
  char *name = guarded(sizeof "ENOSPC");
  CHECK_EQ(mr_errno_name(ENOSPC, ADDRESS(name), sizeof "ENOSPC"), 6);
  CHECK(!strcmp(name, "ENOSPC"));
  char *at = guarded(SIZE);
  int fd = make_file("file", SIZE);
  CHECK_EQ(mr_pread(fd, ADDRESS(at), SIZE, 0), SIZE);
  CHECK(all(at, 'f', SIZE));
  close(fd);
  for (int k = 0; k < 2; k++) {
    struct mr_engine_report *report = guarded(sizeof *report);
    int64_t engine = make_engine(both_kinds[k], 8, report);
    if (!engine)
      continue;
    read_into(engine, guarded(SIZE), 0);
    pool_buffer(engine, both_kinds[k] == MR_ENGINE_IO_URING);
    received(engine);
    structures(engine);
    CHECK_EQ(mr_engine_destroy(engine), 0);
    printf("%s: nothing behind its buffers\n", kind_name(both_kinds[k]));
  }
  return 0;
}
