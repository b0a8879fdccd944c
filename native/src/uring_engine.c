/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The io_uring engine.
 *
 * One turn is one io_uring_enter: it submits what the turn brought, runs the kernel's deferred work, and
 * waits. The wake-up is a read of the eventfd that is kept in the ring: armed again, when it was used, by the
 * same enter that waits. The eventfd blocks, so that the kernel holds the read until someone writes; a write
 * to it cannot block short of 2^64 of them.
 *
 * Everything in the kernel has a slot, and the completion queue is larger than the slot table: it cannot
 * overflow.
 */
#include "uring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define BIT(code) (1ull << (code))

#define TOKEN_WAKE (MR_TOKEN_INTERNAL + 1)
#define TOKEN_STOP (MR_TOKEN_INTERNAL + 2)

/* The kernel is short of memory for requests: how long to let it recover before an operation is refused. */
#define SHORT_PAUSE_NS 100000
#define SHORT_TRIES 10000

/* How long destroy waits before it asks again: a request that was just between two states when everything
 * was cancelled comes to rest meanwhile. */
#define ASK_AGAIN_NS 20000000

struct mr_uring {
  struct mr_engine base; /* first */
  struct mr_ring ring;
  uint32_t in_kernel; /* slots in the ring */
  uint32_t retry_first;
  bool wake_armed;
  bool woken;
  bool stop_pending; /* destroy's own cancel is in the ring */
  bool stop_any_unknown;
  bool stopping;
  uint64_t wake_value;
};

/* What the kernel's ring never does itself: it hands each of these to a worker thread that it makes for the
 * purpose (IOSQE_ASYNC is forced in their preparation). Our own workers are there already, are bounded, and
 * leave the process without iou-wrk threads. */
#define PUNTED                                                                                               \
  (BIT(MR_OPEN) | BIT(MR_FSYNC) | BIT(MR_FDATASYNC) | BIT(MR_FALLOCATE) | BIT(MR_FTRUNCATE) |                \
   BIT(MR_RENAME) | BIT(MR_UNLINK) | BIT(MR_MKDIR))

/* Results that say nothing about the file: the operation is put into the ring again. */
#define REPEATABLE                                                                                           \
  (BIT(MR_OPEN) | BIT(MR_READ) | BIT(MR_WRITE) | BIT(MR_FSYNC) | BIT(MR_FDATASYNC) | BIT(MR_FALLOCATE) |     \
   BIT(MR_FTRUNCATE) | BIT(MR_RECV) | BIT(MR_SEND))
#define REPEATS 4

static struct mr_uring *uring_of(struct mr_engine *engine) {
  return (struct mr_uring *)engine;
}

static int arm_wake(struct mr_uring *u);

/* ------------------------------------------------------------------ creation */

