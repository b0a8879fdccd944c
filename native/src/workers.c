/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that carry out operations which may block. The queue needs no bound of its own: jobs are slots.
 *
 * The owner is rung only when it said that it sleeps, and once for all that is done meanwhile; both under the
 * lock, so that a job that is done is either seen before the sleep or rings.
 */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define STACK_BYTES (256 * 1024)

struct start {
  struct mr_pool *pool;
  uint32_t number;
};

static void unlink_job(struct mr_pool *pool, struct mr_job *job) {
  if (job->prev)
    job->prev->next = job->next;
  else
    pool->first = job->next;
  if (job->next)
    job->next->prev = job->prev;
  else
    pool->last = job->prev;
  job->queued = 0;
}

static void *work(void *argument) {
  struct start start = *(struct start *)argument;
  free(argument);
  struct mr_pool *pool = start.pool;
  char name[16];
  snprintf(name, sizeof name, "mr-worker-%u", start.number % 100000u);
  pthread_setname_np(pthread_self(), name);

  pthread_mutex_lock(&pool->lock);
  for (;;) {
    while (!pool->first && !pool->stopping) {
      pool->idle++;
      pthread_cond_wait(&pool->work, &pool->lock);
      pool->idle--;
    }
    struct mr_job *job = pool->first;
    if (!job)
      break;
    unlink_job(pool, job);
    pthread_mutex_unlock(&pool->lock);

    job->result = mr_perform(job);

    pthread_mutex_lock(&pool->lock);
    job->next = pool->done;
    pool->done = job;
    if (pool->owner_sleeps) {
      pool->owner_sleeps = false;
      pthread_mutex_unlock(&pool->lock);
      mr_eventfd_ring(pool->eventfd);
      pthread_mutex_lock(&pool->lock);
    }
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

int mr_pool_start(struct mr_pool *pool, uint32_t threads, int eventfd) {
  pool->eventfd = eventfd;
  pool->thread = calloc(threads, sizeof *pool->thread);
  if (!pool->thread)
    return -ENOMEM;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->work, NULL);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  /* Signals are the program's business: a worker must not be the thread that takes one. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = 0;
  while (pool->threads < threads && rc == 0) {
    struct start *start = malloc(sizeof *start);
    if (!start) {
      rc = ENOMEM;
      break;
    }
    *start = (struct start){.pool = pool, .number = pool->threads};
    rc = pthread_create(&pool->thread[pool->threads], &attributes, work, start);
    if (rc)
      free(start);
    else
      pool->threads++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  /* Fewer threads than asked for are slower; none would be a hang. */
  if (pool->threads == 0) {
    mr_pool_stop(pool);
    return -rc;
  }
  return 0;
}

void mr_pool_submit(struct mr_pool *pool, struct mr_job *first, struct mr_job *last, uint32_t count) {
  pthread_mutex_lock(&pool->lock);
  for (struct mr_job *job = first; job; job = job->next)
    job->queued = 1;
  first->prev = pool->last;
  if (pool->last)
    pool->last->next = first;
  else
    pool->first = first;
  pool->last = last;
  uint32_t wake = count < pool->idle ? count : pool->idle;
  pthread_mutex_unlock(&pool->lock);
  while (wake--)
    pthread_cond_signal(&pool->work);
}

int mr_pool_cancel(struct mr_pool *pool, struct mr_job *job) {
  pthread_mutex_lock(&pool->lock);
  int rc = job->queued ? 0 : -EALREADY;
  if (rc == 0)
    unlink_job(pool, job);
  pthread_mutex_unlock(&pool->lock);
  return rc;
}

struct mr_job *mr_pool_collect(struct mr_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  struct mr_job *newest = pool->done;
  pool->done = NULL;
  pool->owner_sleeps = false;
  pthread_mutex_unlock(&pool->lock);
  struct mr_job *oldest = NULL;
  while (newest) {
    struct mr_job *next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

bool mr_pool_before_sleep(struct mr_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  bool done = pool->done != NULL;
  pool->owner_sleeps = !done;
  pthread_mutex_unlock(&pool->lock);
  return done;
}

struct mr_job *mr_pool_stop(struct mr_pool *pool) {
  if (!pool->thread)
    return NULL;
  pthread_mutex_lock(&pool->lock);
  pool->stopping = true;
  while (pool->first) {
    struct mr_job *job = pool->first;
    unlink_job(pool, job);
    job->result = -ECANCELED;
    job->next = pool->done;
    pool->done = job;
  }
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
  for (uint32_t i = 0; i < pool->threads; i++)
    pthread_join(pool->thread[i], NULL);
  pthread_cond_destroy(&pool->work);
  pthread_mutex_destroy(&pool->lock);
  free(pool->thread);
  pool->thread = NULL;
  return pool->done;
}
