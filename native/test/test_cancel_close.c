/* SPDX-License-Identifier: Apache-2.0 */
/* Cancelling, and closing over what never ends by itself. */
#include "test.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

static int64_t engine;
static int pipe_ends[2];

enum { READ_PIPE = 1, POLL, TIMEOUT, RECV, READ_EVENT, LAST };

static struct mr_op endless(int which, void *at, int sock, int event) {
  static const struct mr_op kinds[LAST] = {
      [READ_PIPE] = {.code = MR_READ, .length = 8, .token = READ_PIPE},
      [POLL] = {.code = MR_POLL, .arg = POLLIN, .token = POLL},
      [TIMEOUT] = {.code = MR_TIMEOUT, .offset = 3600ull * SECOND, .token = TIMEOUT},
      [RECV] = {.code = MR_RECV, .length = 8, .token = RECV},
      [READ_EVENT] = {.code = MR_READ, .length = 8, .token = READ_EVENT},
  };
  struct mr_op op = kinds[which];
  op.fd = which == TIMEOUT ? 0 : which == RECV ? sock : which == READ_EVENT ? event : pipe_ends[0];
  if (op.length)
    op.address = (uint64_t)ADDRESS(at);
  return op;
}

static int32_t results[64];
static unsigned seen;

static void take_until(unsigned wanted, struct mr_op *ops, int32_t count) {
  int64_t end = now_ns() + PATIENCE;
  while ((seen & wanted) != wanted) {
    struct mr_completion out[8];
    int32_t n = turn(engine, ops, count, out, 8, SECOND);
    count = 0;
    for (int32_t i = 0; i < n; i++) {
      CHECK(!(seen >> out[i].token & 1));
      seen |= 1u << out[i].token;
      results[out[i].token] = out[i].result;
    }
    CHECK(now_ns() < end);
  }
}

static struct mr_op cancel_op(uint64_t which, uint64_t token) {
  return (struct mr_op){.code = MR_CANCEL, .extra = which, .token = token};
}

static void test_cancel(int sock, int event) {
  char at[LAST][8];
  for (int which = READ_PIPE; which < LAST; which++) {
    struct mr_op begin = endless(which, at[which], sock, event);
    /* Nothing there to cancel, before. */
    seen = 0;
    struct mr_op stop = cancel_op(begin.token, 10);
    take_until(1u << 10, &stop, 1);
    CHECK_EQ(results[10], -ENOENT);
    /* In a later turn, at rest; and twice, which hits it once. */
    seen = 0;
    struct mr_completion none[1];
    CHECK_EQ(turn(engine, &begin, 1, none, 1, 5000000), 0);
    struct mr_op twice[2] = {cancel_op(begin.token, 11), cancel_op(begin.token, 12)};
    take_until(1u << 11 | 1u << 12 | 1u << which, twice, 2);
    CHECK_EQ(results[which], -ECANCELED);
    CHECK_EQ(results[11], 0);
    CHECK(results[12] == 0 || results[12] == -ENOENT || results[12] == -EALREADY);
    /* In the turn that brings it. */
    seen = 0;
    struct mr_op both[2] = {begin, cancel_op(begin.token, 13)};
    take_until(1u << 13, both, 2);
    CHECK(results[13] == 0 || results[13] == -EALREADY);
    while (!(seen >> which & 1)) { /* not found between two states: asked again, as callers must */
      struct mr_op again = cancel_op(begin.token, 14);
      seen &= ~(1u << 14);
      take_until(1u << 14, &again, 1);
    }
    CHECK_EQ(results[which], -ECANCELED);
    /* After. */
    seen = 0;
    stop.token = 15;
    take_until(1u << 15, &stop, 1);
    CHECK_EQ(results[15], -ENOENT);
  }
  /* What was cancelled took nothing. */
  seen = 0;
  struct mr_op begin = endless(READ_PIPE, at[0], sock, event);
  struct mr_completion none[1];
  CHECK_EQ(turn(engine, &begin, 1, none, 1, 1000000), 0);
  CHECK_EQ(write(pipe_ends[1], "later", 5), 5);
  take_until(1u << READ_PIPE, NULL, 0);
  CHECK_EQ(results[READ_PIPE], 5);
  CHECK(!memcmp(at[0], "later", 5));
}

static void test_timers_and_polls(void) {
  struct mr_op timers[6];
  for (uint64_t i = 0; i < 6; i++)
    timers[i] = (struct mr_op){.code = MR_TIMEOUT, .offset = (5 - i) * 8000000, .token = 20 + i};
  int64_t begun = now_ns();
  uint64_t expected = 25;
  int32_t handed = 6;
  while (expected >= 20) {
    struct mr_completion out[1];
    int32_t n = turn(engine, timers, handed, out, 1, -1);
    handed = 0;
    if (n == 0)
      continue;
    CHECK_EQ(out[0].result, -ETIME);
    CHECK_EQ(out[0].token, expected--);
  }
  CHECK(now_ns() - begun >= 40000000);

  struct mr_op poll_in = {.code = MR_POLL, .fd = pipe_ends[0], .arg = POLLIN};
  struct mr_op poll_out = {.code = MR_POLL, .fd = pipe_ends[1], .arg = POLLOUT};
  CHECK_EQ(run(engine, poll_out), POLLOUT);
  CHECK_EQ(write(pipe_ends[1], "x", 1), 1);
  CHECK_EQ(run(engine, poll_in), POLLIN);
  CHECK_EQ(run(engine, poll_in), POLLIN); /* still there: once is once an operation */
  char byte;
  CHECK_EQ(read(pipe_ends[0], &byte, 1), 1);
  poll_in.fd = -1;
  CHECK_EQ(run(engine, poll_in), -EBADF);
  int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  poll_in.fd = file;
  CHECK_EQ(run(engine, poll_in), POLLIN); /* files always are */
  close(file);
}