int mr_uring_create(const struct mr_engine_config *config, struct mr_engine_report *report,
                    struct mr_engine **out) {
  struct mr_uring *u = calloc(1, sizeof *u);
  if (!u)
    return -ENOMEM;
  struct mr_engine *engine = &u->base;
  engine->kind = MR_ENGINE_IO_URING;
  engine->owner = pthread_self();
  engine->eventfd = -1;
  u->retry_first = MR_NONE;
  int rc = mr_slots_create(engine, config->depth);
  if (rc < 0)
    goto free_engine;
  /* Beside the slots there may be the wake-up and destroy's cancel. */
  unsigned entries = config->depth < 4 ? 4 : config->depth;
  unsigned cq_entries = 2 * entries;
  rc =
      mr_ring_open(&u->ring, entries, cq_entries, !(config->flags & MR_ENGINE_NO_DEFER), &report->error_call);
  if (rc < 0)
    goto free_engine;
  report->depth = u->ring.ring.sq.ring_entries;
  report->features = u->ring.ring.features;
  report->setup_flags = u->ring.setup_flags;
  report->ring_flags = mr_ring_report_flags(&u->ring);
  u->ring.ops &= ~PUNTED;
  report->kernel_ops = u->ring.ops;
  if (config->kernel_workers) {
    unsigned bounds[2] = {config->kernel_workers, config->kernel_workers};
    if (io_uring_register_iowq_max_workers(&u->ring.ring, bounds) == 0)
      report->ring_flags |= MR_RING_WORKERS_CAPPED;
  }
  report->error_call = MR_CALL_EVENTFD;
  engine->eventfd = eventfd(0, EFD_CLOEXEC);
  if (engine->eventfd < 0) {
    rc = -errno;
    goto close_ring;
  }
  report->error_call = MR_CALL_THREAD;
  rc = mr_pool_start(&engine->pool, config->workers, engine->eventfd);
  if (rc < 0)
    goto close_ring;
  /* Submitted now, so that it takes no entry from a first turn that brings `depth` operations. */
  report->error_call = MR_CALL_IO_URING_ENTER;
  rc = arm_wake(u);
  if (rc == 0)
    rc = mr_ring_enter(&u->ring, 0, 0, 0);
  if (rc < 0 && rc != -EINTR && rc != -EAGAIN && rc != -EBUSY)
    goto end_workers;
  mr_ring_register_files(&u->ring, 0); /* where that is refused, only giving the ring up is less sure */
  report->error_call = MR_CALL_NONE;
  *out = engine;
  return 0;

end_workers:
  mr_workers_end(engine);
close_ring:
  mr_ring_close(&u->ring);
  if (engine->eventfd >= 0)
    close(engine->eventfd);
free_engine:
  mr_slots_free(engine);
  free(u);
  return rc;
}

/* ------------------------------------------------------------------ filling entries */

static void prepare(struct mr_uring *u, struct io_uring_sqe *sqe, struct mr_slot *slot) {
  const struct mr_op *op = &slot->job.op;
  void *address = (void *)(uintptr_t)op->address;
  int fd = op->fd;
  switch (op->code) {
  case MR_OPEN:
    io_uring_prep_openat(sqe, AT_FDCWD, address, (int)op->arg | O_CLOEXEC, op->arg2);
    break;
  case MR_CLOSE:
    io_uring_prep_close(sqe, fd);
    break;
  case MR_READ:
    if (op->flags & MR_OP_FIXED_BUFFER)
      io_uring_prep_read_fixed(sqe, fd, address, op->length, op->offset, (int)op->buffer);
    else
      io_uring_prep_read(sqe, fd, address, op->length, op->offset);
    break;
  case MR_WRITE:
    if (op->flags & MR_OP_FIXED_BUFFER)
      io_uring_prep_write_fixed(sqe, fd, address, op->length, op->offset, (int)op->buffer);
    else
      io_uring_prep_write(sqe, fd, address, op->length, op->offset);
    break;
  case MR_FSYNC:
    io_uring_prep_fsync(sqe, fd, 0);
    break;
  case MR_FDATASYNC:
    io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
    break;
  case MR_FALLOCATE:
    io_uring_prep_fallocate(sqe, fd, (int)op->arg, (off_t)op->offset, (off_t)op->extra);
    break;
  case MR_FTRUNCATE:
    io_uring_prep_rw(MR_IORING_OP_FTRUNCATE, sqe, fd, NULL, 0, op->offset);
    break;
  case MR_RENAME:
    io_uring_prep_renameat(sqe, AT_FDCWD, address, AT_FDCWD, (const char *)(uintptr_t)op->extra,
                           op->arg & MR_RENAME_NOREPLACE ? 1 /* RENAME_NOREPLACE */ : 0);
    break;
  case MR_UNLINK:
    io_uring_prep_unlinkat(sqe, AT_FDCWD, address, op->arg & MR_UNLINK_DIR ? AT_REMOVEDIR : 0);
    break;
  case MR_MKDIR:
    io_uring_prep_mkdirat(sqe, AT_FDCWD, address, op->arg2);
    break;
  case MR_SOCKET:
    io_uring_prep_socket(sqe, (int)op->arg, (int)op->arg2 | SOCK_CLOEXEC | SOCK_NONBLOCK, (int)op->length, 0);
    break;
  case MR_CONNECT:
    io_uring_prep_connect(sqe, fd, address, op->length);
    break;
  case MR_RECV:
    io_uring_prep_recv(sqe, fd, address, op->length, op->arg & MR_RECV_WAITALL ? MSG_WAITALL : 0);
    break;
  case MR_SEND:
    io_uring_prep_send(sqe, fd, address, op->length, MSG_NOSIGNAL);
    break;
  case MR_POLL:
    io_uring_prep_poll_add(sqe, fd, op->arg);
    break;
  case MR_TIMEOUT:
    slot->time[0] = (int64_t)(op->offset / 1000000000);
    slot->time[1] = (int64_t)(op->offset % 1000000000);
    io_uring_prep_timeout(sqe, (struct __kernel_timespec *)slot->time, 0, 0);
    break;
  default:
    io_uring_prep_nop(sqe);
    break;
  }
  if (op->flags & MR_OP_FIXED_FILE)
    sqe->flags |= IOSQE_FIXED_FILE;
  sqe->user_data = mr_slot_id(&u->base, slot);
  slot->state = MR_SLOT_KERNEL;
  u->in_kernel++;
}

