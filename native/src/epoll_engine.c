/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The epoll engine: the same behaviour without io_uring.
 *
 * Operations on files go to the worker threads. Sockets, polls, and what a worker finds to be a pipe or a
 * terminal, are tried at once without blocking and otherwise wait in the epoll set, where they can be
 * cancelled. Timers are a heap that bounds the wait.
 *
 * What waits in the epoll set is a duplicate of the caller's descriptor: the set knows a descriptor only
 * once, and forgets it when the caller closes it, while an operation in flight must hold its file and two on
 * one socket must not meet.
 */
#include "compat.h"
#include "internal.h"
#include "streams.h"
#include "timers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_A_CALL 64
#define ID_WAKE UINT64_MAX

/* What poll says of files that cannot be polled. */
#define ALWAYS_READY (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

struct mr_epoll {
  struct mr_engine base; /* first */
  int set;
  bool no_pwait2;
  bool woken;
  uint32_t watched;
  struct mr_timers timers;
};

static struct mr_epoll *epoll_of(struct mr_engine *engine) {
  return (struct mr_epoll *)engine;
}

/* ------------------------------------------------------------------ creation */

int mr_epoll_create(const struct mr_engine_config *config, struct mr_engine_report *report,
                    struct mr_engine **out) {
  struct mr_epoll *ep = calloc(1, sizeof *ep);
  if (!ep)
    return -ENOMEM;
  struct mr_engine *engine = &ep->base;
  engine->kind = MR_ENGINE_EPOLL;
  engine->owner = pthread_self();
  engine->eventfd = ep->set = -1;
  int rc = mr_slots_create(engine, config->depth);
  if (rc == 0)
    rc = mr_timers_create(&ep->timers, config->depth);
  if (rc < 0)
    goto free_engine;
  report->error_call = MR_CALL_EVENTFD;
  engine->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (engine->eventfd < 0) {
    rc = -errno;
    goto free_engine;
  }
  report->error_call = MR_CALL_EPOLL;
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = ID_WAKE};
  ep->set = epoll_create1(EPOLL_CLOEXEC);
  if (ep->set < 0 || epoll_ctl(ep->set, EPOLL_CTL_ADD, engine->eventfd, &event) < 0 ||
      epoll_wait(ep->set, &event, 1, 0) < 0) {
    rc = -errno;
    goto free_engine;
  }
  report->error_call = MR_CALL_THREAD;
  rc = mr_pool_start(&engine->pool, config->workers, engine->eventfd);
  if (rc < 0)
    goto free_engine;
  report->error_call = MR_CALL_NONE;
  report->depth = config->depth;
  *out = engine;
  return 0;

free_engine:
  if (ep->set >= 0)
    close(ep->set);
  if (engine->eventfd >= 0)
    close(engine->eventfd);
  mr_timers_free(&ep->timers);
  mr_slots_free(engine);
  free(ep);
  return rc;
}

/* ------------------------------------------------------------------ the epoll set */

/* 0, or -errno: -EPERM for what cannot be polled. */
static int watch(struct mr_epoll *ep, struct mr_slot *slot) {
  int fd = fcntl(slot->job.fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0)
    return -errno;
  struct epoll_event event = {.events = mr_stream_events(&slot->job.op),
                              .data.u64 = mr_slot_id(&ep->base, slot)};
  if (epoll_ctl(ep->set, EPOLL_CTL_ADD, fd, &event) < 0) {
    int error = errno;
    close(fd);
    return -error;
  }
  slot->watch_fd = fd;
  slot->state = MR_SLOT_POLLED;
  ep->watched++;
  return 0;
}

static void unwatch(struct mr_epoll *ep, struct mr_slot *slot) {
  if (slot->watch_fd < 0)
    return;
  /* Closing would not do: the set holds the open file, which the caller's descriptor keeps alive. */
  epoll_ctl(ep->set, EPOLL_CTL_DEL, slot->watch_fd, NULL);
  close(slot->watch_fd);
  slot->watch_fd = -1;
  ep->watched--;
}

static void finish(struct mr_epoll *ep, struct mr_slot *slot, int32_t result) {
  unwatch(ep, slot);
  mr_slot_finish(&ep->base, slot, result);
}

static void start_poll(struct mr_epoll *ep, struct mr_slot *slot) {
  int rc = watch(ep, slot);
  if (rc == -EPERM)
    finish(ep, slot, (int32_t)(slot->job.op.arg & ALWAYS_READY));
  else if (rc < 0)
    finish(ep, slot, rc);
}

static void start_stream(struct mr_epoll *ep, struct mr_slot *slot) {
  int32_t rc = mr_stream_attempt(slot, slot->job.fd);
  if (rc == -EAGAIN)
    rc = watch(ep, slot);
  else {
    finish(ep, slot, rc);
    return;
  }
  if (rc < 0)
    finish(ep, slot, rc);
}

