/* SPDX-License-Identifier: Apache-2.0 */
/* Which operation records are well-formed: one answer for both engines. What only the kernel can know (a bad
 * descriptor, a bad address, an unaligned direct transfer) is left to it. */
#include "internal.h"

#include <errno.h>
#include <sys/socket.h>

#define BIT(code) (1u << (code))

#define TAKES_FD                                                                                             \
  (BIT(MR_READ) | BIT(MR_WRITE) | BIT(MR_FSYNC) | BIT(MR_FDATASYNC) | BIT(MR_FALLOCATE) |                    \
   BIT(MR_FTRUNCATE) | BIT(MR_CONNECT) | BIT(MR_RECV) | BIT(MR_SEND) | BIT(MR_POLL))

int mr_op_check(const struct mr_engine *engine, const struct mr_op *op) {
  if (op->code >= MR_OP_CODES || op->token >= MR_TOKEN_INTERNAL)
    return -EINVAL;
  if (op->flags) {
    if (op->flags & ~(MR_OP_FIXED_BUFFER | MR_OP_FIXED_FILE))
      return -EINVAL;
    /* A registered slot cannot be closed like a descriptor, nor does the kernel's statx take one. */
    if ((op->flags & MR_OP_FIXED_FILE) && !(BIT(op->code) & TAKES_FD))
      return -EINVAL;
    if ((op->flags & MR_OP_FIXED_BUFFER) && op->code != MR_READ && op->code != MR_WRITE)
      return -EINVAL;
    if ((op->flags & MR_OP_FIXED_BUFFER) && engine->kind == MR_ENGINE_IO_URING &&
        op->buffer >= engine->stats.buffers)
      return -EINVAL;
  }
  bool bad = false;
  switch (op->code) {
  case MR_READ:
  case MR_WRITE:
    /* Offset -1 would be the file's own position: only positional transfers are made. */
    bad = op->length > MR_MAX_TRANSFER || (op->length && !op->address) || op->offset > INT64_MAX;
    break;
  case MR_RECV:
    bad = op->length > MR_MAX_TRANSFER || (op->length && !op->address) || (op->arg & ~MR_RECV_WAITALL);
    break;
  case MR_SEND:
    bad = op->length > MR_MAX_TRANSFER || (op->length && !op->address) || op->arg;
    break;
  case MR_OPEN:
  case MR_MKDIR:
    bad = !op->address;
    break;
  case MR_UNLINK:
    bad = !op->address || (op->arg & ~MR_UNLINK_DIR);
    break;
  case MR_RENAME:
    bad = !op->address || !op->extra || (op->arg & ~MR_RENAME_NOREPLACE);
    break;
  case MR_STATX:
    bad = !op->extra;
    break;
  case MR_FALLOCATE:
    bad = op->offset > INT64_MAX || op->extra > INT64_MAX;
    break;
  case MR_POLL:
    /* Above are the flags of epoll_ctl, which mean something else to each engine. */
    bad = op->arg > UINT16_MAX;
    break;
  case MR_FTRUNCATE:
  case MR_TIMEOUT:
    bad = op->offset > INT64_MAX;
    break;
  case MR_CONNECT:
    bad = !op->address || op->length > sizeof(struct sockaddr_storage);
    break;
  default:
    break;
  }
  return bad ? -EINVAL : 0;
}
