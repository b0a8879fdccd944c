/* SPDX-License-Identifier: Apache-2.0 */
/* What a binding reads at start-up: sizes, offsets, numbers of this processor, names of errors. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct mr_op) == 64, "one cache line");
_Static_assert(sizeof(struct mr_completion) == 16, "fixed by the ABI");
_Static_assert(sizeof(struct mr_stat) == 96, "fixed by the ABI");
_Static_assert(sizeof(void *) == 8, "64-bit only: addresses cross as int64_t");

int32_t mr_abi_version(void) {
  return MR_ABI_VERSION;
}

int64_t mr_constant(int32_t id) {
#define SIZE(name, type)                                                                                     \
  case MR_C_##name##_SIZE:                                                                                   \
    return sizeof(struct type)
#define OP(name, field)                                                                                      \
  case MR_C_OP_##name:                                                                                       \
    return offsetof(struct mr_op, field)
#define SAME(name)                                                                                           \
  case MR_C_##name:                                                                                          \
    return name
  switch (id) {
    SIZE(OP, mr_op);
    SIZE(COMPLETION, mr_completion);
    SIZE(CONFIG, mr_engine_config);
    SIZE(REPORT, mr_engine_report);
    SIZE(STATS, mr_engine_stats);
    SIZE(PROBE, mr_probe);
    SIZE(STAT, mr_stat);
    OP(CODE, code);
    OP(FLAGS, flags);
    OP(FD, fd);
    OP(OFFSET, offset);
    OP(ADDRESS, address);
    OP(LENGTH, length);
    OP(BUFFER, buffer);
    OP(EXTRA, extra);
    OP(ARG, arg);
    OP(ARG2, arg2);
    OP(TOKEN, token);
  case MR_C_COMPLETION_TOKEN:
    return offsetof(struct mr_completion, token);
  case MR_C_COMPLETION_RESULT:
    return offsetof(struct mr_completion, result);
    SAME(O_RDONLY);
    SAME(O_WRONLY);
    SAME(O_RDWR);
    SAME(O_CREAT);
    SAME(O_EXCL);
    SAME(O_TRUNC);
    SAME(O_DIRECT);
    SAME(O_DIRECTORY);
    SAME(O_NOFOLLOW);
    SAME(O_CLOEXEC);
    SAME(O_NONBLOCK);
    SAME(AF_INET);
    SAME(AF_INET6);
    SAME(SOCK_STREAM);
    SAME(POLLIN);
    SAME(POLLOUT);
    SAME(EPERM);
    SAME(ENOENT);
    SAME(EINTR);
    SAME(EIO);
    SAME(EAGAIN);
    SAME(ENOMEM);
    SAME(EACCES);
    SAME(EEXIST);
    SAME(ENOTDIR);
    SAME(EISDIR);
    SAME(EINVAL);
    SAME(ENFILE);
    SAME(EMFILE);
    SAME(EFBIG);
    SAME(ENOSPC);
    SAME(EROFS);
    SAME(ENOSYS);
    SAME(EDQUOT);
    SAME(EOPNOTSUPP);
    SAME(ECANCELED);
    SAME(ETIME);
    SAME(EALREADY);
    SAME(EBADF);
    SAME(EBUSY);
    SAME(ENAMETOOLONG);
    SAME(ELOOP);
  default:
    return INT64_MIN;
  }
#undef SIZE
#undef OP
#undef SAME
}

/* glibc's strerrorname_np would raise the glibc that is needed. */
static const char *error_name(int32_t error) {
#define NAME(e)                                                                                              \
  case e:                                                                                                    \
    return #e
  switch (error) {
    NAME(EPERM);
    NAME(ENOENT);
    NAME(ESRCH);
    NAME(EINTR);
    NAME(EIO);
    NAME(ENXIO);
    NAME(E2BIG);
    NAME(ENOEXEC);
    NAME(EBADF);
    NAME(ECHILD);
    NAME(EAGAIN);
    NAME(ENOMEM);
    NAME(EACCES);
    NAME(EFAULT);
    NAME(ENOTBLK);
    NAME(EBUSY);
    NAME(EEXIST);
    NAME(EXDEV);
    NAME(ENODEV);
    NAME(ENOTDIR);
    NAME(EISDIR);
    NAME(EINVAL);
    NAME(ENFILE);
    NAME(EMFILE);
    NAME(ENOTTY);
    NAME(ETXTBSY);
    NAME(EFBIG);
    NAME(ENOSPC);
    NAME(ESPIPE);
    NAME(EROFS);
    NAME(EMLINK);
    NAME(EPIPE);
    NAME(EDOM);
    NAME(ERANGE);
    NAME(EDEADLK);
    NAME(ENAMETOOLONG);
    NAME(ENOLCK);
    NAME(ENOSYS);
    NAME(ENOTEMPTY);
    NAME(ELOOP);
    NAME(ENODATA);
    NAME(ETIME);
    NAME(ENOLINK);
    NAME(EPROTO);
    NAME(EBADMSG);
    NAME(EOVERFLOW);
    NAME(EBADFD);
    NAME(EILSEQ);
    NAME(EUSERS);
    NAME(ENOTSOCK);
    NAME(EDESTADDRREQ);
    NAME(EMSGSIZE);
    NAME(EPROTOTYPE);
    NAME(ENOPROTOOPT);
    NAME(EPROTONOSUPPORT);
    NAME(ESOCKTNOSUPPORT);
    NAME(EOPNOTSUPP);
    NAME(EPFNOSUPPORT);
    NAME(EAFNOSUPPORT);
    NAME(EADDRINUSE);
    NAME(EADDRNOTAVAIL);
    NAME(ENETDOWN);
    NAME(ENETUNREACH);
    NAME(ENETRESET);
    NAME(ECONNABORTED);
    NAME(ECONNRESET);
    NAME(ENOBUFS);
    NAME(EISCONN);
    NAME(ENOTCONN);
    NAME(ESHUTDOWN);
    NAME(ETOOMANYREFS);
    NAME(ETIMEDOUT);
    NAME(ECONNREFUSED);
    NAME(EHOSTDOWN);
    NAME(EHOSTUNREACH);
    NAME(EALREADY);
    NAME(EINPROGRESS);
    NAME(ESTALE);
    NAME(EUCLEAN);
    NAME(EREMOTEIO);
    NAME(EDQUOT);
    NAME(ENOMEDIUM);
    NAME(EMEDIUMTYPE);
    NAME(ECANCELED);
    NAME(ENOKEY);
    NAME(EKEYEXPIRED);
    NAME(EKEYREVOKED);
    NAME(EKEYREJECTED);
    NAME(EOWNERDEAD);
    NAME(ENOTRECOVERABLE);
    NAME(ERFKILL);
    NAME(EHWPOISON);
  default:
    return NULL;
  }
#undef NAME
}

int32_t mr_errno_name(int32_t error, int64_t out, int32_t capacity) {
  const char *name = error_name(error < 0 && error != INT32_MIN ? -error : error);
  if (!name || !out || capacity <= 0)
    return 0;
  int32_t length = (int32_t)strlen(name);
  if (length >= capacity)
    return 0;
  memcpy((void *)(uintptr_t)out, name, (size_t)length + 1);
  return length;
}