static int reap(struct mr_uring *u, bool beyond_room);

/* Makes room in a full queue: submits in the middle. -EAGAIN when the kernel took nothing for long. */
static int make_room(struct mr_uring *u) {
  for (int try = 0; try < SHORT_TRIES; try++) {
    unsigned before = mr_ring_unsubmitted(&u->ring);
    u->base.stats.enters++;
    int rc = mr_ring_enter(&u->ring, 0, try ? IORING_ENTER_GETEVENTS : 0, 0);
    if (mr_ring_unsubmitted(&u->ring) < before)
      return 0;
    if (rc < 0 && rc != -EINTR && rc != -EAGAIN && rc != -EBUSY)
      return rc;
    rc = reap(u, true);
    if (rc < 0)
      return rc;
    if (try)
      nanosleep(&(struct timespec){.tv_nsec = SHORT_PAUSE_NS}, NULL);
  }
  return -EAGAIN;
}

static int next_sqe(struct mr_uring *u, struct io_uring_sqe **sqe) {
  *sqe = mr_ring_sqe(&u->ring);
  if (*sqe)
    return 0;
  int rc = make_room(u);
  if (rc == 0)
    *sqe = mr_ring_sqe(&u->ring);
  return rc;
}

/* What is in the ring is asked by the kernel; what is elsewhere is answered here. */
static int cancel(struct mr_uring *u, struct mr_slot *slot, struct mr_slot *target) {
  struct mr_engine *engine = &u->base;
  if (!target) {
    mr_slot_finish(engine, slot, -ENOENT);
    return 0;
  }
  if (target->state == MR_SLOT_WORKER) {
    mr_batch_flush(engine);
    int rc = mr_pool_cancel(&engine->pool, &target->job);
    if (rc == 0) {
      engine->jobs--;
      mr_slot_finish(engine, target, -ECANCELED);
    }
    mr_slot_finish(engine, slot, rc);
    return 0;
  }
  target->stop_asked = 1;
  if (target->state != MR_SLOT_KERNEL) {
    mr_slot_finish(engine, slot, -EALREADY);
    return 0;
  }
  struct io_uring_sqe *sqe;
  int rc = next_sqe(u, &sqe);
  if (rc < 0)
    return rc;
  prepare(u, sqe, slot);
  io_uring_prep_rw(IORING_OP_ASYNC_CANCEL, sqe, -1, NULL, 0, 0);
  sqe->addr = mr_slot_id(engine, target);
  return 0;
}

