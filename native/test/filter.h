/* SPDX-License-Identifier: Apache-2.0 */
/* A seccomp filter that answers calls of io_uring, as those of container runtimes do. */
#ifndef MR_FILTER_H
#define MR_FILTER_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* setup, enter, register or all; false for another word. The three have numbers in a row, setup first, the
 * same on every processor. */
static inline bool filter_calls(const char *word, unsigned *first, unsigned *last) {
  *first = *last = strcmp(word, "setup") == 0      ? __NR_io_uring_setup
                   : strcmp(word, "enter") == 0    ? __NR_io_uring_enter
                   : strcmp(word, "register") == 0 ? __NR_io_uring_register
                                                   : 0;
  if (strcmp(word, "all") == 0) {
    *first = __NR_io_uring_setup;
    *last = __NR_io_uring_register;
  }
  return *first != 0;
}

/* A number, KILL (ends a process that makes the call), or one of these names; 0 for another word. */
static inline unsigned filter_answer(const char *word) {
  static const struct {
    const char *name;
    int error;
  } known[] = {
      {"EPERM", EPERM}, {"ENOSYS", ENOSYS}, {"EACCES", EACCES}, {"EINVAL", EINVAL}, {"ENOMEM", ENOMEM}};
  if (strcmp(word, "KILL") == 0)
    return SECCOMP_RET_KILL_PROCESS;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(word, known[i].name) == 0)
      return SECCOMP_RET_ERRNO | (unsigned)known[i].error;
  char *end;
  long number = strtol(word, &end, 10);
  return *end || number < 1 || number > 4095 ? 0 : SECCOMP_RET_ERRNO | (unsigned)number;
}

/* For all threads of this process and what it executes, for good. False where no filter can be installed. */
static inline bool filter_install(unsigned first, unsigned last, unsigned answer) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, answer),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

#endif
