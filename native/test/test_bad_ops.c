/* SPDX-License-Identifier: Apache-2.0 */
/* Records that are not well-formed fail alone; more than the engine holds are told to wait; none strands
 * another, and each is answered once. */
#include "test.h"

static int64_t engine;

static void test_malformed(void) {
  char byte;
  uint64_t there = (uint64_t)ADDRESS(&byte);
  struct mr_op bad[] = {
      {.code = MR_OP_CODES},
      {.code = 65535},
      {.code = MR_NOP, .flags = 4},
      {.code = MR_NOP, .flags = MR_OP_FIXED_FILE},
      {.code = MR_CLOSE, .flags = MR_OP_FIXED_FILE},
      {.code = MR_FSYNC, .flags = MR_OP_FIXED_BUFFER},
      {.code = MR_READ, .length = 1},
      {.code = MR_WRITE, .length = 1},
      {.code = MR_READ, .address = there, .length = MR_MAX_TRANSFER + 1},
      {.code = MR_WRITE, .address = there, .length = UINT32_MAX},
      {.code = MR_READ, .address = there, .length = 1, .offset = UINT64_MAX},
      {.code = MR_RECV, .length = 1},
      {.code = MR_RECV, .address = there, .length = 1, .arg = 2},
      {.code = MR_SEND, .length = 1},
      {.code = MR_OPEN},
      {.code = MR_MKDIR},
      {.code = MR_UNLINK},
      {.code = MR_UNLINK, .address = there, .arg = 2},
      {.code = MR_RENAME, .address = there},
      {.code = MR_RENAME, .extra = there},
      {.code = MR_RENAME, .address = there, .extra = there, .arg = 2},
      {.code = MR_STATX},
      {.code = MR_FALLOCATE, .offset = UINT64_MAX},
      {.code = MR_FTRUNCATE, .offset = UINT64_MAX},
      {.code = MR_TIMEOUT, .offset = UINT64_MAX},
      {.code = MR_POLL, .arg = 1u << 31},
      {.code = MR_CONNECT},
      {.code = MR_CONNECT, .address = there, .length = 4096},
  };
  enum { COUNT = sizeof bad / sizeof *bad };
  struct mr_op ops[2 * COUNT];
  struct mr_completion out[2 * COUNT];
  bool seen[2 * COUNT] = {false};
  for (uint64_t i = 0; i < COUNT; i++) { /* between good ones */
    ops[2 * i] = bad[i];
    ops[2 * i].token = 2 * i;
    ops[2 * i + 1] = (struct mr_op){.code = MR_NOP, .token = 2 * i + 1};
  }
  int32_t done = 0;
  for (int32_t handed = 2 * COUNT; done < 2 * COUNT; handed = 0) {
    int32_t n = turn(engine, ops, handed, out, 5, SECOND); /* with little room */
    for (int32_t i = 0; i < n; i++, done++) {
      CHECK(out[i].token < 2 * COUNT && !seen[out[i].token]);
      seen[out[i].token] = true;
      if (out[i].result != (out[i].token % 2 ? 0 : -EINVAL)) {
        fprintf(stderr, "record %d: %d\n", (int)out[i].token / 2, out[i].result);
        exit(1);
      }
    }
  }
  struct mr_op reserved = {.code = MR_NOP, .token = MR_TOKEN_INTERNAL + 1};
  CHECK_EQ(turn(engine, &reserved, 1, out, 1, 0), 1);
  CHECK_EQ(out[0].result, -EINVAL);
  CHECK_EQ(out[0].token, reserved.token);
  struct mr_op fixed = {
      .code = MR_READ, .flags = MR_OP_FIXED_BUFFER, .address = there, .length = 1, .fd = -1};
  CHECK(run(engine, fixed) < 0);
  fixed.buffer = 70000;
  CHECK(run(engine, fixed) < 0);
}

/* Many times the depth in one turn, of which `depth` never end by themselves. */
static void test_too_many(uint32_t depth) {
  enum { COUNT = 3000 };
  static struct mr_op ops[COUNT];
  static struct mr_completion out[COUNT];
  static bool seen[COUNT];
  memset(seen, 0, sizeof seen);
  for (uint64_t i = 0; i < COUNT; i++)
    ops[i] = (struct mr_op){.code = MR_TIMEOUT, .offset = 3600ull * SECOND, .token = i};
  int32_t busy = 0;
  for (int32_t handed = COUNT; busy < COUNT - (int32_t)depth; handed = 0) {
    int32_t n = turn(engine, ops, handed, out, 100, SECOND);
    for (int32_t i = 0; i < n; i++, busy++) {
      CHECK_EQ(out[i].result, -EBUSY);
      CHECK(!seen[out[i].token]);
      seen[out[i].token] = true;
    }
  }
  struct mr_engine_stats stats;
  CHECK_EQ(mr_engine_stats(engine, ADDRESS(&stats)), 0);
  CHECK_EQ(stats.in_flight, depth);
  /* No slot is left for a cancel; the engine is closed over them, and they are let go of. */
  CHECK_EQ(turn(engine, NULL, 0, out, COUNT, 0), 0);
}

/* Ready at once, taken late: nothing is lost while the caller has no room. */
static void test_no_room(uint32_t depth) {
  static struct mr_op ops[64];
  struct mr_completion out[64];
  for (uint64_t i = 0; i < depth; i++)
    ops[i] = (struct mr_op){.code = MR_NOP, .token = i};
  CHECK_EQ(turn(engine, ops, (int32_t)depth, NULL, 0, -1), 0);
  CHECK_EQ(turn(engine, NULL, 0, NULL, 0, 0), 0);
  struct mr_op more = {.code = MR_NOP, .token = 999};
  CHECK_EQ(turn(engine, &more, 1, NULL, 0, 0), 0);
  uint64_t sum = 0;
  bool busy = false;
  for (uint32_t i = 0; i < depth + 1; i++) {
    CHECK_EQ(turn(engine, NULL, 0, out, 1, SECOND), 1);
    if (out[0].token == 999) {
      CHECK_EQ(out[0].result, -EBUSY);
      busy = true;
    } else {
      CHECK_EQ(out[0].result, 0);
      sum += out[0].token;
    }
  }
  CHECK(busy);
  CHECK_EQ(sum, depth * (depth - 1) / 2);
}

int main(void) {
  static const uint32_t depths[] = {1, 7, 64};
  for (int k = 0; k < 2; k++) {
    for (int d = 0; d < 3; d++) {
      engine = make_engine(both_kinds[k], depths[d], NULL);
      if (!engine)
        continue;
      test_no_room(depths[d]);
      if (depths[d] == 64)
        test_malformed();
      test_too_many(depths[d]);
      CHECK_EQ(mr_engine_destroy(engine), 0);
    }
  }
  return 0;
}
