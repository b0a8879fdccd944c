/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's face: arguments are checked here and go on to the engine that was made; and what both
 * share. */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define AT(address) ((void *)(uintptr_t)(address))

static struct mr_engine *engine_of(int64_t handle) {
  return AT(handle);
}

/* The kernel would refuse another thread's enter with EEXIST, or worse, cancel its requests when it ends. */
static int check_owner(const struct mr_engine *engine) {
  if (!engine)
    return -EINVAL;
  return pthread_equal(engine->owner, pthread_self()) ? 0 : -EPERM;
}

int64_t mr_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t mr_engine_create(int64_t config_address, int64_t report_address) {
  const struct mr_engine_config *config = AT(config_address);
  struct mr_engine_report *report = AT(report_address);
  if (!config || !report)
    return -EINVAL;
  memset(report, 0, sizeof *report);
  report->kind = config->kind;
  mr_memlock_limits(&report->memlock_soft, &report->memlock_hard);
  int rc = -EINVAL;
  struct mr_engine *engine = NULL;
  bool valid = config->depth >= 1 && config->depth <= MR_MAX_DEPTH && config->workers >= 1 &&
               config->workers <= MR_MAX_WORKERS && !(config->flags & ~MR_ENGINE_NO_DEFER);
  if (valid && config->kind == MR_ENGINE_IO_URING)
    rc = mr_uring_create(config, report, &engine);
  else if (valid && config->kind == MR_ENGINE_EPOLL)
    rc = mr_epoll_create(config, report, &engine);
  if (rc < 0) {
    report->error = -rc;
    return rc;
  }
  return (int64_t)(uintptr_t)engine;
}

int32_t mr_engine_turn(int64_t handle, int64_t ops, int32_t count, int64_t completions, int32_t max,
                       int64_t timeout_ns) {
  struct mr_engine *engine = engine_of(handle);
  int rc = check_owner(engine);
  if (rc < 0)
    return rc;
  if (count < 0 || max < 0 || (count && !ops) || (max && !completions))
    return -EINVAL;
  engine->stats.turns++;
  engine->stats.submitted += (uint32_t)count;
  engine->out = AT(completions);
  engine->out_count = 0;
  engine->out_max = max;
  mr_deliver_waiting(engine);
  /* Without room for a completion there is nothing to wait for. */
  if (max == 0)
    timeout_ns = 0;
  rc = engine->kind == MR_ENGINE_IO_URING ? mr_uring_turn(engine, AT(ops), count, timeout_ns)
                                          : mr_epoll_turn(engine, AT(ops), count, timeout_ns);
  engine->out_max = 0;
  return rc < 0 ? rc : engine->out_count;
}

void mr_eventfd_ring(int eventfd) {
  uint64_t one = 1;
  while (write(eventfd, &one, sizeof one) < 0 && errno == EINTR)
    ;
}

/* Whoever finds the flag set may leave: the one who set it rings, and the owner has not looked yet. */
int32_t mr_engine_wake(int64_t handle) {
  struct mr_engine *engine = engine_of(handle);
  if (!engine)
    return -EINVAL;
  if (!atomic_exchange(&engine->rung, 1))
    mr_eventfd_ring(engine->eventfd);
  return 0;
}

bool mr_wake_take(struct mr_engine *engine) {
  if (!atomic_exchange(&engine->rung, 0))
    return false;
  engine->stats.wakes++;
  return true;
}

void mr_batch_add(struct mr_engine *engine, struct mr_slot *slot) {
  struct mr_job *job = &slot->job;
  slot->state = MR_SLOT_WORKER;
  job->next = NULL;
  job->prev = engine->batch_last;
  if (engine->batch_last)
    engine->batch_last->next = job;
  else
    engine->batch_first = job;
  engine->batch_last = job;
  engine->batch_count++;
}

void mr_batch_flush(struct mr_engine *engine) {
  if (!engine->batch_count)
    return;
  engine->jobs += engine->batch_count;
  engine->stats.to_workers += engine->batch_count;
  mr_pool_submit(&engine->pool, engine->batch_first, engine->batch_last, engine->batch_count);
  engine->batch_first = engine->batch_last = NULL;
  engine->batch_count = 0;
}

