/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that refuse a call of io_uring: the one refused is named, and nothing is left behind. */
#include "filter.h"
#include "test.h"

#include <pthread.h>

static bool refuse(int call, int error) {
  return filter_install((unsigned)call, (unsigned)call, SECCOMP_RET_ERRNO | (unsigned)error);
}

static const struct {
  int syscall_number, error, expected_call;
} cases[] = {
    {__NR_io_uring_setup, EPERM, MR_CALL_IO_URING_SETUP},
    {__NR_io_uring_setup, ENOSYS, MR_CALL_IO_URING_SETUP},
    {__NR_io_uring_setup, EACCES, MR_CALL_IO_URING_SETUP},
    {__NR_io_uring_enter, EPERM, MR_CALL_IO_URING_ENTER},
    {__NR_io_uring_enter, ENOSYS, MR_CALL_IO_URING_ENTER},
    {__NR_io_uring_enter, EACCES, MR_CALL_IO_URING_ENTER},
    {__NR_io_uring_register, EPERM, MR_CALL_NONE}, /* the ring works without */
    {__NR_io_uring_register, ENOSYS, MR_CALL_NONE},
    {__NR_io_uring_register, EACCES, MR_CALL_NONE},
};
enum { CASES = sizeof cases / sizeof *cases };

static int filtered(unsigned which) {
  unsigned before = open_descriptors();
  int expected = cases[which].expected_call == MR_CALL_NONE ? 0 : cases[which].error;
  if (!refuse(cases[which].syscall_number, cases[which].error)) {
    fprintf(stderr, "no filters here\n");
    return SKIP;
  }
  struct mr_probe probe;
  CHECK_EQ(mr_probe(ADDRESS(&probe), 0), 0);
  CHECK_EQ(probe.seccomp, 2);
  CHECK_EQ(probe.uring_error, expected);
  CHECK_EQ(probe.uring_call, cases[which].expected_call);
  CHECK_EQ(probe.epoll_error, 0);
  struct mr_engine_report report;
  struct mr_engine_config config = {.kind = MR_ENGINE_IO_URING, .depth = 8, .workers = 1};
  int64_t engine = mr_engine_create(ADDRESS(&config), ADDRESS(&report));
  CHECK_EQ(report.error, expected);
  CHECK_EQ(report.error_call, cases[which].expected_call);
  if (expected) {
    CHECK_EQ(engine, -expected);
    CHECK_EQ(open_descriptors(), before);
  } else {
    CHECK_EQ(probe.register_error, cases[which].error);
    CHECK(!(report.ring_flags & MR_RING_REGISTERED_FD));
    char path[] = "/", byte[8];
    struct mr_stat st;
    CHECK_EQ(run(engine, (struct mr_op){.code = MR_STATX,
                                        .address = (uint64_t)ADDRESS(path),
                                        .extra = (uint64_t)ADDRESS(&st)}),
             0);
    uint64_t pair[2] = {(uint64_t)ADDRESS(byte), 8};
    int32_t error;
    CHECK_EQ(mr_engine_register_buffers(engine, ADDRESS(pair), 1, ADDRESS(&error)), 0);
    CHECK_EQ(error, cases[which].error);
    int fd = run(engine, (struct mr_op){.code = MR_OPEN, .address = (uint64_t)ADDRESS("/dev/zero")});
    CHECK(fd >= 0);
    CHECK_EQ(run(engine,
                 (struct mr_op){.code = MR_READ, .fd = fd, .address = (uint64_t)ADDRESS(byte), .length = 8}),
             8);
    CHECK_EQ(run(engine, (struct mr_op){.code = MR_CLOSE, .fd = fd}), 0);
    CHECK_EQ(mr_engine_destroy(engine), 0);
  }
  /* The other engine does not care. */
  config.kind = MR_ENGINE_EPOLL;
  engine = mr_engine_create(ADDRESS(&config), ADDRESS(&report));
  CHECK(engine > 0);
  CHECK_EQ(run(engine, (struct mr_op){.code = MR_NOP}), 0);
  CHECK_EQ(mr_engine_destroy(engine), 0);
  CHECK_EQ(open_descriptors(), before);
  return 0;
}

static void *destroy_again(void *engine) {
  CHECK_EQ(mr_engine_destroy(*(int64_t *)engine), 0);
  return NULL;
}

struct given_up {
  int64_t engine;
  int32_t expected;
  int ends[2];
  char at[8];
};

/* Makes an engine with a read of an empty pipe in flight, has a filter installed, and closes it. */
static void *give_up(void *argument) {
  struct given_up *g = argument;
  struct mr_engine_config config = {.kind = MR_ENGINE_IO_URING, .depth = 8, .workers = 1};
  struct mr_engine_report report;
  struct mr_completion out[1];
  g->engine = mr_engine_create(ADDRESS(&config), ADDRESS(&report));
  CHECK(g->engine > 0);
  struct mr_op op = {.code = MR_READ, .fd = g->ends[0], .address = (uint64_t)ADDRESS(g->at), .length = 8};
  CHECK_EQ(turn(g->engine, &op, 1, out, 1, 0), 0);
  CHECK(filter_install(__NR_io_uring_enter, g->expected ? __NR_io_uring_register : __NR_io_uring_enter,
                       SECCOMP_RET_ERRNO | EPERM));
  CHECK_EQ(mr_engine_turn(g->engine, 0, 0, ADDRESS(out), 1, SECOND), -EPERM);
  CHECK_EQ(mr_engine_destroy(g->engine), g->expected);
  return NULL;
}

