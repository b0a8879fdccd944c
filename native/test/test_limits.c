/* SPDX-License-Identifier: Apache-2.0 */
/* Under a small RLIMIT_MEMLOCK: as many buffers as fit, the errno that stopped it, and work goes on. */
#include "test.h"

#include <sys/resource.h>

#define NOBODY 54321 /* locked memory is summed over a user's processes: one that has none */
#define PIECES 64
#define PIECE (64 * 1024)

static int32_t error;

static int32_t register_pieces(int64_t engine, int64_t memory, int32_t count, uint64_t length) {
  static uint64_t pairs[2 * 20000];
  for (int32_t i = 0; i < count; i++) {
    pairs[2 * i] = (uint64_t)memory + (uint64_t)(i % PIECES) * PIECE;
    pairs[2 * i + 1] = length;
  }
  error = -1;
  return mr_engine_register_buffers(engine, ADDRESS(pairs), count, ADDRESS(&error));
}

static void use_buffer(int64_t engine, int64_t memory, uint32_t index, int32_t expected) {
  int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  CHECK_EQ(run(engine, (struct mr_op){.code = MR_READ,
                                      .flags = MR_OP_FIXED_BUFFER,
                                      .fd = fd,
                                      .address = (uint64_t)memory + (uint64_t)index * PIECE,
                                      .length = 100,
                                      .buffer = index}),
           expected);
  close(fd);
}

/* In a child, which gives up what root may. */
static int small_limit(void) {
  struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
  CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
  if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0) {
    fprintf(stderr, "cannot become another user\n");
    return SKIP;
  }
  struct mr_engine_report report;
  int64_t engine = make_engine(MR_ENGINE_IO_URING, 8, &report);
  if (!engine)
    return SKIP;
  CHECK_EQ(report.memlock_soft, 1 << 20);
  int64_t memory = mr_memory_map((int64_t)PIECES * PIECE, MR_MEMORY_SMALL_PAGES);
  CHECK(memory > 0);
  int32_t got = register_pieces(engine, memory, PIECES, PIECE);
  printf("%d of %d buffers of 64 KiB under 1 MiB, errno %d\n", got, PIECES, error);
  if (got == PIECES) {
    fprintf(stderr, "the limit does not bind here\n");
    return SKIP;
  }
  CHECK(got >= 10 && got < 17);
  CHECK_EQ(error, ENOMEM);
  struct mr_engine_stats stats;
  CHECK_EQ(mr_engine_stats(engine, ADDRESS(&stats)), 0);
  CHECK_EQ(stats.buffers, got);
  use_buffer(engine, memory, 0, 100);
  use_buffer(engine, memory, (uint32_t)got - 1, 100);
  use_buffer(engine, memory, (uint32_t)got, -EINVAL);
  /* A ring that does not fit is refused by name, and harms none that runs. */
  struct mr_engine_config large = {.kind = MR_ENGINE_IO_URING, .depth = 32768, .workers = 1};
  int64_t refused = mr_engine_create(ADDRESS(&large), ADDRESS(&report));
  CHECK_EQ(refused, -ENOMEM);
  CHECK_EQ(report.error, ENOMEM);
  CHECK_EQ(report.error_call, MR_CALL_IO_URING_SETUP);
  use_buffer(engine, memory, 0, 100);
  CHECK_EQ(mr_engine_unregister_buffers(engine), 0);
  CHECK_EQ(register_pieces(engine, memory, 4, PIECE), 4);
  CHECK_EQ(error, 0);
  CHECK_EQ(mr_engine_destroy(engine), 0);
  return 0;
}

