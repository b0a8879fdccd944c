/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the installed liburing or the C library may lack. Macros are guarded; opcodes and register codes are
 * enums in liburing's header, which no #ifndef sees, so they carry names of our own. Every one of these is
 * probed before it is used: a header that knows a flag says nothing about the kernel.
 */
#ifndef MR_COMPAT_H
#define MR_COMPAT_H

#include <liburing.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define MR_IORING_OP_FTRUNCATE 55 /* Linux 6.9 */

#ifndef IORING_ENTER_NO_IOWAIT
#define IORING_ENTER_NO_IOWAIT (1U << 7) /* Linux 6.15 */
#endif
#ifndef IORING_FEAT_NO_IOWAIT
#define IORING_FEAT_NO_IOWAIT (1U << 17)
#endif

#ifndef __NR_epoll_pwait2
#define __NR_epoll_pwait2 441 /* Linux 5.11, the same number everywhere */
#endif

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN 0x2000U /* Linux 6.1 */
#endif

#endif
