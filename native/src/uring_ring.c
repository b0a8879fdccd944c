/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Setting a ring up, and entering it.
 *
 * Enter is called here and not through liburing: one call submits, waits with a timeout, names the ring by
 * its registered index and keeps the wait out of iowait, also with a liburing that does not know how.
 */
#include "uring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BIT(code) (1ull << (code))

/* From most to least wished for; each line drops one thing that a kernel may not know. */
static const unsigned wishes[] = {
    IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
        IORING_SETUP_TASKRUN_FLAG,
    IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER,
    IORING_SETUP_SINGLE_ISSUER,
    IORING_SETUP_SUBMIT_ALL,
    0,
};

static int setup(unsigned entries, unsigned cq_entries, bool defer, struct io_uring_params *params) {
  int fd = -EINVAL;
  for (size_t i = 0; i < sizeof wishes / sizeof *wishes && fd == -EINVAL; i++) {
    if (!defer && (wishes[i] & IORING_SETUP_SINGLE_ISSUER))
      continue;
    for (int try = 0; try < MR_ENOMEM_TRIES; try++) {
      memset(params, 0, sizeof *params);
      params->flags = wishes[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
      params->cq_entries = cq_entries;
      fd = io_uring_setup(entries, params);
      if (fd != -ENOMEM)
        break;
      nanosleep(&(struct timespec){.tv_nsec = MR_ENOMEM_PAUSE_NS}, NULL);
    }
  }
  return fd;
}

static const struct {
  uint16_t code;
  uint8_t op;
} ring_ops[] = {
    {MR_NOP, IORING_OP_NOP},
    {MR_OPEN, IORING_OP_OPENAT},
    {MR_CLOSE, IORING_OP_CLOSE},
    {MR_READ, IORING_OP_READ},
    {MR_WRITE, IORING_OP_WRITE},
    {MR_FSYNC, IORING_OP_FSYNC},
    {MR_FDATASYNC, IORING_OP_FSYNC},
    {MR_FALLOCATE, IORING_OP_FALLOCATE},
    {MR_FTRUNCATE, MR_IORING_OP_FTRUNCATE},
    /* MR_STATX is not here: it also says the type of the file system, and fstatfs is no ring operation. */
    {MR_RENAME, IORING_OP_RENAMEAT},
    {MR_UNLINK, IORING_OP_UNLINKAT},
    {MR_MKDIR, IORING_OP_MKDIRAT},
    {MR_SOCKET, IORING_OP_SOCKET},
    {MR_CONNECT, IORING_OP_CONNECT},
    {MR_RECV, IORING_OP_RECV},
    {MR_SEND, IORING_OP_SEND},
    {MR_POLL, IORING_OP_POLL_ADD},
    {MR_TIMEOUT, IORING_OP_TIMEOUT},
    {MR_CANCEL, IORING_OP_ASYNC_CANCEL},
};

/* What the engine cannot do elsewhere: without these there is no engine. */
#define NEEDED                                                                                               \
  (BIT(MR_NOP) | BIT(MR_READ) | BIT(MR_WRITE) | BIT(MR_CONNECT) | BIT(MR_RECV) | BIT(MR_SEND) |              \
   BIT(MR_POLL) | BIT(MR_TIMEOUT) | BIT(MR_CANCEL))

static uint64_t probe_ops(struct io_uring *ring) {
  uint64_t ops = 0;
  struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
  if (probe) {
    for (size_t i = 0; i < sizeof ring_ops / sizeof *ring_ops; i++)
      if (ring_ops[i].op < probe->ops_len && io_uring_opcode_supported(probe, ring_ops[i].op))
        ops |= BIT(ring_ops[i].code);
    io_uring_free_probe(probe);
    return ops;
  }
  /* Register is refused. Features came with the operations of their release; the rest goes to workers. */
  if (ring->features & IORING_FEAT_FAST_POLL) /* Linux 5.7 */
    ops = NEEDED | BIT(MR_OPEN) | BIT(MR_CLOSE) | BIT(MR_FSYNC) | BIT(MR_FDATASYNC) | BIT(MR_FALLOCATE);
  if (ring->features & IORING_FEAT_EXT_ARG) /* 5.11 */
    ops |= BIT(MR_RENAME) | BIT(MR_UNLINK);
  if (ring->features & IORING_FEAT_CQE_SKIP) /* 5.17 */
    ops |= BIT(MR_MKDIR);
  return ops;
}

/* Set-up alone succeeds where a filter refuses enter. */
static int verify(struct mr_ring *ring, int32_t *call) {
  *call = MR_CALL_IO_URING_ENTER;
  struct io_uring_sqe *sqe = mr_ring_sqe(ring);
  io_uring_prep_nop(sqe);
  sqe->user_data = MR_TOKEN_INTERNAL;
  const struct io_uring_cqe *cqe = NULL;
  for (int try = 0; try < 100 && !cqe; try++) {
    int rc = mr_ring_enter(ring, 1, IORING_ENTER_GETEVENTS, 100000000);
    if (rc < 0 && rc != -EINTR && rc != -ETIME && rc != -EAGAIN && rc != -EBUSY)
      return rc;
    cqe = mr_ring_cqe(ring);
  }
  *call = MR_CALL_VERIFY;
  if (!cqe)
    return -ETIME;
  bool good = cqe->user_data == MR_TOKEN_INTERNAL && cqe->res == 0;
  mr_ring_seen(ring);
  return good ? 0 : -EIO;
}

int mr_ring_open(struct mr_ring *ring, unsigned entries, unsigned cq_entries, bool defer, int32_t *call) {
  memset(ring, 0, sizeof *ring);
  ring->let_go = -1;
  struct io_uring_params params;
  int fd = setup(entries, cq_entries, defer, &params);
  if (fd < 0) {
    *call = mr_setup_call(fd);
    return fd;
  }
  int rc = io_uring_queue_mmap(fd, &params, &ring->ring);
  if (rc < 0) {
    *call = MR_CALL_MMAP;
    close(fd);
    return rc;
  }
  /* Older liburings set these in queue_mmap, newer ones leave them to the caller. */
  ring->ring.flags = params.flags;
  ring->ring.features = params.features;
  ring->ring.ring_fd = ring->ring.enter_ring_fd = fd;
  ring->setup_flags = params.flags;
  /* The entry of each place is that place: filled once, never touched again. */
  for (unsigned i = 0; i < ring->ring.sq.ring_entries; i++)
    ring->ring.sq.array[i] = i;
  ring->tail = *ring->ring.sq.ktail;
  io_uring_ring_dontfork(&ring->ring);

  /* A registered ring spares the look-up of its descriptor in every enter; it is known to this thread only.
   */
  if (io_uring_register_ring_fd(&ring->ring) == 1)
    ring->enter_flags |= IORING_ENTER_REGISTERED_RING;
  if (params.features & IORING_FEAT_NO_IOWAIT)
    ring->enter_flags |= IORING_ENTER_NO_IOWAIT;
  rc = verify(ring, call);
  if (rc == 0) {
    ring->ops = probe_ops(&ring->ring);
    if ((ring->ops & NEEDED) != NEEDED) {
      *call = MR_CALL_VERIFY;
      rc = -ENOSYS;
    }
  }
  if (rc < 0) {
    mr_ring_close(ring);
    return rc;
  }
  *call = MR_CALL_NONE;
  return 0;
}

void mr_ring_close(struct mr_ring *ring) {
  io_uring_queue_exit(&ring->ring);
  if (ring->let_go >= 0)
    close(ring->let_go);
}

int mr_ring_register_files(struct mr_ring *ring, unsigned count) {
  int ends[2];
  int *files = malloc((count + 1) * sizeof *files);
  if (!files)
    return -ENOMEM;
  int rc = pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
  if (rc == 0) {
    memset(files, -1, count * sizeof *files);
    files[count] = ends[1];
    if (ring->let_go >= 0) {
      io_uring_unregister_files(&ring->ring);
      close(ring->let_go);
      ring->let_go = -1;
    }
    rc = io_uring_register_files(&ring->ring, files, count + 1);
    if (rc == 0 || io_uring_register_files(&ring->ring, files + count, 1) == 0)
      ring->let_go = ends[0];
    else
      close(ends[0]);
    close(ends[1]);
  }
  free(files);
  return rc;
}

int mr_ring_give_up(struct mr_ring *ring) {
  /* The mappings and this thread's registration hold the ring as its descriptor does. */
  bool held =
      ring->enter_flags & IORING_ENTER_REGISTERED_RING && io_uring_unregister_ring_fd(&ring->ring) != 1;
  io_uring_queue_exit(&ring->ring);
  return ring->let_go < 0 ? -ENOTRECOVERABLE : held ? -EINPROGRESS : 0;
}

void mr_ring_await_let_go(struct mr_ring *ring) {
  struct pollfd end = {.fd = ring->let_go};
  while (poll(&end, 1, -1) < 0 && errno == EINTR)
    ;
  close(ring->let_go);
}

uint32_t mr_ring_report_flags(const struct mr_ring *ring) {
  return (ring->enter_flags & IORING_ENTER_REGISTERED_RING ? MR_RING_REGISTERED_FD : 0) |
         (ring->enter_flags & IORING_ENTER_NO_IOWAIT ? MR_RING_NO_IOWAIT : 0);
}

static int enter(struct mr_ring *ring, unsigned submit, unsigned wait, unsigned flags, const void *argument,
                 size_t size) {
  long rc = syscall(__NR_io_uring_enter, ring->ring.enter_ring_fd, submit, wait, flags | ring->enter_flags,
                    argument, size);
  return rc < 0 ? -errno : (int)rc;
}

/* Linux 5.7 to 5.10 cannot bound the wait in enter: submit, then wait for the ring to be readable. */
static int enter_and_poll(struct mr_ring *ring, unsigned submit, unsigned flags, int64_t timeout_ns) {
  int rc = submit ? enter(ring, submit, 0, flags, NULL, 0) : 0;
  if (rc < 0)
    return rc;
  struct pollfd ready = {.fd = ring->ring.ring_fd, .events = POLLIN};
  struct timespec time = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
  int n = ppoll(&ready, 1, &time, NULL);
  return rc > 0 || n > 0 ? rc : n == 0 ? -ETIME : -errno;
}

int mr_ring_enter(struct mr_ring *ring, unsigned wait, unsigned flags, int64_t timeout_ns) {
  __atomic_store_n(ring->ring.sq.ktail, ring->tail, __ATOMIC_RELEASE);
  unsigned submit = mr_ring_unsubmitted(ring);
  if (!wait || timeout_ns < 0)
    return enter(ring, submit, wait, flags, NULL, 0);
  if (!(ring->ring.features & IORING_FEAT_EXT_ARG))
    return enter_and_poll(ring, submit, flags, timeout_ns);
  struct __kernel_timespec time = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
  struct io_uring_getevents_arg argument = {.ts = (uint64_t)(uintptr_t)&time};
  return enter(ring, submit, wait, flags | IORING_ENTER_EXT_ARG, &argument, sizeof argument);
}
