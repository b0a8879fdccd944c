/* SPDX-License-Identifier: Apache-2.0 */
/* Direct writes from registered buffers into space that was reserved do not go to the kernel's workers, and
 * a turn is one call of the kernel. */
#include "test.h"

#define PIECE (256 * 1024)
#define PIECES 64
#define DEPTH 8

int main(void) {
  make_folder();
  int64_t engine = make_engine(MR_ENGINE_IO_URING, DEPTH, NULL);
  if (!engine)
    return SKIP;
  int64_t memory = mr_memory_map((int64_t)DEPTH * PIECE, 0);
  CHECK(memory > 0);
  uint64_t pair[2] = {(uint64_t)memory, (uint64_t)DEPTH * PIECE};
  int32_t error;
  int32_t registered = mr_engine_register_buffers(engine, ADDRESS(pair), 1, ADDRESS(&error));
  if (registered != 1) {
    fprintf(stderr, "buffers cannot be registered: %d\n", error);
    return SKIP;
  }
  /* Opened, reserved and measured by plain calls: the kernel sends some of these to its workers always. */
  int fd = mr_open(ADDRESS(in_folder("data")), O_WRONLY | O_CREAT | O_DIRECT, 0600);
  if (fd == -EINVAL) {
    fprintf(stderr, "no direct I/O here\n");
    return SKIP;
  }
  CHECK(fd >= 0);
  struct mr_stat st;
  CHECK_EQ(mr_statx(fd, 0, ADDRESS(&st)), 0);
  if (st.fs_type != 0xef53) {
    fprintf(stderr, "not ext4 but %llx\n", (unsigned long long)st.fs_type);
    return SKIP;
  }
  CHECK_EQ(mr_fallocate(fd, 0, 0, (int64_t)PIECES * PIECE), 0);

  struct mr_engine_stats before, after;
  CHECK_EQ(mr_engine_stats(engine, ADDRESS(&before)), 0);
  int next = 0, done = 0, turns = 0, most = 0;
  bool in_use[DEPTH] = {false};
  while (done < PIECES) {
    struct mr_op ops[DEPTH];
    struct mr_completion out[DEPTH];
    int32_t count = 0;
    for (uint32_t i = 0; i < DEPTH && next < PIECES; i++) {
      if (in_use[i])
        continue;
      in_use[i] = true;
      ops[count++] = (struct mr_op){.code = MR_WRITE,
                                    .flags = MR_OP_FIXED_BUFFER,
                                    .fd = fd,
                                    .offset = (uint64_t)next++ * PIECE,
                                    .address = (uint64_t)memory + (uint64_t)i * PIECE,
                                    .length = PIECE,
                                    .token = i};
    }
    int32_t n = turn(engine, ops, count, out, DEPTH, PATIENCE);
    turns++;
    for (int32_t i = 0; i < n; i++, done++) {
      CHECK_EQ(out[i].result, PIECE);
      in_use[out[i].token] = false;
    }
    int workers = mr_engine_sample_workers(engine);
    most = workers > most ? workers : most;
  }
  CHECK_EQ(mr_engine_stats(engine, ADDRESS(&after)), 0);
  printf("%d turns, %llu enters, %d kernel workers\n", turns,
         (unsigned long long)(after.enters - before.enters), most);
  CHECK_EQ(most, 0);
  CHECK_EQ(after.kernel_workers, 0);
  CHECK_EQ(after.fixed - before.fixed, PIECES);
  CHECK(after.enters - before.enters <= (uint64_t)turns);

  /* 64 operations, one enter; nothing at hand and nothing to do, none. */
  CHECK_EQ(mr_engine_destroy(engine), 0);
  engine = make_engine(MR_ENGINE_IO_URING, 64, NULL);
  struct mr_op nops[64];
  struct mr_completion out[64];
  for (uint64_t i = 0; i < 64; i++)
    nops[i] = (struct mr_op){.code = MR_NOP, .token = i};
  CHECK_EQ(turn(engine, nops, 64, out, 64, PATIENCE), 64);
  CHECK_EQ(mr_engine_stats(engine, ADDRESS(&before)), 0);
  for (int i = 0; i < 1000; i++)
    CHECK_EQ(turn(engine, nops, 64, out, 64, PATIENCE), 64);
  CHECK_EQ(mr_engine_stats(engine, ADDRESS(&after)), 0);
  CHECK_EQ(after.enters - before.enters, 1000);
  for (int i = 0; i < 10; i++)
    CHECK_EQ(turn(engine, NULL, 0, out, 64, 0), 0);
  CHECK_EQ(turn(engine, nops, 64, out, 32, PATIENCE), 32);
  CHECK_EQ(mr_engine_stats(engine, ADDRESS(&before)), 0);
  CHECK_EQ(before.enters - after.enters, 1);
  CHECK_EQ(turn(engine, NULL, 0, out, 64, PATIENCE), 32); /* at hand */
  CHECK_EQ(mr_engine_stats(engine, ADDRESS(&after)), 0);
  CHECK_EQ(after.enters - before.enters, 0);
  CHECK_EQ(after.overflows, 0);
  CHECK_EQ(mr_engine_destroy(engine), 0);
  CHECK_EQ(mr_memory_unmap(memory, (int64_t)DEPTH * PIECE), 0);
  CHECK_EQ(mr_close(fd), 0);
  return 0;
}
