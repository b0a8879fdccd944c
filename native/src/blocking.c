/* SPDX-License-Identifier: Apache-2.0 */
/* Plain calls for callers who bring their own thread. */
#include "compat.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define AT(address) ((void *)(uintptr_t)(address))

/* Repeats a call that a signal interrupted. */
#define RETRY(type, call)                                                                                    \
  ({                                                                                                         \
    type rc_;                                                                                                \
    do                                                                                                       \
      rc_ = (call);                                                                                          \
    while (rc_ < 0 && errno == EINTR);                                                                       \
    rc_ < 0 ? (type)-errno : rc_;                                                                            \
  })

int32_t mr_open(int64_t path, int32_t flags, int32_t mode) {
  if (!path)
    return -EINVAL;
  return RETRY(int, open(AT(path), flags | O_CLOEXEC, (mode_t)mode));
}

int32_t mr_close(int32_t fd) {
  /* Linux has let go of the descriptor also when it says EINTR: repeating would close someone else's. */
  return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

int64_t mr_pread(int32_t fd, int64_t address, int64_t length, int64_t offset) {
  if (length < 0)
    return -EINVAL;
  return RETRY(ssize_t, pread(fd, AT(address), (size_t)length, offset));
}

int64_t mr_pwrite(int32_t fd, int64_t address, int64_t length, int64_t offset) {
  if (length < 0)
    return -EINVAL;
  return RETRY(ssize_t, pwrite(fd, AT(address), (size_t)length, offset));
}

int32_t mr_fsync(int32_t fd) {
  return RETRY(int, fsync(fd));
}

int32_t mr_fdatasync(int32_t fd) {
  return RETRY(int, fdatasync(fd));
}

int32_t mr_fallocate(int32_t fd, int32_t mode, int64_t offset, int64_t length) {
  return RETRY(int, fallocate(fd, mode, offset, length));
}

int32_t mr_ftruncate(int32_t fd, int64_t length) {
  return RETRY(int, ftruncate(fd, length));
}

int32_t mr_statx(int32_t fd, int64_t path, int64_t stat) {
  return stat ? mr_statx_fill(fd, AT(path), AT(stat)) : -EINVAL;
}

int32_t mr_rename(int64_t from, int64_t to, int32_t flags) {
  if (!from || !to || (flags & ~MR_RENAME_NOREPLACE))
    return -EINVAL;
  unsigned kernel_flags = flags & MR_RENAME_NOREPLACE ? RENAME_NOREPLACE : 0;
  return RETRY(int, renameat2(AT_FDCWD, AT(from), AT_FDCWD, AT(to), kernel_flags));
}

int32_t mr_unlink(int64_t path, int32_t flags) {
  if (!path || (flags & ~MR_UNLINK_DIR))
    return -EINVAL;
  return RETRY(int, unlinkat(AT_FDCWD, AT(path), flags & MR_UNLINK_DIR ? AT_REMOVEDIR : 0));
}

int32_t mr_mkdir(int64_t path, int32_t mode) {
  return path ? RETRY(int, mkdir(AT(path), (mode_t)mode)) : -EINVAL;
}

int32_t mr_fchmod(int32_t fd, int32_t mode) {
  return RETRY(int, fchmod(fd, (mode_t)mode));
}

int32_t mr_try_lock(int32_t fd) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int rc = RETRY(int, fcntl(fd, F_OFD_SETLK, &whole));
  return rc == -EACCES ? -EAGAIN : rc;
}

int64_t mr_free_bytes(int64_t path) {
  struct statfs fs;
  if (!path)
    return -EINVAL;
  int rc = RETRY(int, statfs(AT(path), &fs));
  if (rc < 0)
    return rc;
  if (fs.f_blocks == 0)
    return INT64_MAX; /* simple_statfs: it has no size, which is not the same as no room */
  uint64_t unit = fs.f_frsize ? (uint64_t)fs.f_frsize : (uint64_t)fs.f_bsize;
  uint64_t bytes;
  if (__builtin_mul_overflow((uint64_t)fs.f_bavail, unit, &bytes) || bytes > INT64_MAX)
    return INT64_MAX;
  return (int64_t)bytes;
}

int32_t mr_socket_option(int32_t fd, int32_t what, int32_t value) {
  int rc;
  switch (what) {
  case MR_SOCKET_NODELAY:
    rc = setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
    break;
  case MR_SOCKET_RECEIVE_BUFFER:
    rc = setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof value);
    break;
  case MR_SOCKET_SHUTDOWN:
    rc = shutdown(fd, value);
    break;
  default:
    return -EINVAL;
  }
  return rc < 0 ? -errno : 0;
}
