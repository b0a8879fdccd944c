/* SPDX-License-Identifier: Apache-2.0 */
/* A table of registered files in user space: for the epoll engine, and for operations that a ring's kernel
 * lacks. Behaves as the kernel's: it holds files of its own, and one in use outlives its slot. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int mr_files_create(struct mr_files *files, uint32_t count) {
  if (files->slot)
    return -EBUSY;
  files->slot = calloc(count, sizeof *files->slot);
  if (!files->slot)
    return -ENOMEM;
  files->count = count;
  return 0;
}

static void close_unused(struct mr_file *file) {
  if (file->users == 0 && file->removed) {
    close(file->fd);
    free(file);
  }
}

static void clear(struct mr_files *files, uint32_t slot) {
  struct mr_file *file = files->slot[slot];
  if (!file)
    return;
  files->slot[slot] = NULL;
  file->removed = true;
  close_unused(file);
}

int mr_files_update(struct mr_files *files, uint32_t slot, int fd) {
  if (!files->slot)
    return -ENXIO;
  if (slot >= files->count)
    return -EINVAL;
  struct mr_file *file = NULL;
  if (fd >= 0) {
    file = calloc(1, sizeof *file);
    if (!file)
      return -ENOMEM;
    file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (file->fd < 0) {
      int error = errno;
      free(file);
      return -error;
    }
  }
  clear(files, slot);
  files->slot[slot] = file;
  return 0;
}

struct mr_file *mr_files_get(struct mr_files *files, int32_t slot) {
  if (slot < 0 || (uint32_t)slot >= files->count || !files->slot[slot])
    return NULL;
  files->slot[slot]->users++;
  return files->slot[slot];
}

void mr_files_put(struct mr_file *file) {
  file->users--;
  close_unused(file);
}

void mr_files_free(struct mr_files *files) {
  for (uint32_t i = 0; i < files->count; i++)
    clear(files, i);
  free(files->slot);
  files->slot = NULL;
  files->count = 0;
}