void mr_workers_end(struct mr_engine *engine) {
  struct mr_job *job = mr_pool_stop(&engine->pool);
  while (job) {
    struct mr_job *next = job->next;
    mr_slot_finish(engine, (struct mr_slot *)job, job->result);
    job = next;
  }
}

int32_t mr_engine_register_buffers(int64_t handle, int64_t pairs, int32_t count, int64_t error) {
  struct mr_engine *engine = engine_of(handle);
  int rc = check_owner(engine);
  if (rc < 0)
    return rc;
  if (count < 0 || !error || (count && !pairs))
    return -EINVAL;
  int32_t *stopped_by = AT(error);
  *stopped_by = 0;
  if (engine->kind == MR_ENGINE_IO_URING)
    return mr_uring_register_buffers(engine, AT(pairs), count, stopped_by);
  *stopped_by = EOPNOTSUPP;
  return 0;
}

int32_t mr_engine_unregister_buffers(int64_t handle) {
  struct mr_engine *engine = engine_of(handle);
  int rc = check_owner(engine);
  if (rc < 0 || engine->kind != MR_ENGINE_IO_URING)
    return rc;
  return mr_uring_unregister_buffers(engine);
}

int32_t mr_engine_register_files(int64_t handle, int32_t count) {
  struct mr_engine *engine = engine_of(handle);
  int rc = check_owner(engine);
  if (rc < 0)
    return rc;
  if (count <= 0 || count > 1 << 20)
    return -EINVAL;
  rc = engine->kind == MR_ENGINE_IO_URING ? mr_uring_register_files(engine, (uint32_t)count)
                                          : mr_files_create(&engine->files, (uint32_t)count);
  if (rc == 0)
    engine->stats.files = (uint32_t)count;
  return rc;
}

int32_t mr_engine_update_file(int64_t handle, int32_t slot, int32_t fd) {
  struct mr_engine *engine = engine_of(handle);
  int rc = check_owner(engine);
  if (rc < 0)
    return rc;
  if (fd < -1)
    return -EBADF;
  if (engine->stats.files == 0)
    return -ENXIO;
  if (slot < 0 || (uint32_t)slot >= engine->stats.files)
    return -EINVAL;
  return engine->kind == MR_ENGINE_IO_URING ? mr_uring_update_file(engine, (uint32_t)slot, fd)
                                            : mr_files_update(&engine->files, (uint32_t)slot, fd);
}

int32_t mr_engine_stats(int64_t handle, int64_t stats) {
  struct mr_engine *engine = engine_of(handle);
  if (!engine || !stats)
    return -EINVAL;
  struct mr_engine_stats *out = AT(stats);
  *out = engine->stats;
  out->in_flight = out->submitted - out->completed;
  out->kernel_workers = atomic_load(&engine->kernel_workers);
  return 0;
}

/* The kernel's workers are threads of this process, by name. */
static int count_kernel_workers(void) {
  DIR *tasks = opendir("/proc/self/task");
  if (!tasks)
    return -errno;
  int count = 0;
  for (struct dirent *entry; (entry = readdir(tasks));) {
    if (entry->d_name[0] == '.')
      continue;
    char path[300], name[32] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      continue; /* ended meanwhile */
    ssize_t n = read(fd, name, sizeof name - 1);
    close(fd);
    if (n > 0 && !strncmp(name, "iou-wrk", 7))
      count++;
  }
  closedir(tasks);
  return count;
}

int32_t mr_engine_sample_workers(int64_t handle) {
  struct mr_engine *engine = engine_of(handle);
  if (!engine)
    return -EINVAL;
  int count = count_kernel_workers();
  if (count < 0)
    return count;
  uint64_t most = atomic_load(&engine->kernel_workers);
  while (most < (uint64_t)count &&
         !atomic_compare_exchange_weak(&engine->kernel_workers, &most, (uint64_t)count))
    ;
  return count;
}

int32_t mr_engine_destroy(int64_t handle) {
  struct mr_engine *engine = engine_of(handle);
  int rc = engine && engine->given_up ? 0 : check_owner(engine);
  if (rc < 0)
    return rc;
  return engine->kind == MR_ENGINE_IO_URING ? mr_uring_destroy(engine) : mr_epoll_destroy(engine);
}
