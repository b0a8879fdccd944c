/* SPDX-License-Identifier: Apache-2.0 */
/* A ring and how it is entered; used by the io_uring engine and by the probe. */
#ifndef MR_URING_H
#define MR_URING_H

#include "compat.h"
#include "internal.h"

#include <string.h>

/* The kernel gives locked memory of closed rings back a moment later. */
#define MR_ENOMEM_TRIES 10
#define MR_ENOMEM_PAUSE_NS 2000000

struct mr_ring {
  struct io_uring ring; /* mapped by liburing; entries are filled and entered here */
  unsigned tail;        /* of the submission queue, not yet all published */
  unsigned enter_flags; /* of every enter */
  unsigned setup_flags;
  uint64_t ops; /* bit per enum mr_op_code that the ring carries out */
  /* Read end of a pipe whose write end lies in the ring's table of files and nowhere else: it ends when the
   * kernel frees the ring, and that is after the last request let go of its memory. -1: none. */
  int let_go;
};

/* Sets a ring up, drops what the kernel refuses, carries out one operation. On failure nothing is left and
 * *call says what refused. */
int mr_ring_open(struct mr_ring *ring, unsigned entries, unsigned cq_entries, bool defer, int32_t *call);
void mr_ring_close(struct mr_ring *ring);
/* Makes the ring's table of files: `count` empty slots, and `let_go`'s pipe behind them. */
int mr_ring_register_files(struct mr_ring *ring, unsigned count);
/* For a ring that cannot be entered any more: gives it up, so that the kernel ends what it still carries out.
 * 0: mr_ring_await_let_go() waits for that. -EINPROGRESS: so it does, but on another thread, after this one
 * has ended, which holds the ring. -ENOTRECOVERABLE: nobody will ever know. */
int mr_ring_give_up(struct mr_ring *ring);
void mr_ring_await_let_go(struct mr_ring *ring);
uint32_t mr_ring_report_flags(const struct mr_ring *ring);

/* One io_uring_enter: publishes and submits what was filled, waits for `wait` completions at most
 * `timeout_ns` (negative: without end). Returns how many were submitted, or -errno. */
int mr_ring_enter(struct mr_ring *ring, unsigned wait, unsigned flags, int64_t timeout_ns);

static inline unsigned mr_ring_unsubmitted(const struct mr_ring *ring) {
  return ring->tail - __atomic_load_n(ring->ring.sq.khead, __ATOMIC_ACQUIRE);
}

/* NULL when the queue is full. */
static inline struct io_uring_sqe *mr_ring_sqe(struct mr_ring *ring) {
  if (mr_ring_unsubmitted(ring) >= ring->ring.sq.ring_entries)
    return NULL;
  struct io_uring_sqe *sqe = &ring->ring.sq.sqes[ring->tail++ & ring->ring.sq.ring_mask];
  /* What liburing's prep functions leave out differs between its releases. */
  memset(sqe, 0, sizeof *sqe);
  return sqe;
}

/* NULL when there is none. */
static inline const struct io_uring_cqe *mr_ring_cqe(const struct mr_ring *ring) {
  const struct io_uring_cq *cq = &ring->ring.cq;
  unsigned head = *cq->khead;
  if (head == __atomic_load_n(cq->ktail, __ATOMIC_ACQUIRE))
    return NULL;
  return &cq->cqes[head & cq->ring_mask];
}

static inline void mr_ring_seen(struct mr_ring *ring) {
  __atomic_store_n(ring->ring.cq.khead, *ring->ring.cq.khead + 1, __ATOMIC_RELEASE);
}

static inline unsigned mr_ring_sq_flags(const struct mr_ring *ring) {
  return __atomic_load_n(ring->ring.sq.kflags, __ATOMIC_RELAXED);
}

#endif
