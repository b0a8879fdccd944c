/* SPDX-License-Identifier: Apache-2.0 */
/* The handshake, and arguments that every function must refuse without a crash. */
#include "test.h"

#include <limits.h>

static unsigned inherited_descriptors(void) {
  unsigned count = 0;
  for (int fd = 0; fd < 1024; fd++) {
    int flags = fcntl(fd, F_GETFD);
    count += flags >= 0 && !(flags & FD_CLOEXEC);
  }
  return count;
}

/* dc: a forked child gets no copy, and with it no say in what becomes of the ring. */
static unsigned rings(unsigned *copied) {
  FILE *maps = fopen("/proc/self/smaps", "re");
  CHECK(maps);
  char line[512];
  unsigned count = 0;
  bool ring = false;
  *copied = 0;
  while (fgets(line, sizeof line, maps)) {
    unsigned long long from, to;
    if (sscanf(line, "%llx-%llx ", &from, &to) == 2)
      ring = strstr(line, "[io_uring]");
    else if (ring && !strncmp(line, "VmFlags:", 8)) {
      count++;
      *copied += !strstr(line, " dc");
    }
  }
  fclose(maps);
  return count;
}

int main(void) {
  CHECK_EQ(mr_abi_version(), MR_ABI_VERSION);
  CHECK_EQ(mr_constant(MR_C_OP_SIZE), 64);
  CHECK_EQ(mr_constant(MR_C_COMPLETION_SIZE), 16);
  CHECK_EQ(mr_constant(MR_C_STAT_SIZE), 96);
  CHECK_EQ(mr_constant(MR_C_CONFIG_SIZE), sizeof(struct mr_engine_config));
  CHECK_EQ(mr_constant(MR_C_REPORT_SIZE), sizeof(struct mr_engine_report));
  CHECK_EQ(mr_constant(MR_C_STATS_SIZE), sizeof(struct mr_engine_stats));
  CHECK_EQ(mr_constant(MR_C_PROBE_SIZE), sizeof(struct mr_probe));
  CHECK_EQ(mr_constant(MR_C_OP_TOKEN), 48);
  CHECK_EQ(mr_constant(MR_C_COMPLETION_RESULT), 8);
  CHECK_EQ(mr_constant(MR_C_O_DIRECT), O_DIRECT);
  CHECK_EQ(mr_constant(MR_C_ETIME), ETIME);
  for (int id = MR_C_OP_SIZE; id <= MR_C_ELOOP; id++)
    if (mr_constant(id) == INT64_MIN)
      CHECK((id > 7 && id < 10) || (id > 20 && id < 30) || (id > 31 && id < 40) || (id > 50 && id < 60) ||
            (id > 64 && id < 80));
  CHECK_EQ(mr_constant(0), INT64_MIN);
  CHECK_EQ(mr_constant(-1), INT64_MIN);
  CHECK_EQ(mr_constant(100000), INT64_MIN);

  char name[16];
  CHECK_EQ(mr_errno_name(ENOSPC, ADDRESS(name), sizeof name), 6);
  CHECK(!strcmp(name, "ENOSPC"));
  CHECK_EQ(mr_errno_name(ENOSPC, ADDRESS(name), 6), 0);
  CHECK_EQ(mr_errno_name(99999, ADDRESS(name), sizeof name), 0);
  CHECK_EQ(mr_errno_name(EINVAL, 0, 10), 0);
  CHECK_EQ(mr_errno_name(INT_MIN, ADDRESS(name), sizeof name), 0);

  CHECK_EQ(mr_engine_turn(0, 0, 0, 0, 0, 0), -EINVAL);
  CHECK_EQ(mr_engine_wake(0), -EINVAL);
  CHECK_EQ(mr_engine_destroy(0), -EINVAL);
  CHECK_EQ(mr_engine_stats(0, 0), -EINVAL);
  CHECK_EQ(mr_engine_create(0, 0), -EINVAL);
  struct mr_engine_report report;
  static const struct mr_engine_config bad[] = {
      {.kind = 0, .depth = 1, .workers = 1},
      {.kind = MR_ENGINE_EPOLL, .depth = 0, .workers = 1},
      {.kind = MR_ENGINE_EPOLL, .depth = 32769, .workers = 1},
      {.kind = MR_ENGINE_EPOLL, .depth = 1, .workers = 0},
      {.kind = MR_ENGINE_EPOLL, .depth = 1, .workers = 1, .flags = 128},
  };
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK_EQ(mr_engine_create(ADDRESS(&bad[i]), ADDRESS(&report)), -EINVAL);
    CHECK_EQ(report.error, EINVAL);
    CHECK(report.memlock_soft > 0 || report.memlock_hard == 0);
  }

  unsigned before = open_descriptors(), inherited = inherited_descriptors();
  for (int k = 0; k < 2; k++) {
    int64_t engine = make_engine(both_kinds[k], 8, &report);
    if (!engine)
      continue;
    CHECK_EQ(report.kind, both_kinds[k]);
    CHECK_EQ(report.error, 0);
    CHECK_EQ(report.error_call, MR_CALL_NONE);
    CHECK(report.depth >= 8);
    CHECK_EQ(inherited_descriptors(), inherited); /* a program that is executed gets none of the engine's */
    unsigned copied;
    CHECK(rings(&copied) > 0 || both_kinds[k] == MR_ENGINE_EPOLL);
    CHECK_EQ(copied, 0);
    printf("%s: depth %u features %llx setup %x ring %x ops %llx\n", kind_name(report.kind), report.depth,
           (unsigned long long)report.features, report.setup_flags, report.ring_flags,
           (unsigned long long)report.kernel_ops);
    struct mr_completion out[4];
    CHECK_EQ(mr_engine_turn(engine, 0, 1, ADDRESS(out), 1, 0), -EINVAL);
    CHECK_EQ(mr_engine_turn(engine, 0, -1, ADDRESS(out), 1, 0), -EINVAL);
    CHECK_EQ(mr_engine_turn(engine, 0, 0, 0, 1, 0), -EINVAL);
    CHECK_EQ(turn(engine, NULL, 0, out, 4, 0), 0);
    CHECK_EQ(turn(engine, NULL, 0, NULL, 0, -1), 0);
    CHECK_EQ(run(engine, (struct mr_op){.code = MR_NOP}), 0);
    int64_t begun = now_ns();
    CHECK_EQ(turn(engine, NULL, 0, out, 4, 20000000), 0);
    int64_t took = now_ns() - begun;
    CHECK(took >= 20000000 && took < 10 * SECOND);
    CHECK(mr_engine_sample_workers(engine) >= 0);
    CHECK_EQ(mr_engine_destroy(engine), 0);
  }
  CHECK_EQ(open_descriptors(), before);

  struct mr_probe probe;
  CHECK_EQ(mr_probe(ADDRESS(&probe), 0), 0);
  printf("probe: uring %d by %d, disabled %d, seccomp %d, register %d, huge %d, epoll %d\n",
         probe.uring_error, probe.uring_call, probe.uring_disabled, probe.seccomp, probe.register_error,
         probe.huge_pages, probe.epoll_error);
  CHECK_EQ(probe.epoll_error, 0);
  CHECK_EQ(probe.page_size, sysconf(_SC_PAGESIZE));
  CHECK_EQ(mr_probe(0, 0), -EINVAL);
  CHECK_EQ(mr_probe(ADDRESS(&probe), MR_PROBE_NO_URING), 0);
  CHECK_EQ(probe.uring_features, 0);
  CHECK_EQ(open_descriptors(), before);
  return 0;
}