static void start_connect(struct mr_epoll *ep, struct mr_slot *slot) {
  int32_t rc = mr_stream_connect(slot, slot->job.fd);
  if (rc == -EINPROGRESS && (rc = watch(ep, slot)) == 0)
    return;
  finish(ep, slot, rc);
}

static void on_ready(struct mr_epoll *ep, struct mr_slot *slot, uint32_t events) {
  const struct mr_op *op = &slot->job.op;
  if (op->code == MR_POLL) {
    uint32_t asked = events & (op->arg | EPOLLERR | EPOLLHUP);
    if (asked)
      finish(ep, slot, (int32_t)asked);
    return;
  }
  int32_t rc =
      op->code == MR_CONNECT ? mr_stream_connected(slot->watch_fd) : mr_stream_attempt(slot, slot->watch_fd);
  if (rc != -EAGAIN)
    finish(ep, slot, rc);
}

/* ------------------------------------------------------------------ handing in */

static int32_t stop(struct mr_epoll *ep, struct mr_slot *target) {
  struct mr_engine *engine = &ep->base;
  if (!target)
    return -ENOENT;
  target->stop_asked = 1;
  switch (target->state) {
  case MR_SLOT_WORKER: {
    mr_batch_flush(engine);
    int rc = mr_pool_cancel(&engine->pool, &target->job);
    if (rc < 0)
      return rc;
    engine->jobs--;
    finish(ep, target, -ECANCELED);
    return 0;
  }
  case MR_SLOT_POLLED:
    finish(ep, target, target->done ? (int32_t)target->done : -ECANCELED);
    return 0;
  case MR_SLOT_TIMER:
    mr_timers_remove(&ep->timers, target);
    finish(ep, target, -ECANCELED);
    return 0;
  default:
    return -EALREADY;
  }
}

static int accept_op(struct mr_epoll *ep, const struct mr_op *op) {
  struct mr_engine *engine = &ep->base;
  if (mr_op_check(engine, op) < 0)
    return mr_refuse(engine, op->token, -EINVAL);
  struct mr_slot *target = op->code == MR_CANCEL ? mr_slot_find(engine, op->extra) : NULL;
  struct mr_slot *slot = mr_slot_take(engine, op);
  if (!slot)
    return mr_refuse(engine, op->token, -EBUSY);
  if (op->flags & MR_OP_FIXED_FILE) {
    slot->file = mr_files_get(&engine->files, op->fd);
    if (!slot->file) {
      finish(ep, slot, -EBADF);
      return 0;
    }
    slot->job.fd = slot->file->fd;
  }
  switch (op->code) {
  case MR_NOP:
    finish(ep, slot, 0);
    break;
  case MR_SOCKET:
    finish(ep, slot, mr_socket_make(op));
    break;
  case MR_CONNECT:
    start_connect(ep, slot);
    break;
  case MR_RECV:
  case MR_SEND:
    start_stream(ep, slot);
    break;
  case MR_POLL:
    start_poll(ep, slot);
    break;
  case MR_TIMEOUT:
    if (__builtin_add_overflow(mr_now(), (int64_t)op->offset, &slot->deadline))
      slot->deadline = INT64_MAX;
    mr_timers_add(&ep->timers, slot);
    break;
  case MR_CANCEL:
    slot->state = MR_SLOT_READY; /* never a target itself */
    finish(ep, slot, stop(ep, target));
    break;
  case MR_READ:
  case MR_WRITE:
    engine->stats.plain++;
    /* fall through */
  default:
    mr_batch_add(engine, slot);
    break;
  }
  return 0;
}

/* ------------------------------------------------------------------ what is done */

static void job_done(struct mr_epoll *ep, struct mr_slot *slot) {
  struct mr_job *job = &slot->job;
  if (job->result != MR_RESULT_STREAM) {
    finish(ep, slot, job->result);
    return;
  }
  if (slot->stop_asked) {
    finish(ep, slot, -ECANCELED);
    return;
  }
  int32_t rc = mr_stream_attempt(slot, job->fd);
  if (rc != -EAGAIN) {
    finish(ep, slot, rc);
    return;
  }
  rc = watch(ep, slot);
  if (rc == -EPERM) {
    job->may_block = 1; /* a device without poll is as good as a file */
    mr_batch_add(&ep->base, slot);
  } else if (rc < 0) {
    finish(ep, slot, rc);
  }
}

static void collect_jobs(struct mr_epoll *ep) {
  struct mr_engine *engine = &ep->base;
  if (!engine->jobs)
    return;
  struct mr_job *job = mr_pool_collect(&engine->pool);
  while (job) {
    struct mr_job *next = job->next;
    engine->jobs--;
    job_done(ep, (struct mr_slot *)job);
    job = next;
  }
  mr_batch_flush(engine);
}