static int accept_op(struct mr_uring *u, const struct mr_op *op) {
  struct mr_engine *engine = &u->base;
  if (mr_op_check(engine, op) < 0)
    return mr_refuse(engine, op->token, -EINVAL);
  /* Before the cancel has a slot, or it could find itself. */
  struct mr_slot *target = op->code == MR_CANCEL ? mr_slot_find(engine, op->extra) : NULL;
  struct mr_slot *slot = mr_slot_take(engine, op);
  if (!slot)
    return mr_refuse(engine, op->token, -EBUSY);
  if (op->code == MR_READ || op->code == MR_WRITE) {
    if (op->flags & MR_OP_FIXED_BUFFER)
      engine->stats.fixed++;
    else
      engine->stats.plain++;
  }
  int rc;
  if (op->code == MR_CANCEL) {
    rc = cancel(u, slot, target);
  } else if (u->ring.ops & BIT(op->code)) {
    struct io_uring_sqe *sqe;
    rc = next_sqe(u, &sqe);
    if (rc == 0)
      prepare(u, sqe, slot);
  } else {
    if (op->flags & MR_OP_FIXED_FILE) {
      slot->file = mr_files_get(&engine->files, op->fd);
      if (!slot->file) {
        mr_slot_finish(engine, slot, -EBADF);
        return 0;
      }
      slot->job.fd = slot->file->fd;
    }
    mr_batch_add(engine, slot);
    return 0;
  }
  if (rc == -EAGAIN) { /* this one alone found no room */
    mr_slot_finish(engine, slot, -EAGAIN);
    return 0;
  }
  return rc;
}

/* ------------------------------------------------------------------ completions */

/* Signals, profilers and ending threads cancel or interrupt what nobody asked to stop. */
static bool repeats(struct mr_uring *u, struct mr_slot *slot, int32_t result) {
  if (result != -EINTR && result != -EAGAIN && result != -ECANCELED)
    return false;
  if (u->stopping || slot->stop_asked || !(BIT(slot->job.op.code) & REPEATABLE))
    return false;
  if (slot->retries >= (result == -ECANCELED ? 1 : REPEATS))
    return false;
  slot->retries++;
  slot->state = MR_SLOT_RETRY;
  slot->next = u->retry_first;
  u->retry_first = (uint32_t)(slot - u->base.slots);
  return true;
}

static void complete(struct mr_uring *u, struct mr_slot *slot, int32_t result) {
  struct mr_engine *engine = &u->base;
  u->in_kernel--;
  if (repeats(u, slot, result))
    return;
  /* The kernel does not find what has completed and was not returned yet: to the caller it is in flight. */
  if (slot->job.op.code == MR_CANCEL && result == -ENOENT)
    result = -EALREADY;
  mr_slot_finish(engine, slot, result);
}

static void internal(struct mr_uring *u, const struct io_uring_cqe *cqe) {
  if (cqe->user_data == TOKEN_WAKE) {
    u->wake_armed = false;
    if (cqe->res > 0)
      u->woken |= mr_wake_take(&u->base);
  } else if (cqe->user_data == TOKEN_STOP) {
    u->stop_pending = false;
    u->stop_any_unknown |= cqe->res == -EINVAL;
  }
}

/* Takes completions while the caller has room for them; beyond_room: all, to let the kernel go on. */
static int reap(struct mr_uring *u, bool beyond_room) {
  struct mr_engine *engine = &u->base;
  const struct io_uring_cqe *cqe;
  while ((cqe = mr_ring_cqe(&u->ring))) {
    if (cqe->user_data >= MR_TOKEN_INTERNAL) {
      internal(u, cqe);
    } else {
      if (engine->out_count >= engine->out_max && !beyond_room)
        return 0;
      struct mr_slot *slot = mr_slot_by_id(engine, cqe->user_data);
      if (!slot || slot->state != MR_SLOT_KERNEL)
        return -EPROTO; /* nothing of ours: memory is damaged, or the kernel's word is */
      complete(u, slot, cqe->res);
    }
    mr_ring_seen(&u->ring);
  }
  return 0;
}

