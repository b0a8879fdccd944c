/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel and process allow, found out by doing it in small. */
#include "uring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define PROBE_ENTRIES 4

static int read_text(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  ssize_t n = read(fd, text, size - 1);
  close(fd);
  if (n < 0)
    return -EIO;
  text[n] = 0;
  return 0;
}

static uint64_t limit(rlim_t value) {
  return value == RLIM_INFINITY ? UINT64_MAX : (uint64_t)value;
}

void mr_memlock_limits(uint64_t *soft, uint64_t *hard) {
  struct rlimit memlock;
  *soft = *hard = UINT64_MAX;
  if (getrlimit(RLIMIT_MEMLOCK, &memlock) == 0) {
    *soft = limit(memlock.rlim_cur);
    *hard = limit(memlock.rlim_max);
  }
}

int32_t mr_uring_disabled_sysctl(void) {
  char text[32];
  return read_text("/proc/sys/kernel/io_uring_disabled", text, sizeof text) < 0 ? -1 : atoi(text);
}

int32_t mr_setup_call(int error) {
  return error == -EPERM && mr_uring_disabled_sysctl() > 0 ? MR_CALL_SYSCTL : MR_CALL_IO_URING_SETUP;
}

static int32_t seccomp_mode(void) {
  char text[4096];
  if (read_text("/proc/self/status", text, sizeof text) < 0)
    return -1;
  const char *line = strstr(text, "\nSeccomp:");
  return line ? atoi(line + strlen("\nSeccomp:")) : -1;
}

static int32_t huge_pages(void) {
  char text[128];
  if (read_text("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof text) < 0)
    return MR_HUGE_UNKNOWN;
  return strstr(text, "[always]")    ? MR_HUGE_ALWAYS
         : strstr(text, "[madvise]") ? MR_HUGE_MADVISE
         : strstr(text, "[never]")   ? MR_HUGE_NEVER
                                     : MR_HUGE_UNKNOWN;
}

/* A byte through a pipe, read by the ring. */
static int real_read(struct mr_ring *ring, int32_t *call) {
  *call = MR_CALL_VERIFY;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0)
    return -errno;
  char byte = 0;
  const struct io_uring_cqe *cqe = NULL;
  int rc = write(ends[1], "m", 1) == 1 ? 0 : -EIO;
  if (rc == 0) {
    struct io_uring_sqe *sqe = mr_ring_sqe(ring);
    io_uring_prep_read(sqe, ends[0], &byte, 1, 0);
    sqe->user_data = MR_TOKEN_INTERNAL;
    for (int try = 0; try < 20 && !cqe; try++) {
      rc = mr_ring_enter(ring, 1, IORING_ENTER_GETEVENTS, 100000000);
      if (rc < 0 && rc != -EINTR && rc != -ETIME && rc != -EAGAIN && rc != -EBUSY) {
        *call = MR_CALL_IO_URING_ENTER;
        break;
      }
      cqe = mr_ring_cqe(ring);
    }
    if (cqe) {
      rc = cqe->res == 1 && byte == 'm' ? 0 : cqe->res < 0 ? cqe->res : -EIO;
      mr_ring_seen(ring);
    } else if (rc >= 0) {
      rc = -ETIME;
    }
  }
  /* A read that never came back would write to this frame; the ring, closed next, lets go of it only if the
   * pipe ends first. */
  close(ends[1]);
  close(ends[0]);
  return rc;
}

static void probe_uring(struct mr_probe *probe) {
  struct mr_ring ring;
  int rc = mr_ring_open(&ring, PROBE_ENTRIES, 2 * PROBE_ENTRIES, true, &probe->uring_call);
  if (rc == 0) {
    probe->uring_features = ring.ring.features;
    probe->setup_flags = ring.setup_flags;
    probe->ring_flags = mr_ring_report_flags(&ring);
    probe->uring_ops = ring.ops;
    unsigned bounds[2] = {0, 0}; /* asks, and changes nothing */
    if (io_uring_register_iowq_max_workers(&ring.ring, bounds) == 0)
      probe->ring_flags |= MR_RING_WORKERS_CAPPED;
    static char page[8192];
    uintptr_t aligned = ((uintptr_t)page + 4095) & ~(uintptr_t)4095;
    struct iovec one = {.iov_base = (void *)aligned, .iov_len = 4096};
    probe->register_error = -io_uring_register_buffers(&ring.ring, &one, 1);
    rc = real_read(&ring, &probe->uring_call);
    mr_ring_close(&ring);
  }
  if (rc == 0)
    probe->uring_call = MR_CALL_NONE;
  probe->uring_error = -rc;
}

static void probe_epoll(struct mr_probe *probe) {
  probe->epoll_call = MR_CALL_EVENTFD;
  int event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) {
    probe->epoll_error = errno;
    return;
  }
  probe->epoll_call = MR_CALL_EPOLL;
  int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event ready = {.events = EPOLLIN};
  int n = set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, event, &ready) < 0 ? -1 : epoll_wait(set, &ready, 1, 0);
  probe->epoll_error = n < 0 ? errno : 0;
  if (n == 0) {
    probe->epoll_call = MR_CALL_VERIFY;
    probe->epoll_error = EIO;
  } else if (n == 1) {
    probe->epoll_call = MR_CALL_NONE;
  }
  if (set >= 0)
    close(set);
  close(event);
}

int32_t mr_probe(int64_t address, int32_t flags) {
  struct mr_probe *probe = (void *)(uintptr_t)address;
  if (!probe || (flags & ~MR_PROBE_NO_URING))
    return -EINVAL;
  memset(probe, 0, sizeof *probe);
  probe->uring_disabled = mr_uring_disabled_sysctl();
  probe->seccomp = seccomp_mode();
  probe->huge_pages = huge_pages();
  probe->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
  mr_memlock_limits(&probe->memlock_soft, &probe->memlock_hard);
  if (flags & MR_PROBE_NO_URING)
    probe->uring_error = ENOSYS; /* not asked: call stays NONE */
  else
    probe_uring(probe);
  probe_epoll(probe);
  return 0;
}
