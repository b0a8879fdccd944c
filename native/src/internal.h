/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of libmillrace share.
 *
 * An engine is a table of slots, one per operation in flight, and a way to carry operations out. A slot is
 * taken when an operation is handed in and given back when its completion is written to the caller's array;
 * so the table is the one bound on everything that is pending: ring entries, jobs at the workers, timers.
 * All of an engine belongs to its one thread, except what is marked otherwise.
 */
#ifndef MR_INTERNAL_H
#define MR_INTERNAL_H

#include "../include/millrace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define MR_MAX_DEPTH 32768u
#define MR_MAX_WORKERS 1024u
#define MR_NONE UINT32_MAX

/* ------------------------------------------------------------------ workers */

/* A job whose descriptor turned out to be a pipe, socket or terminal: nothing a worker may block on, since
 * a blocked worker cannot be cancelled. Never a result of an operation. */
#define MR_RESULT_STREAM INT32_MIN

struct mr_job {
  struct mr_job *next;
  struct mr_job *prev;
  struct mr_op op;
  int32_t fd; /* op.fd, with a registered slot already resolved */
  int32_t result;
  uint8_t queued;    /* under the pool's lock */
  uint8_t may_block; /* the descriptor cannot be polled: go on although it is no regular file */
};

struct mr_pool {
  pthread_mutex_t lock;
  pthread_cond_t work;
  struct mr_job *first, *last; /* not begun */
  struct mr_job *done;         /* newest first */
  uint32_t idle;
  bool owner_sleeps; /* the owner is about to wait and wants the eventfd rung */
  bool stopping;
  int eventfd;
  uint32_t threads;
  pthread_t *thread;
};

int mr_pool_start(struct mr_pool *pool, uint32_t threads, int eventfd);
void mr_pool_submit(struct mr_pool *pool, struct mr_job *first, struct mr_job *last, uint32_t count);
/* 0: taken out of the queue, it will not run. -EALREADY: it runs or is done. */
int mr_pool_cancel(struct mr_pool *pool, struct mr_job *job);
/* All jobs that are done, oldest first. */
struct mr_job *mr_pool_collect(struct mr_pool *pool);
/* Before a wait: true when jobs are done already and the caller must not wait. */
bool mr_pool_before_sleep(struct mr_pool *pool);
/* Waits for what runs and ends the threads. Returns what was done, and with -ECANCELED what had not begun. */
struct mr_job *mr_pool_stop(struct mr_pool *pool);

/* ------------------------------------------------------------------ registered files */

/* A duplicate of a registered descriptor. The kernel's table keeps the file open while a request uses it,
 * also when the slot was emptied meanwhile; this does the same. */
struct mr_file {
  int fd;
  uint32_t users;
  bool removed;
};

struct mr_files {
  struct mr_file **slot;
  uint32_t count;
};

int mr_files_create(struct mr_files *files, uint32_t count);
int mr_files_update(struct mr_files *files, uint32_t slot, int fd);
struct mr_file *mr_files_get(struct mr_files *files, int32_t slot);
void mr_files_put(struct mr_file *file);
void mr_files_free(struct mr_files *files);

/* ------------------------------------------------------------------ slots */

enum mr_slot_state {
  MR_SLOT_FREE,
  MR_SLOT_KERNEL, /* in the ring */
  MR_SLOT_RETRY,  /* to be put into the ring again */
  MR_SLOT_WORKER, /* in the batch, queued or running */
  MR_SLOT_POLLED, /* waits for its descriptor in the epoll set */
  MR_SLOT_TIMER,  /* waits in the heap */
  MR_SLOT_READY   /* complete, its completion not yet returned */
};

struct mr_slot {
  struct mr_job job; /* first: a job is its slot */
  uint32_t next;     /* free, ready or retry list */
  uint32_t hash_next;
  uint32_t generation; /* 31 bits; makes an id unlike that of the slot's earlier operations */
  int32_t result;
  uint8_t state;
  uint8_t stop_asked; /* a cancel was handed in for it */
  uint8_t retries;
  uint32_t done;    /* bytes moved by earlier attempts */
  int32_t watch_fd; /* duplicate in the epoll set */
  uint32_t heap_at;
  int64_t deadline; /* CLOCK_MONOTONIC, ns */
  int64_t time[2];  /* the struct __kernel_timespec that the kernel reads */
  struct mr_file *file;
};

struct mr_engine {
  uint32_t kind;
  uint32_t depth;
  pthread_t owner;
  int eventfd;
  _Atomic uint32_t rung;           /* any thread: mr_engine_wake was called and not yet seen */
  _Atomic uint64_t kernel_workers; /* any thread */
  struct mr_engine_stats stats;