static void collect_jobs(struct mr_engine *engine) {
  if (!engine->jobs)
    return;
  struct mr_job *job = mr_pool_collect(&engine->pool);
  while (job) {
    struct mr_job *next = job->next;
    engine->jobs--;
    mr_slot_finish(engine, (struct mr_slot *)job, job->result);
    job = next;
  }
}

/* ------------------------------------------------------------------ the turn */

static int submit_retries(struct mr_uring *u) {
  while (u->retry_first != MR_NONE) {
    struct mr_slot *slot = &u->base.slots[u->retry_first];
    u->retry_first = slot->next;
    struct io_uring_sqe *sqe;
    int rc = next_sqe(u, &sqe);
    if (rc == -EAGAIN)
      mr_slot_finish(&u->base, slot, rc);
    else if (rc < 0)
      return rc;
    else
      prepare(u, sqe, slot);
  }
  return 0;
}

static int arm_wake(struct mr_uring *u) {
  if (u->wake_armed)
    return 0;
  struct io_uring_sqe *sqe;
  int rc = next_sqe(u, &sqe);
  if (rc < 0)
    return rc;
  io_uring_prep_read(sqe, u->base.eventfd, &u->wake_value, sizeof u->wake_value, 0);
  sqe->user_data = TOKEN_WAKE;
  u->wake_armed = true;
  return 0;
}

/* With nothing to submit and nobody waiting: has the kernel work or completions that only an enter fetches?
 */
static bool must_fetch(struct mr_uring *u, bool have_some) {
  unsigned flags = mr_ring_sq_flags(&u->ring);
  if (flags & IORING_SQ_CQ_OVERFLOW)
    return true;
  if (have_some || !u->in_kernel || !(u->ring.setup_flags & IORING_SETUP_DEFER_TASKRUN))
    return false;
  return !(u->ring.setup_flags & IORING_SETUP_TASKRUN_FLAG) || (flags & IORING_SQ_TASKRUN);
}

int32_t mr_uring_turn(struct mr_engine *engine, const struct mr_op *ops, int32_t count, int64_t timeout_ns) {
  struct mr_uring *u = uring_of(engine);
  int rc;
  u->woken = false;
  for (int32_t i = 0; i < count; i++) {
    rc = accept_op(u, &ops[i]);
    if (rc < 0)
      return rc;
  }
  mr_batch_flush(engine);
  collect_jobs(engine);
  rc = reap(u, false);
  if (rc < 0)
    return rc;

  int64_t deadline = timeout_ns > 0 ? mr_now() : 0;
  if (__builtin_add_overflow(deadline, timeout_ns, &deadline))
    deadline = INT64_MAX;
  int64_t left = timeout_ns;
  for (int pause = 0;;) {
    rc = submit_retries(u);
    if (rc < 0)
      return rc;
    bool wait = engine->out_count == 0 && !u->woken && left != 0;
    if (wait) {
      if (engine->jobs && mr_pool_before_sleep(&engine->pool)) {
        collect_jobs(engine);
        wait = engine->out_count == 0;
      }
      rc = arm_wake(u);
      if (rc < 0)
        return rc;
    }
    unsigned submit = mr_ring_unsubmitted(&u->ring);
    if (!submit && !wait && !must_fetch(u, engine->out_count > 0))
      return 0;
    if (mr_ring_sq_flags(&u->ring) & IORING_SQ_CQ_OVERFLOW)
      engine->stats.overflows++;
    engine->stats.enters++;
    int entered = mr_ring_enter(&u->ring, wait ? 1 : 0, IORING_ENTER_GETEVENTS, left);
    if (entered < 0 && entered != -EINTR && entered != -ETIME && entered != -EAGAIN && entered != -EBUSY)
      return engine->out_count ? 0 : entered; /* what has a result gets it; the next turn says the rest */
    rc = reap(u, false);
    if (rc < 0)
      return rc;
    collect_jobs(engine);
    if (mr_ring_unsubmitted(&u->ring)) {
      /* Stopped at a bad entry, or short of memory. The rest follows at once, or after a breath. */
      if (entered == -EAGAIN || entered == -EBUSY) {
        if (engine->out_count || u->woken)
          return 0; /* the next turn goes on */
        if (++pause > SHORT_TRIES)
          return -EAGAIN;
        nanosleep(&(struct timespec){.tv_nsec = SHORT_PAUSE_NS}, NULL);
      }
    } else if (u->retry_first == MR_NONE && (engine->out_count || u->woken || !wait)) {
      return 0;
    }
    if (timeout_ns > 0) {
      left = deadline - mr_now();
      if (left < 0)
        left = 0;
    }
  }
}