/* Pipes by offset: it does not count. Written and read without a worker being held. */
static void test_pipe(void) {
  char text[] = "through", got[16];
  struct mr_op write_op = {
      .code = MR_WRITE, .fd = pipe_ends[1], .address = (uint64_t)ADDRESS(text), .length = 7};
  struct mr_op read_op = {
      .code = MR_READ, .fd = pipe_ends[0], .address = (uint64_t)ADDRESS(got), .length = 16};
  CHECK_EQ(run(engine, write_op), 7);
  CHECK_EQ(run(engine, read_op), 7);
  CHECK(!memcmp(text, got, 7));
  int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  got[0] = 1;
  read_op.fd = zero;
  CHECK_EQ(run(engine, read_op), 16);
  CHECK_EQ(got[0], 0);
  close(zero);
}

/* The caller closes its descriptor while an operation waits: the operation holds the file. */
static void test_closed_behind(void) {
  int ends[2];
  char got[8];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  struct mr_completion out[1];
  struct mr_op receive = {
      .code = MR_RECV, .fd = ends[0], .address = (uint64_t)ADDRESS(got), .length = 8, .token = 30};
  CHECK_EQ(turn(engine, &receive, 1, out, 1, 1000000), 0);
  int number = ends[0];
  CHECK_EQ(mr_close(ends[0]), 0);
  int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK_EQ(other, number); /* the number is another file's now */
  CHECK_EQ(write(ends[1], "held", 4), 4);
  out[0] = take(engine);
  CHECK_EQ(out[0].token, 30);
  CHECK_EQ(out[0].result, 4);
  close(other);
  close(ends[1]);
}

/* A named pipe without another end holds up neither a worker nor the close. */
static void test_named_pipe(void) {
  const char *path = in_folder("fifo");
  CHECK(mkfifo(path, 0600) == 0);
  struct mr_op op = {.code = MR_OPEN, .address = (uint64_t)ADDRESS(path), .arg = O_RDONLY, .token = 40};
  CHECK_EQ(turn(engine, &op, 1, NULL, 0, 0), 0);
  sleep_ms(5);
}

int main(void) {
  make_folder();
  for (int k = 0; k < 2; k++) {
    unsigned before = open_descriptors();
    int event = eventfd(0, EFD_CLOEXEC), pair[2];
    CHECK(pipe2(pipe_ends, O_CLOEXEC) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    engine = make_engine(both_kinds[k], 64, NULL);
    if (engine) {
      test_cancel(pair[0], event);
      test_timers_and_polls();
      test_pipe();
      test_closed_behind();
      test_named_pipe();
      CHECK_EQ(mr_engine_destroy(engine), 0);
      CHECK(unlink(in_folder("fifo")) == 0);
      /* With nothing done at all; with everything pending that never ends; with an open nobody took. */
      engine = make_engine(both_kinds[k], 4, NULL);
      CHECK_EQ(mr_engine_destroy(engine), 0);
      for (int round = 0; round < 3; round++) {
        static char at[LAST][8];
        engine = make_engine(both_kinds[k], 64, NULL);
        struct mr_op ops[2 * LAST];
        int32_t count = 0;
        for (int which = READ_PIPE; which < LAST; which++) {
          ops[count++] = endless(which, at[which], pair[0], event);
          ops[count] = endless(which, at[which], pair[0], event);
          ops[count++].token += 100;
        }
        ops[count++] =
            (struct mr_op){.code = MR_OPEN, .address = (uint64_t)ADDRESS("/dev/null"), .token = 50};
        ops[count++] = (struct mr_op){.code = MR_SOCKET, .arg = AF_UNIX, .arg2 = SOCK_STREAM, .token = 51};
        CHECK_EQ(turn(engine, ops, count, NULL, 0, 0), 0);
        if (round)
          sleep_ms(20);
        if (round == 2)
          CHECK_EQ(turn(engine, NULL, 0, NULL, 0, 0), 0);
        int64_t begun = now_ns();
        CHECK_EQ(mr_engine_destroy(engine), 0);
        int64_t took = now_ns() - begun;
        printf("%s: closed over %d in %lld us\n", kind_name(both_kinds[k]), count, (long long)took / 1000);
        CHECK(took < 5 * SECOND);
      }
    }
    close(pair[0]);
    close(pair[1]);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    close(event);
    CHECK_EQ(open_descriptors(), before);
  }
  return 0;
}