  struct mr_slot *slots;
  uint32_t free_first;
  uint32_t ready_first, ready_last;
  uint32_t *buckets; /* token -> slot */
  uint32_t bucket_bits;

  struct mr_completion *out; /* the caller's array, during a turn */
  int32_t out_count, out_max;
  struct mr_completion *spill; /* refused operations that found no place in it */
  uint32_t spill_count, spill_capacity;

  struct mr_pool pool;
  struct mr_job *batch_first, *batch_last; /* jobs of this turn: one lock for all */
  uint32_t batch_count;
  uint32_t jobs; /* at the pool */
  struct mr_files files;

  bool given_up; /* destroyed as far as its thread can; the next call, by any thread, waits for the kernel */
  struct mr_engine *kept; /* the one that was kept before it */
};

int mr_slots_create(struct mr_engine *engine, uint32_t depth);
void mr_slots_free(struct mr_engine *engine);
/* NULL when `depth` operations are in flight. */
struct mr_slot *mr_slot_take(struct mr_engine *engine, const struct mr_op *op);
struct mr_slot *mr_slot_find(struct mr_engine *engine, uint64_t token);
/* Completes a slot: into the caller's array while there is room, else into the ready list. */
void mr_slot_finish(struct mr_engine *engine, struct mr_slot *slot, int32_t result);
/* Completes an operation that never had a slot. -ENOMEM only where its place cannot be had. */
int mr_refuse(struct mr_engine *engine, uint64_t token, int32_t result);
/* Hands out what earlier turns had no room for. */
void mr_deliver_waiting(struct mr_engine *engine);
/* A descriptor that nobody will ever see is closed. */
void mr_slots_drop_results(struct mr_engine *engine);

static inline uint64_t mr_slot_id(const struct mr_engine *engine, const struct mr_slot *slot) {
  return (uint64_t)slot->generation << 32 | (uint64_t)(slot - engine->slots);
}

/* NULL for an id that is not in flight. */
static inline struct mr_slot *mr_slot_by_id(struct mr_engine *engine, uint64_t id) {
  uint32_t index = (uint32_t)id;
  if (index >= engine->depth)
    return NULL;
  struct mr_slot *slot = &engine->slots[index];
  return slot->generation == id >> 32 && slot->state != MR_SLOT_FREE ? slot : NULL;
}

/* 0 or -EINVAL. */
int mr_op_check(const struct mr_engine *engine, const struct mr_op *op);

/* ------------------------------------------------------------------ engines */

void mr_batch_add(struct mr_engine *engine, struct mr_slot *slot);
void mr_batch_flush(struct mr_engine *engine);
/* Ends the workers; every job of theirs is finished. */
void mr_workers_end(struct mr_engine *engine);
/* Takes the ring of the wake-up; true when mr_engine_wake() was among its causes. */
bool mr_wake_take(struct mr_engine *engine);
void mr_eventfd_ring(int eventfd);
int64_t mr_now(void);

int mr_uring_create(const struct mr_engine_config *config, struct mr_engine_report *report,
                    struct mr_engine **out);
int32_t mr_uring_turn(struct mr_engine *engine, const struct mr_op *ops, int32_t count, int64_t timeout_ns);
int32_t mr_uring_register_buffers(struct mr_engine *engine, const uint64_t *pairs, int32_t count,
                                  int32_t *error);
int32_t mr_uring_unregister_buffers(struct mr_engine *engine);
int32_t mr_uring_register_files(struct mr_engine *engine, uint32_t count);
int32_t mr_uring_update_file(struct mr_engine *engine, uint32_t slot, int32_t fd);
int32_t mr_uring_destroy(struct mr_engine *engine);

int mr_epoll_create(const struct mr_engine_config *config, struct mr_engine_report *report,
                    struct mr_engine **out);
int32_t mr_epoll_turn(struct mr_engine *engine, const struct mr_op *ops, int32_t count, int64_t timeout_ns);
int32_t mr_epoll_destroy(struct mr_engine *engine);

/* ------------------------------------------------------------------ carrying out, limits */

/* Carries out one file operation here and now; may block. */
int32_t mr_perform(const struct mr_job *job);
int32_t mr_statx_fill(int fd, const char *path, struct mr_stat *stat);
int mr_socket_make(const struct mr_op *op);

void mr_memlock_limits(uint64_t *soft, uint64_t *hard);
int32_t mr_uring_disabled_sysctl(void);
/* What a refused io_uring_setup is to be called. */
int32_t mr_setup_call(int error);

#endif