/* ------------------------------------------------------------------ registering */

#define MAX_BUFFERS 16384
#define MAX_BUFFER_BYTES (1ull << 30)

static int register_front(struct mr_uring *u, const struct iovec *vectors, int count) {
  return io_uring_register_buffers(&u->ring.ring, vectors, (unsigned)count);
}

/* The most buffers, from the front, that the kernel takes; they are registered when this returns. */
static int register_most(struct mr_uring *u, const struct iovec *vectors, int count, int32_t *error) {
  int low = 0, high = count, rc = register_front(u, vectors, count);
  for (int try = 1; rc == -ENOMEM && try < MR_ENOMEM_TRIES; try++) {
    nanosleep(&(struct timespec){.tv_nsec = MR_ENOMEM_PAUSE_NS}, NULL);
    rc = register_front(u, vectors, count);
  }
  if (rc >= 0)
    return count;
  *error = -rc;
  if (rc == -ENOSYS || rc == -EPERM || rc == -EACCES || rc == -EBUSY)
    return 0;
  while (high - low > 1) {
    int middle = low + (high - low) / 2;
    if (low)
      io_uring_unregister_buffers(&u->ring.ring);
    if (register_front(u, vectors, middle) >= 0) {
      low = middle;
    } else {
      high = middle;
      if (low && register_front(u, vectors, low) < 0)
        low = 0; /* others took the memory meanwhile: search again below */
    }
  }
  return low;
}

int32_t mr_uring_register_buffers(struct mr_engine *engine, const uint64_t *pairs, int32_t count,
                                  int32_t *error) {
  struct mr_uring *u = uring_of(engine);
  if (engine->stats.buffers)
    return -EBUSY;
  if (count > MAX_BUFFERS) {
    *error = EINVAL;
    count = MAX_BUFFERS;
  }
  struct iovec *vectors = calloc((size_t)count + 1, sizeof *vectors);
  if (!vectors)
    return -ENOMEM;
  for (int32_t i = 0; i < count; i++) {
    if (pairs[2 * i + 1] > MAX_BUFFER_BYTES) {
      *error = EINVAL;
      count = i;
      break;
    }
    vectors[i] = (struct iovec){.iov_base = (void *)(uintptr_t)pairs[2 * i], .iov_len = pairs[2 * i + 1]};
  }
  int got = count ? register_most(u, vectors, count, error) : 0;
  free(vectors);
  engine->stats.buffers = (uint32_t)got;
  return got;
}

int32_t mr_uring_unregister_buffers(struct mr_engine *engine) {
  if (!engine->stats.buffers)
    return 0;
  int rc = io_uring_unregister_buffers(&uring_of(engine)->ring.ring);
  if (rc == 0)
    engine->stats.buffers = 0;
  return rc;
}

int32_t mr_uring_register_files(struct mr_engine *engine, uint32_t count) {
  struct mr_uring *u = uring_of(engine);
  if (engine->stats.files)
    return -EBUSY;
  int rc = mr_ring_register_files(&u->ring, count);
  if (rc == 0)
    rc = mr_files_create(&engine->files, count);
  return rc;
}