static void odd_sizes(void) {
  int64_t engine = make_engine(MR_ENGINE_IO_URING, 8, NULL);
  if (!engine)
    return;
  int64_t memory = mr_memory_map((int64_t)PIECES * PIECE, 0);
  CHECK(memory > 0);
  CHECK_EQ(register_pieces(engine, memory, 0, PIECE), 0);
  CHECK_EQ(error, 0);
  CHECK_EQ(register_pieces(engine, memory, 1, (1ull << 30) + 1), 0);
  CHECK_EQ(error, EINVAL);
  CHECK_EQ(register_pieces(engine, 4096, 2, PIECE), 0); /* nothing is mapped there */
  CHECK_EQ(error, EFAULT);
  int32_t got = register_pieces(engine, memory, 20000, 4096);
  printf("%d of 20000 buffers, errno %d\n", got, error);
  CHECK(got > 0 && got <= 16384 && error != 0);
  CHECK_EQ(mr_engine_register_buffers(engine, memory, 1, ADDRESS(&error)), -EBUSY);
  CHECK_EQ(mr_engine_destroy(engine), 0);
  CHECK_EQ(mr_memory_unmap(memory, (int64_t)PIECES * PIECE), 0);

  engine = make_engine(MR_ENGINE_EPOLL, 8, NULL);
  CHECK_EQ(register_pieces(engine, 4096, 1, 4096), 0);
  CHECK_EQ(error, EOPNOTSUPP);
  CHECK_EQ(mr_engine_unregister_buffers(engine), 0);
  CHECK_EQ(mr_engine_destroy(engine), 0);
}

/* Returns the one before. */
static rlim_t set_soft(__rlimit_resource_t resource, rlim_t value) {
  struct rlimit limit;
  CHECK(getrlimit(resource, &limit) == 0);
  rlim_t before = limit.rlim_cur;
  limit.rlim_cur = value;
  CHECK(setrlimit(resource, &limit) == 0);
  return before;
}

/* Both engines name the call that found no descriptor, and leave nothing open. */
static int no_descriptors(void) {
  unsigned before = open_descriptors();
  int next = dup(0);
  CHECK(next >= 0);
  close(next);
  rlim_t usual = set_soft(RLIMIT_NOFILE, (rlim_t)next);
  for (int k = 0; k < 2; k++) {
    struct mr_engine_config config = {.kind = both_kinds[k], .depth = 8, .workers = 1};
    struct mr_engine_report report;
    CHECK(mr_engine_create(ADDRESS(&config), ADDRESS(&report)) < 0);
    printf("%s without descriptors: errno %d by call %d\n", kind_name(both_kinds[k]), report.error,
           report.error_call);
    if (both_kinds[k] == MR_ENGINE_IO_URING && report.error != EMFILE)
      continue; /* refused for another reason before */
    CHECK_EQ(report.error, EMFILE);
    CHECK_EQ(report.error_call, both_kinds[k] == MR_ENGINE_EPOLL ? MR_CALL_EVENTFD : MR_CALL_IO_URING_SETUP);
    CHECK_EQ(report.kind, both_kinds[k]);
  }
  set_soft(RLIMIT_NOFILE, usual); /* sanitizers want some at the end */
  CHECK_EQ(open_descriptors(), before);
  return 0;
}

static int no_threads(void) {
  if (setgid(NOBODY + 1) < 0 || setuid(NOBODY + 1) < 0) {
    fprintf(stderr, "cannot become another user\n");
    return SKIP;
  }
  rlim_t usual = set_soft(RLIMIT_NPROC, 1);
  struct mr_engine_config config = {.kind = MR_ENGINE_EPOLL, .depth = 8, .workers = 2};
  struct mr_engine_report report;
  CHECK_EQ(mr_engine_create(ADDRESS(&config), ADDRESS(&report)), -EAGAIN);
  CHECK_EQ(report.error, EAGAIN);
  CHECK_EQ(report.error_call, MR_CALL_THREAD);
  CHECK_EQ(report.kind, MR_ENGINE_EPOLL);
  set_soft(RLIMIT_NPROC, usual);
  return 0;
}

static int in_child(int (*test)(void)) {
  fflush(NULL);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0)
    exit(test());
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == SKIP);
  return WEXITSTATUS(status);
}

int main(void) {
  odd_sizes();
  in_child(no_descriptors);
  return in_child(no_threads) | in_child(small_limit);
}
