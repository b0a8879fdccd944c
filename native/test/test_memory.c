/* SPDX-License-Identifier: Apache-2.0 */
/* The mapping: aligned, zeroed, huge where it can be, not given to a child, and not one byte larger. */
#include "test.h"

#include <signal.h>
#include <sys/mman.h>

#define HUGE (2ll << 20)

/* Whether an access of the byte kills. */
static bool kills(const char *at) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);
    _exit(*(const volatile char *)at == 1 ? 1 : 0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) || WEXITSTATUS(status) > 1; /* sanitizers exit by themselves */
}

/* A kernel keeps such memory from a child; qemu-user drops the advice and says that it went well. */
static bool forks_are_advised(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED);
  CHECK_EQ(madvise(at, page, MADV_DONTFORK), 0);
  bool kept = kills(at);
  CHECK_EQ(munmap(at, page), 0);
  if (!kept)
    printf("an emulator ignores MADV_DONTFORK: what a child has of the memory is not checked\n");
  return kept;
}

int main(void) {
  CHECK_EQ(mr_memory_map(0, 0), -EINVAL);
  CHECK_EQ(mr_memory_map(-1, 0), -EINVAL);
  CHECK_EQ(mr_memory_map(INT64_MAX, 0), -EINVAL);
  CHECK_EQ(mr_memory_map(4096, 64), -EINVAL);
  CHECK_EQ(mr_memory_map(1ll << 60, 0), -ENOMEM);
  CHECK_EQ(mr_memory_unmap(0, 4096), -EINVAL);

  struct mr_probe probe;
  CHECK_EQ(mr_probe(ADDRESS(&probe), MR_PROBE_NO_URING), 0);
  int64_t length = 3 * HUGE + 1;
  bool advised = forks_are_advised();
  for (int32_t flags = 0; flags < 4; flags++) {
    int64_t memory = mr_memory_map(length, flags);
    CHECK(memory > 0 && memory % HUGE == 0);
    char *at = (char *)(uintptr_t)memory;
    for (int64_t i = 0; i < 4 * HUGE; i += 512)
      CHECK(at[i] == 0);
    int64_t huge = mr_memory_huge_bytes(memory, length);
    CHECK(huge >= 0 && huge <= 4 * HUGE);
    printf("flags %d: %lld of %lld on huge pages\n", flags, (long long)huge, 4 * HUGE);
    if (flags & MR_MEMORY_SMALL_PAGES || probe.huge_pages == MR_HUGE_NEVER)
      CHECK_EQ(huge, 0);
    at[0] = at[4 * HUGE - 1] = 'x';
    CHECK(kills(at) || !advised); /* a child has no such memory */
    CHECK_EQ(mr_memory_discard(memory, length), 0);
    CHECK_EQ(mr_memory_huge_bytes(memory, length), 0);
    CHECK(at[0] == 0 && at[4 * HUGE - 1] == 0);
    CHECK_EQ(mr_memory_unmap(memory, length), 0);
    CHECK(msync(at, 4096, MS_ASYNC) < 0 && errno == ENOMEM);
  }

  /* Against a page that must not be touched: transfers and checksums stay inside what they were given. */
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *guarded = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(guarded != MAP_FAILED);
  CHECK(mprotect(guarded, page, PROT_NONE) == 0 && mprotect(guarded + 2 * page, page, PROT_NONE) == 0);
  char *first = guarded + page, *end = first + page;
  char copy[4096];
  for (int64_t n = 0; n <= 600; n++) {
    CHECK(mr_crc32c(0, ADDRESS(end - n), n) == mr_copy_checksum(1, 0, ADDRESS(copy), ADDRESS(end - n), n));
    CHECK(mr_crc64nvme(0, ADDRESS(first), n) == mr_copy_checksum(2, 0, ADDRESS(end - n), ADDRESS(first), n));
  }
  make_folder();
  int fd = mr_open(ADDRESS(in_folder("guard")), O_RDWR | O_CREAT, 0600);
  CHECK(fd >= 0 && ftruncate(fd, (off_t)(4 * page)) == 0);
  for (int k = 0; k < 2; k++) {
    int64_t engine = make_engine(both_kinds[k], 4, NULL);
    if (!engine)
      continue;
    struct mr_op op = {
        .code = MR_READ, .fd = fd, .address = (uint64_t)ADDRESS(first), .length = (uint32_t)page};
    CHECK_EQ(run(engine, op), page);
    op.address += 1; /* one byte of it lies in the guard */
    int32_t n = run(engine, op);
    CHECK(n == -EFAULT || n == (int32_t)page - 1);
    CHECK_EQ(mr_engine_destroy(engine), 0);
  }
  mr_close(fd);
  munmap(guarded, 3 * page);
  return 0;
}
