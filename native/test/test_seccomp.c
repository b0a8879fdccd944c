/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that refuse a call of io_uring: the one refused is named, and nothing is left behind. */
#include "test.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static bool refuse(int call, int error) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static const struct {
  int syscall_number, error, expected_call;
} cases[] = {
    {__NR_io_uring_setup, EPERM, MR_CALL_IO_URING_SETUP},
    {__NR_io_uring_setup, ENOSYS, MR_CALL_IO_URING_SETUP},
    {__NR_io_uring_enter, EPERM, MR_CALL_IO_URING_ENTER},
    {__NR_io_uring_enter, EACCES, MR_CALL_IO_URING_ENTER},
    {__NR_io_uring_register, EPERM, MR_CALL_NONE}, /* the ring works without */
};

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

/* Refused while operations are in flight: the turn says so, and closing comes to an end. */
static int filtered_later(void) {
  int ends[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  struct mr_engine_config config = {.kind = MR_ENGINE_IO_URING, .depth = 8, .workers = 1};
  struct mr_engine_report report;
  struct mr_completion out[1];
  static char at[8];
  int64_t engine = mr_engine_create(ADDRESS(&config), ADDRESS(&report));
  CHECK(engine > 0);
  struct mr_op op = {.code = MR_READ, .fd = ends[0], .address = (uint64_t)ADDRESS(at), .length = 8};
  CHECK_EQ(turn(engine, &op, 1, out, 1, 0), 0);
  if (!refuse(__NR_io_uring_enter, EPERM))
    return SKIP;
  CHECK_EQ(mr_engine_turn(engine, 0, 0, ADDRESS(out), 1, SECOND), -EPERM);
  CHECK_EQ(mr_engine_destroy(engine), -EPERM);
  return 0;
}

/* With the switch off no call is made at all: one would kill. */
static int killed_by_any_call(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, __NR_io_uring_setup, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, __NR_io_uring_register, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
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

static int later(unsigned unused) {
  (void)unused;
  return filtered_later();
}

static int killed(unsigned unused) {
  (void)unused;
  return killed_by_any_call();
}

int main(void) {
  struct mr_probe probe;
  CHECK_EQ(mr_probe(ADDRESS(&probe), 0), 0);
  if (probe.uring_error) {
    fprintf(stderr, "no io_uring here: %d\n", probe.uring_error);
    return SKIP;
  }
  int skipped = 0;
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
    skipped |= in_child(filtered, i);
  skipped |= in_child(later, 100);
  skipped |= in_child(killed, 101);
  return skipped;
}