int32_t mr_uring_update_file(struct mr_engine *engine, uint32_t slot, int32_t fd) {
  struct mr_uring *u = uring_of(engine);
  int rc = io_uring_register_files_update(&u->ring.ring, slot, &fd, 1);
  if (rc < 0)
    return rc;
  return mr_files_update(&engine->files, slot, fd);
}

/* ------------------------------------------------------------------ the end */

static void ask_one(struct mr_uring *u, uint64_t id) {
  struct io_uring_sqe *sqe = mr_ring_sqe(&u->ring);
  if (!sqe)
    return; /* asked in a later round */
  io_uring_prep_rw(IORING_OP_ASYNC_CANCEL, sqe, -1, NULL, 0, 0);
  sqe->addr = id;
  sqe->user_data = TOKEN_STOP;
  u->stop_pending = true;
}

/* Asks everything in the ring to stop: by one request where the kernel knows how, else one by one. */
static void ask_to_stop(struct mr_uring *u, unsigned round) {
  if (!u->stop_any_unknown && round % 2 == 0) {
    ask_one(u, 0);
    u->ring.ring.sq.sqes[(u->ring.tail - 1) & u->ring.ring.sq.ring_mask].cancel_flags =
        IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
    return;
  }
  if (u->wake_armed)
    ask_one(u, TOKEN_WAKE);
  for (uint32_t i = 0; i < u->base.depth; i++)
    if (u->base.slots[i].state == MR_SLOT_KERNEL)
      ask_one(u, mr_slot_id(&u->base, &u->base.slots[i]));
}

static int drain(struct mr_uring *u) {
  int64_t ask_at = 0;
  for (unsigned round = 0; u->in_kernel || u->wake_armed || u->stop_pending;) {
    int64_t now = mr_now();
    if (now >= ask_at && !mr_ring_unsubmitted(&u->ring)) {
      ask_to_stop(u, round++);
      ask_at = now + ASK_AGAIN_NS;
    }
    int rc = mr_ring_enter(&u->ring, 1, IORING_ENTER_GETEVENTS, ASK_AGAIN_NS);
    if (rc == -EAGAIN || rc == -EBUSY)
      nanosleep(&(struct timespec){.tv_nsec = SHORT_PAUSE_NS}, NULL);
    else if (rc < 0 && rc != -EINTR && rc != -ETIME)
      return rc;
    rc = reap(u, true);
    if (rc < 0)
      return rc;
  }
  return 0;
}

static void free_all(struct mr_uring *u) {
  struct mr_engine *engine = &u->base;
  mr_slots_drop_results(engine);
  close(engine->eventfd);
  mr_files_free(&engine->files);
  mr_slots_free(engine);
  free(u);
}

/* What the kernel may still write to is kept for ever, where a search for leaks finds its owner. */
static struct mr_engine *_Atomic never_freed;

int32_t mr_uring_destroy(struct mr_engine *engine) {
  struct mr_uring *u = uring_of(engine);
  if (engine->given_up) {
    mr_ring_await_let_go(&u->ring);
    free_all(u);
    return 0;
  }
  u->stopping = true;
  engine->out_count = engine->out_max = 0;
  /* Workers first: they end by themselves, and the kernel's part goes on meanwhile. */
  mr_workers_end(engine);
  if (drain(u) == 0) {
    /* The kernel takes a closed ring apart later, on a thread of its own: until then the pool would go on
       counting against RLIMIT_MEMLOCK, and the next ring of this user find no room. */
    mr_uring_unregister_buffers(engine);
    mr_ring_close(&u->ring);
    free_all(u);
    return 0;
  }
  int rc = mr_ring_give_up(&u->ring);
  engine->given_up = rc != -ENOTRECOVERABLE;
  if (rc == 0)
    return mr_uring_destroy(engine);
  if (!engine->given_up)
    engine->kept = atomic_exchange(&never_freed, engine);
  return rc;
}