/* Refused while operations are in flight: the turn says so, and what was in the kernel is waited for: a read
 * that came after the end would be found by what it does to memory and pipe. */
static int filtered_later(unsigned whole) {
  unsigned before = open_descriptors();
  struct given_up g = {.expected = whole ? -EINPROGRESS : 0};
  CHECK(pipe2(g.ends, O_CLOEXEC) == 0);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, give_up, &g) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  if (whole) {
    CHECK(pthread_create(&thread, NULL, destroy_again, &g.engine) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
  }
  CHECK(write(g.ends[1], "nobody's", 8) == 8);
  char rest[8];
  CHECK(read(g.ends[0], rest, 8) == 8 && !memcmp(rest, "nobody's", 8));
  CHECK(g.at[0] == 0);
  close(g.ends[0]);
  close(g.ends[1]);
  CHECK_EQ(open_descriptors(), before);
  return 0;
}

/* Whatever is refused later, an engine works or says which errno, and ends; a new one says it too. */
static int denied_later(unsigned which) {
  unsigned before = open_descriptors();
  struct mr_engine_config config = {.kind = MR_ENGINE_IO_URING, .depth = 8, .workers = 1};
  struct mr_engine_report report;
  int64_t engine = mr_engine_create(ADDRESS(&config), ADDRESS(&report));
  CHECK(engine > 0);
  CHECK(refuse(cases[which].syscall_number, cases[which].error));
  bool enter = cases[which].syscall_number == __NR_io_uring_enter;
  /* One that has its result before the call gets it. */
  struct mr_op ops[2] = {{.code = MR_OP_CODES, .token = 1}, {.code = MR_NOP, .token = 2}};
  struct mr_completion out[2];
  int32_t n = mr_engine_turn(engine, ADDRESS(ops), 2, ADDRESS(out), 2, SECOND);
  CHECK(n >= 1 && out[0].token == 1 && out[0].result == -EINVAL);
  if (n == 1)
    CHECK_EQ(mr_engine_turn(engine, 0, 0, ADDRESS(out), 1, SECOND), enter ? -cases[which].error : 1);
  CHECK_EQ(mr_engine_destroy(engine), 0);
  engine = mr_engine_create(ADDRESS(&config), ADDRESS(&report));
  CHECK_EQ(report.error_call, cases[which].expected_call);
  if (engine > 0)
    CHECK_EQ(mr_engine_destroy(engine), 0);
  else
    CHECK_EQ(engine, -cases[which].error);
  /* What its thread had registered with a ring that may not be unregistered goes with the thread. */
  CHECK_EQ(open_descriptors(), before);
  return 0;
}

/* Register refused from the start, enter later: nobody will ever know what the kernel still does. */
static int never_known(unsigned unused) {
  (void)unused;
  CHECK(refuse(__NR_io_uring_register, EPERM));
  struct mr_engine_config config = {.kind = MR_ENGINE_IO_URING, .depth = 8, .workers = 1};
  struct mr_engine_report report;
  int64_t engine = mr_engine_create(ADDRESS(&config), ADDRESS(&report));
  CHECK(engine > 0);
  CHECK(refuse(__NR_io_uring_enter, EPERM));
  CHECK_EQ(mr_engine_destroy(engine), -ENOTRECOVERABLE);
  return 0;
}

/* With the switch off no call is made at all: one would kill. */
static int killed_by_any_call(unsigned unused) {
  (void)unused;
  if (!filter_install(__NR_io_uring_setup, __NR_io_uring_register, SECCOMP_RET_KILL_PROCESS))
    return SKIP;
  struct mr_probe probe;
  CHECK_EQ(mr_probe(ADDRESS(&probe), MR_PROBE_NO_URING), 0);
  struct mr_engine_config config = {.kind = MR_ENGINE_EPOLL, .depth = 8, .workers = 1};
  struct mr_engine_report report;
  int64_t engine = mr_engine_create(ADDRESS(&config), ADDRESS(&report));
  CHECK(engine > 0);
  CHECK_EQ(mr_engine_destroy(engine), 0);
  return 0;
}

static int in_child(int (*test)(unsigned), unsigned argument) {
  fflush(NULL);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0)
    exit(test(argument));
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  if (!WIFEXITED(status) || (WEXITSTATUS(status) && WEXITSTATUS(status) != SKIP)) {
    fprintf(stderr, "case %u: status %x\n", argument, status);
    exit(1);
  }
  return WEXITSTATUS(status);
}

int main(void) {
  struct mr_probe probe;
  CHECK_EQ(mr_probe(ADDRESS(&probe), 0), 0);
  if (probe.uring_error) {
    fprintf(stderr, "no io_uring here: %d\n", probe.uring_error);
    return SKIP;
  }
  int skipped = 0;
  for (unsigned i = 0; i < CASES; i++)
    skipped |= in_child(filtered, i);
  if (skipped)
    return skipped; /* no filters here */
  for (unsigned i = 0; i < CASES; i++)
    in_child(denied_later, i);
  in_child(filtered_later, 0);
  in_child(filtered_later, 1);
  in_child(never_known, 0);
  in_child(killed_by_any_call, 0);
  return 0;
}
