/* SPDX-License-Identifier: Apache-2.0 */
#include "streams.h"
#include "compat.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static bool ready(int fd, short events) {
  struct pollfd one = {.fd = fd, .events = events};
  return poll(&one, 1, 0) == 1;
}

/* Sockets know MSG_DONTWAIT, and most else RWF_NOWAIT. What knows neither is asked first; a pipe with room
 * takes PIPE_BUF bytes at once, more might block. */
static ssize_t read_some(int fd, void *at, size_t length) {
  ssize_t n = recv(fd, at, length, MSG_DONTWAIT);
  if (n >= 0 || errno != ENOTSOCK)
    return n;
  struct iovec one = {.iov_base = at, .iov_len = length};
  n = preadv2(fd, &one, 1, -1, RWF_NOWAIT);
  if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
    return n;
  if (ready(fd, POLLIN))
    return read(fd, at, length);
  errno = EAGAIN;
  return -1;
}

static ssize_t write_some(int fd, const void *at, size_t length) {
  ssize_t n = send(fd, at, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0 || errno != ENOTSOCK)
    return n;
  struct iovec one = {.iov_base = (void *)(uintptr_t)at, .iov_len = length};
  n = pwritev2(fd, &one, 1, -1, RWF_NOWAIT);
  if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
    return n;
  if (ready(fd, POLLOUT))
    return write(fd, at, length < PIPE_BUF ? length : PIPE_BUF);
  errno = EAGAIN;
  return -1;
}

int32_t mr_stream_attempt(struct mr_slot *slot, int fd) {
  const struct mr_op *op = &slot->job.op;
  bool whole = op->code == MR_RECV && (op->arg & MR_RECV_WAITALL);
  for (;;) {
    char *at = (char *)(uintptr_t)op->address + slot->done;
    size_t length = op->length - slot->done;
    ssize_t n;
    switch (op->code) {
    case MR_RECV:
      n = recv(fd, at, length, MSG_DONTWAIT);
      break;
    case MR_SEND:
      n = send(fd, at, length, MSG_DONTWAIT | MSG_NOSIGNAL);
      break;
    case MR_READ:
      n = read_some(fd, at, length);
      break;
    default:
      n = write_some(fd, at, length);
      break;
    }
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN)
      return -EAGAIN;
    /* What arrived before an error is told first; the error stays with the socket. */
    if (n < 0)
      return slot->done ? (int32_t)slot->done : -errno;
    slot->done += (uint32_t)n;
    if (!whole || n == 0 || slot->done == op->length)
      return (int32_t)slot->done;
  }
}

int32_t mr_stream_connect(const struct mr_slot *slot, int fd) {
  const struct mr_op *op = &slot->job.op;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0)
    return -errno;
  /* A socket that blocks is made not to, for this one call. */
  if (!(flags & O_NONBLOCK))
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  int32_t rc = connect(fd, (void *)(uintptr_t)op->address, op->length) < 0 ? -errno : 0;
  if (!(flags & O_NONBLOCK))
    fcntl(fd, F_SETFL, flags);
  return rc == -EINTR ? -EINPROGRESS : rc;
}

int32_t mr_stream_connected(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
    return -errno;
  return -error;
}

uint32_t mr_stream_events(const struct mr_op *op) {
  switch (op->code) {
  case MR_RECV:
  case MR_READ:
    return EPOLLIN | EPOLLRDHUP;
  case MR_POLL:
    return op->arg;
  default:
    return EPOLLOUT;
  }
}