static void fire_timers(struct mr_epoll *ep) {
  if (!ep->timers.count)
    return;
  int64_t now = mr_now();
  while (ep->timers.count && ep->timers.heap[0]->deadline <= now) {
    struct mr_slot *slot = ep->timers.heap[0];
    mr_timers_remove(&ep->timers, slot);
    finish(ep, slot, -ETIME);
  }
}

/* Negative: without end. Where only milliseconds can be had they are rounded up: early would be a spin. */
static int wait_events(struct mr_epoll *ep, struct epoll_event *events, int64_t timeout_ns) {
  ep->base.stats.enters++;
  if (timeout_ns > 0 && !ep->no_pwait2) {
    struct __kernel_timespec time = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    long n = syscall(__NR_epoll_pwait2, ep->set, events, EVENTS_A_CALL, &time, NULL, 0);
    if (n >= 0 || (errno != ENOSYS && errno != EPERM))
      return n < 0 ? -errno : (int)n;
    ep->no_pwait2 = true;
  }
  int64_t milliseconds = timeout_ns <= 0 ? timeout_ns : (timeout_ns - 1) / 1000000 + 1;
  int n =
      epoll_wait(ep->set, events, EVENTS_A_CALL, milliseconds > INT32_MAX ? INT32_MAX : (int)milliseconds);
  return n < 0 ? -errno : n;
}

static void on_event(struct mr_epoll *ep, const struct epoll_event *event) {
  if (event->data.u64 == ID_WAKE) {
    uint64_t value;
    if (read(ep->base.eventfd, &value, sizeof value) > 0)
      ep->woken |= mr_wake_take(&ep->base);
    return;
  }
  struct mr_slot *slot = mr_slot_by_id(&ep->base, event->data.u64);
  if (slot && slot->state == MR_SLOT_POLLED)
    on_ready(ep, slot, event->events);
}

static int64_t sooner(const struct mr_epoll *ep, int64_t left) {
  if (!ep->timers.count)
    return left;
  int64_t timer = ep->timers.heap[0]->deadline - mr_now();
  if (timer < 0)
    timer = 0;
  return left < 0 || timer < left ? timer : left;
}

int32_t mr_epoll_turn(struct mr_engine *engine, const struct mr_op *ops, int32_t count, int64_t timeout_ns) {
  struct mr_epoll *ep = epoll_of(engine);
  ep->woken = false;
  for (int32_t i = 0; i < count; i++) {
    int rc = accept_op(ep, &ops[i]);
    if (rc < 0)
      return rc;
  }
  mr_batch_flush(engine);
  collect_jobs(ep);
  fire_timers(ep);

  int64_t deadline = timeout_ns > 0 ? mr_now() : 0;
  if (__builtin_add_overflow(deadline, timeout_ns, &deadline))
    deadline = INT64_MAX;
  int64_t left = timeout_ns;
  for (;;) {
    bool wait = engine->out_count == 0 && !ep->woken && left != 0;
    if (wait && engine->jobs && mr_pool_before_sleep(&engine->pool)) {
      collect_jobs(ep);
      continue;
    }
    /* Not waiting, what is ready in the set is fetched all the same: workers that always have something
     * must not keep sockets from their turn. */
    if (!wait && !ep->watched)
      return 0;
    struct epoll_event events[EVENTS_A_CALL];
    int n = wait_events(ep, events, wait ? sooner(ep, left) : 0);
    if (n < 0 && n != -EINTR)
      return n;
    for (int i = 0; i < n; i++)
      on_event(ep, &events[i]);
    collect_jobs(ep);
    fire_timers(ep);
    if (engine->out_count || ep->woken || !wait)
      return 0;
    if (timeout_ns > 0) {
      left = deadline - mr_now();
      if (left < 0)
        left = 0;
    }
  }
}

/* ------------------------------------------------------------------ the end */

int32_t mr_epoll_destroy(struct mr_engine *engine) {
  struct mr_epoll *ep = epoll_of(engine);
  engine->out_count = engine->out_max = 0;
  mr_workers_end(engine);
  for (uint32_t i = 0; i < engine->depth; i++) {
    struct mr_slot *slot = &engine->slots[i];
    if (slot->state == MR_SLOT_POLLED || slot->state == MR_SLOT_TIMER)
      finish(ep, slot, -ECANCELED);
  }
  mr_slots_drop_results(engine);
  close(ep->set);
  close(engine->eventfd);
  mr_files_free(&engine->files);
  mr_timers_free(&ep->timers);
  mr_slots_free(engine);
  free(ep);
  return 0;
}
