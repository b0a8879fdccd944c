/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a command with calls of io_uring refused by a seccomp filter, as container runtimes do:
 *
 *   deny_uring setup|enter|register|all ERRNO|KILL -- COMMAND [ARGUMENT]...
 *
 * ERRNO is a number or one of EPERM, ENOSYS, EACCES, EINVAL, ENOMEM; KILL ends a process that makes the call.
 * Exit status 64 for wrong usage, 69 where no filter can be installed, else the command's. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BAD_USAGE = 64, NO_FILTERS = 69 };

static unsigned parse_answer(const char *text) {
  static const struct {
    const char *name;
    int error;
  } known[] = {
      {"EPERM", EPERM}, {"ENOSYS", ENOSYS}, {"EACCES", EACCES}, {"EINVAL", EINVAL}, {"ENOMEM", ENOMEM}};
  if (strcmp(text, "KILL") == 0)
    return SECCOMP_RET_KILL_PROCESS;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(text, known[i].name) == 0)
      return SECCOMP_RET_ERRNO | (unsigned)known[i].error;
  char *end;
  long number = strtol(text, &end, 10);
  return *end || number < 1 || number > 4095 ? 0 : SECCOMP_RET_ERRNO | (unsigned)number;
}

static int usage(void) {
  fprintf(stderr, "usage: deny_uring setup|enter|register|all ERRNO|KILL -- COMMAND [ARGUMENT]...\n");
  return BAD_USAGE;
}

int main(int argc, char **argv) {
  if (argc < 5 || strcmp(argv[3], "--") != 0)
    return usage();
  int all = strcmp(argv[1], "all") == 0;
  int call = strcmp(argv[1], "setup") == 0      ? __NR_io_uring_setup
             : strcmp(argv[1], "enter") == 0    ? __NR_io_uring_enter
             : strcmp(argv[1], "register") == 0 ? __NR_io_uring_register
                                                : -1;
  unsigned answer = parse_answer(argv[2]);
  if ((!all && call < 0) || !answer)
    return usage();
  /* The three have numbers in a row, setup first, the same on every processor. */
  unsigned first = all ? __NR_io_uring_setup : (unsigned)call;
  unsigned last = all ? __NR_io_uring_register : (unsigned)call;
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, answer),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
    fprintf(stderr, "deny_uring: no filter can be installed: %s\n", strerror(errno));
    return NO_FILTERS;
  }
  execvp(argv[4], argv + 4);
  fprintf(stderr, "deny_uring: %s: %s\n", argv[4], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}
