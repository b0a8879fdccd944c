/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for direct and registered transfers: one mapping, aligned so that huge pages fit. */
#include "compat.h"
#include "internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HUGE ((size_t)2 << 20)
#define AT(address) ((void *)(uintptr_t)(address))

static size_t rounded(int64_t length) {
  return ((size_t)length + HUGE - 1) & ~(HUGE - 1);
}

static bool valid(int64_t length) {
  return length > 0 && length <= INT64_MAX - (int64_t)(2 * HUGE);
}

/* Before Linux 5.14: touch every page. The mapping is private and new, so writing zeroes changes nothing. */
static int back_now(char *at, size_t size) {
  if (madvise(at, size, MADV_POPULATE_WRITE) == 0)
    return 0;
  if (errno != EINVAL)
    return -errno;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (size_t i = 0; i < size; i += page)
    *(volatile char *)(at + i) = 0;
  return 0;
}

int64_t mr_memory_map(int64_t length, int32_t flags) {
  if (!valid(length) || (flags & ~(MR_MEMORY_SMALL_PAGES | MR_MEMORY_LAZY)))
    return -EINVAL;
  size_t size = rounded(length);
  char *whole = mmap(NULL, size + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (whole == MAP_FAILED)
    return -errno;
  char *at = AT(((uintptr_t)whole + HUGE - 1) & ~(HUGE - 1));
  if (at > whole)
    munmap(whole, (size_t)(at - whole));
  size_t behind = (size_t)(whole + HUGE - at);
  if (behind)
    munmap(at + size, behind);
  int rc = 0;
  /* A child that got a copy would make every later write here copy pages that the kernel has pinned. */
  if (mprotect(at, size, PROT_READ | PROT_WRITE) < 0 || madvise(at, size, MADV_DONTFORK) < 0) {
    rc = -errno;
  } else {
    /* A kernel without huge pages says EINVAL: the mapping is as good, only slower. */
    madvise(at, size, flags & MR_MEMORY_SMALL_PAGES ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
    if (!(flags & MR_MEMORY_LAZY))
      rc = back_now(at, size);
  }
  if (rc < 0) {
    munmap(at, size);
    return rc;
  }
  return (int64_t)(uintptr_t)at;
}

int64_t mr_memory_huge_bytes(int64_t address, int64_t length) {
  if (!address || !valid(length))
    return -EINVAL;
  FILE *maps = fopen("/proc/self/smaps", "re");
  if (!maps)
    return -errno;
  uint64_t from = (uint64_t)address, to = from + rounded(length), huge = 0;
  bool inside = false;
  char line[512];
  while (fgets(line, sizeof line, maps)) {
    uint64_t start, end, kilobytes;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2)
      inside = start < to && end > from;
    else if (inside && sscanf(line, "AnonHugePages: %" SCNu64, &kilobytes) == 1)
      huge += kilobytes * 1024;
  }
  fclose(maps);
  /* The kernel may have merged the mapping with a neighbour of the same kind. */
  return (int64_t)(huge < to - from ? huge : to - from);
}

int32_t mr_memory_discard(int64_t address, int64_t length) {
  if (!address || !valid(length))
    return -EINVAL;
  return madvise(AT(address), rounded(length), MADV_DONTNEED) < 0 ? -errno : 0;
}

int32_t mr_memory_unmap(int64_t address, int64_t length) {
  if (!address || !valid(length))
    return -EINVAL;
  return munmap(AT(address), rounded(length)) < 0 ? -errno : 0;
}
