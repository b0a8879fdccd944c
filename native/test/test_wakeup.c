/* SPDX-License-Identifier: Apache-2.0 */
/* Wake-ups from other threads: none is lost, whenever it comes. */
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

static int64_t engine;
static _Atomic int asked, answered;
static _Atomic bool over;

/* Each asks only after the one before was answered, so a lost wake-up is a hang. */
static void *ask_and_wait(void *argument) {
  int rounds = *(int *)argument;
  for (int i = 1; i <= rounds; i++) {
    atomic_store(&asked, i);
    CHECK_EQ(mr_engine_wake(engine), 0);
    if (i % 16 == 0)
      CHECK_EQ(mr_engine_wake(engine), 0);
    while (atomic_load(&answered) < i)
      if (i % 3 == 0)
        sched_yield();
  }
  atomic_store(&over, true);
  mr_engine_wake(engine);
  return NULL;
}

static void *storm(void *argument) {
  (void)argument;
  while (!atomic_load(&over)) {
    mr_engine_wake(engine);
    sched_yield();
  }
  return NULL;
}

static void answer_until_over(bool with_work) {
  uint64_t token = 0;
  char path[] = "/";
  static struct mr_stat st[512]; /* one for each that can be in flight */
  while (!atomic_load(&over)) {
    struct mr_completion out[4];
    /* Jobs at the workers ring the same eventfd. */
    struct mr_op op = {.code = MR_STATX,
                       .address = (uint64_t)ADDRESS(path),
                       .extra = (uint64_t)ADDRESS(&st[token / 4 % 512]),
                       .token = token++};
    int64_t begun = now_ns();
    turn(engine, &op, with_work && token % 4 == 0 ? 1 : 0, out, 4, 30 * SECOND);
    CHECK(now_ns() - begun < 20 * SECOND);
    atomic_store(&answered, atomic_load(&asked));
  }
  struct mr_engine_stats stats;
  mr_engine_stats(engine, ADDRESS(&stats));
  while (stats.in_flight--)
    take(engine);
}

static void nothing(int signal_number) {
  (void)signal_number;
}

/* Signals by the hundred: deadlines hold, operations are whole, nothing says EINTR. */
static void test_signals(void) {
  struct sigaction action = {.sa_handler = nothing}, ignored = {.sa_handler = SIG_IGN};
  CHECK(sigaction(SIGALRM, &action, NULL) == 0);
  struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
  CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
  struct mr_completion out[1];
  int64_t begun = now_ns();
  CHECK_EQ(turn(engine, NULL, 0, out, 1, 50000000), 0);
  CHECK(now_ns() - begun >= 50000000);
  char byte[4096];
  int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  struct mr_op timer = {.code = MR_TIMEOUT, .offset = 10000000};
  struct mr_op read_op = {
      .code = MR_READ, .fd = fd, .address = (uint64_t)ADDRESS(byte), .length = sizeof byte};
  for (int i = 0; i < 5; i++) {
    CHECK_EQ(run(engine, timer), -ETIME);
    CHECK_EQ(run(engine, read_op), sizeof byte);
  }
  CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
  /* One may be on its way still, under valgrind for long. */
  CHECK(sigaction(SIGALRM, &ignored, NULL) == 0);
  close(fd);
}

static void *turn_of_another(void *argument) {
  struct mr_completion out[1];
  CHECK_EQ(mr_engine_turn(engine, 0, 0, ADDRESS(out), 1, 0), -EPERM);
  CHECK_EQ(mr_engine_destroy(engine), -EPERM);
  return argument;
}

int main(void) {
  for (int k = 0; k < 2; k++) {
    engine = make_engine(both_kinds[k], 512, NULL);
    if (!engine)
      continue;
    struct mr_completion out[1];
    /* Rung before the turn: it does not wait. Once is once. */
    CHECK_EQ(mr_engine_wake(engine), 0);
    CHECK_EQ(mr_engine_wake(engine), 0);
    int64_t begun = now_ns();
    CHECK_EQ(turn(engine, NULL, 0, out, 1, PATIENCE), 0);
    CHECK(now_ns() - begun < PATIENCE / 2);
    begun = now_ns();
    CHECK_EQ(turn(engine, NULL, 0, out, 1, 30000000), 0);
    CHECK(now_ns() - begun >= 30000000);

    test_signals();
    pthread_t stranger;
    CHECK(pthread_create(&stranger, NULL, turn_of_another, NULL) == 0);
    pthread_join(stranger, NULL);

    for (int with_work = 0; with_work < 2; with_work++) {
      int rounds = getenv("MR_TEST_SLOW") ? 500 : 10000;
      atomic_store(&over, false);
      atomic_store(&asked, 0);
      atomic_store(&answered, 0);
      pthread_t thread, noise;
      CHECK(pthread_create(&thread, NULL, ask_and_wait, &rounds) == 0);
      if (with_work)
        CHECK(pthread_create(&noise, NULL, storm, NULL) == 0);
      answer_until_over(with_work);
      pthread_join(thread, NULL);
      if (with_work)
        pthread_join(noise, NULL);
    }
    struct mr_engine_stats stats;
    CHECK_EQ(mr_engine_stats(engine, ADDRESS(&stats)), 0);
    printf("%s: %llu wakes, %llu turns, %llu enters\n", kind_name(both_kinds[k]),
           (unsigned long long)stats.wakes, (unsigned long long)stats.turns,
           (unsigned long long)stats.enters);
    CHECK(stats.wakes > 0);
    CHECK_EQ(stats.overflows, 0);
    CHECK_EQ(mr_engine_destroy(engine), 0);
  }
  return 0;
}
