/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying out one operation on the thread that calls: for workers, and for the blocking calls. */
#include "compat.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

static void *address_of(uint64_t address) {
  return (void *)(uintptr_t)address;
}

static int64_t nanoseconds(int64_t seconds, uint32_t rest) {
  return seconds * 1000000000 + rest;
}

/* Where statx is refused (old sandboxes know only stat), everything but direct I/O's needs can be had. */
static int fill_by_stat(int fd, const char *path, struct mr_stat *out) {
  struct stat st;
  if ((path ? stat(path, &st) : fstat(fd, &st)) < 0)
    return -errno;
  out->size = (uint64_t)st.st_size;
  out->mode = st.st_mode;
  out->device = st.st_dev;
  out->inode = st.st_ino;
  out->blocks = (uint64_t)st.st_blocks;
  out->links = st.st_nlink;
  out->modified_ns = nanoseconds(st.st_mtim.tv_sec, (uint32_t)st.st_mtim.tv_nsec);
  out->block_size = (uint32_t)st.st_blksize;
  out->uid = st.st_uid;
  out->gid = st.st_gid;
  out->dio_memory_align = out->dio_offset_align = MR_DIO_UNKNOWN;
  return 0;
}

int32_t mr_statx_fill(int fd, const char *path, struct mr_stat *out) {
  memset(out, 0, sizeof *out);
  struct statx stx;
  int rc = path ? statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_DIOALIGN, &stx)
                : statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_DIOALIGN, &stx);
  if (rc < 0) {
    if (errno != ENOSYS && errno != EPERM)
      return -errno;
    rc = fill_by_stat(fd, path, out);
    if (rc < 0)
      return rc;
  } else {
    out->size = stx.stx_size;
    out->mode = stx.stx_mode;
    out->device = makedev(stx.stx_dev_major, stx.stx_dev_minor);
    out->inode = stx.stx_ino;
    out->blocks = stx.stx_blocks;
    out->links = stx.stx_nlink;
    out->modified_ns = nanoseconds(stx.stx_mtime.tv_sec, stx.stx_mtime.tv_nsec);
    out->block_size = stx.stx_blksize;
    out->uid = stx.stx_uid;
    out->gid = stx.stx_gid;
    bool said = stx.stx_mask & STATX_DIOALIGN;
    out->dio_memory_align = said ? stx.stx_dio_mem_align : MR_DIO_UNKNOWN;
    out->dio_offset_align = said ? stx.stx_dio_offset_align : MR_DIO_UNKNOWN;
  }
  struct statfs fs;
  if ((path ? statfs(path, &fs) : fstatfs(fd, &fs)) == 0)
    out->fs_type = (uint64_t)(unsigned long)fs.f_type;
  return 0;
}

/* Pipes, sockets, terminals, eventfds (which have no type at all): may never become ready. */
static bool is_stream(int fd) {
  struct stat st;
  if (fstat(fd, &st) < 0)
    return false;
  return !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int32_t transfer(const struct mr_job *job) {
  if (!job->may_block && is_stream(job->fd))
    return MR_RESULT_STREAM;
  const struct mr_op *op = &job->op;
  int64_t n = op->code == MR_READ ? mr_pread(job->fd, (int64_t)op->address, op->length, (int64_t)op->offset)
                                  : mr_pwrite(job->fd, (int64_t)op->address, op->length, (int64_t)op->offset);
  return (int32_t)n;
}

/* A worker must not wait for the other end of a named pipe: nobody could stop it. So nothing is opened
 * blocking (without a reader a pipe gives ENXIO); to files the flag is nothing, and it does not stay. */
static int32_t open_without_wait(const struct mr_op *op) {
  int64_t path = (int64_t)op->address;
  int32_t flags = (int32_t)op->arg, mode = (int32_t)op->arg2;
  int32_t fd = mr_open(path, flags | O_NONBLOCK, mode);
  if (fd == -EAGAIN) /* a lease is being given back: that is bounded */
    return mr_open(path, flags, mode);
  if (fd >= 0 && !(flags & (O_NONBLOCK | O_PATH)))
    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  return fd;
}

int mr_socket_make(const struct mr_op *op) {
  int fd = socket((int)op->arg, (int)op->arg2 | SOCK_CLOEXEC | SOCK_NONBLOCK, (int)op->length);
  return fd < 0 ? -errno : fd;
}

int32_t mr_perform(const struct mr_job *job) {
  const struct mr_op *op = &job->op;
  int64_t address = (int64_t)op->address;
  switch (op->code) {
  case MR_OPEN:
    return open_without_wait(op);
  case MR_CLOSE:
    return mr_close(job->fd);
  case MR_READ:
  case MR_WRITE:
    return transfer(job);
  case MR_FSYNC:
    return mr_fsync(job->fd);
  case MR_FDATASYNC:
    return mr_fdatasync(job->fd);
  case MR_FALLOCATE:
    return mr_fallocate(job->fd, (int32_t)op->arg, (int64_t)op->offset, (int64_t)op->extra);
  case MR_FTRUNCATE:
    return mr_ftruncate(job->fd, (int64_t)op->offset);
  case MR_STATX:
    return mr_statx_fill(job->fd, address_of(op->address), address_of(op->extra));
  case MR_RENAME:
    return mr_rename(address, (int64_t)op->extra, (int32_t)op->arg);
  case MR_UNLINK:
    return mr_unlink(address, (int32_t)op->arg);
  case MR_MKDIR:
    return mr_mkdir(address, (int32_t)op->arg2);
  case MR_SOCKET:
    return mr_socket_make(op);
  default:
    return -EINVAL;
  }
}
