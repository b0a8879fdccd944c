/* SPDX-License-Identifier: Apache-2.0 */
/* A small harness. A test is a program: 0 passed, 1 failed, 77 this kernel or process cannot. */
#ifndef MR_TEST_H
#define MR_TEST_H

#include "../include/millrace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SKIP 77

#define CHECK(condition)                                                                                     \
  do {                                                                                                       \
    if (!(condition)) {                                                                                      \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                        \
      exit(1);                                                                                               \
    }                                                                                                        \
  } while (0)

#define CHECK_EQ(actual, expected)                                                                           \
  do {                                                                                                       \
    long long actual_ = (long long)(actual), expected_ = (long long)(expected);                              \
    if (actual_ != expected_) {                                                                              \
      fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #actual, actual_, expected_);     \
      exit(1);                                                                                               \
    }                                                                                                        \
  } while (0)

#define ADDRESS(pointer) ((int64_t)(uintptr_t)(pointer))

static const uint32_t both_kinds[] = {MR_ENGINE_IO_URING, MR_ENGINE_EPOLL};

static inline const char *kind_name(uint32_t kind) {
  return kind == MR_ENGINE_IO_URING ? "io_uring" : "epoll";
}

/* 0 where this kernel or process has no io_uring; MR_TEST_KINDS=epoll leaves it out, MR_TEST_NO_DEFER makes
 * rings of the kind that older kernels have. */
static inline int64_t make_engine(uint32_t kind, uint32_t depth, struct mr_engine_report *report) {
  struct mr_engine_report own;
  const char *kinds = getenv("MR_TEST_KINDS");
  if (kind == MR_ENGINE_IO_URING && kinds && !strstr(kinds, "io_uring"))
    return 0;
  struct mr_engine_config config = {.kind = kind, .depth = depth, .workers = 2, .kernel_workers = 4};
  if (getenv("MR_TEST_NO_DEFER"))
    config.flags = MR_ENGINE_NO_DEFER;
  int64_t engine = mr_engine_create(ADDRESS(&config), ADDRESS(report ? report : &own));
  if (engine < 0 && kind == MR_ENGINE_IO_URING) {
    fprintf(stderr, "no io_uring here: %lld\n", (long long)engine);
    return 0;
  }
  CHECK(engine > 0);
  return engine;
}

/* One turn; negative results are failures. */
static inline int32_t turn(int64_t engine, struct mr_op *ops, int32_t count, struct mr_completion *out,
                           int32_t max, int64_t timeout_ns) {
  int32_t n = mr_engine_turn(engine, ADDRESS(ops), count, ADDRESS(out), max, timeout_ns);
  if (n < 0) {
    fprintf(stderr, "turn: %d\n", n);
    exit(1);
  }
  return n;
}

#define SECOND 1000000000ll
#define PATIENCE (60 * SECOND)

static inline int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

/* Takes exactly one completion. */
static inline struct mr_completion take(int64_t engine) {
  struct mr_completion out;
  int64_t end = now_ns() + PATIENCE;
  for (;;) {
    CHECK(now_ns() < end);
    if (turn(engine, NULL, 0, &out, 1, SECOND) == 1)
      return out;
  }
}

/* Hands one operation in and waits for it alone. */
static inline int32_t run(int64_t engine, struct mr_op op) {
  static uint64_t tokens = 1000000;
  struct mr_completion out;
  op.token = ++tokens;
  if (turn(engine, &op, 1, &out, 1, SECOND) == 0)
    out = take(engine);
  CHECK_EQ(out.token, op.token);
  CHECK_EQ(out.flags, 0);
  return out.result;
}

static inline void sleep_ms(int ms) {
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l}, NULL);
}

/* A folder of this test's own, on the disk that TMPDIR or the build folder is on. */
static char test_folder[512];

static inline void remove_folder(void) {
  char command[600];
  snprintf(command, sizeof command, "rm -rf '%s'", test_folder);
  if (system(command) != 0)
    fprintf(stderr, "left behind: %s\n", test_folder);
}

static pid_t folder_owner;

static inline void remove_folder_at_exit(void) {
  if (getpid() == folder_owner)
    remove_folder();
}

static inline void make_folder(void) {
  const char *base = getenv("TMPDIR");
  snprintf(test_folder, sizeof test_folder, "%s/millrace-test-XXXXXX", base && *base ? base : ".");
  CHECK(mkdtemp(test_folder));
  folder_owner = getpid();
  atexit(remove_folder_at_exit);
}

static inline const char *in_folder(const char *name) {
  static char paths[8][600];
  static unsigned next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", test_folder, name);
  return path;
}

static inline unsigned open_descriptors(void) {
  unsigned count = 0;
  for (int fd = 0; fd < 1024; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

#endif
