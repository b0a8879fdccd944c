/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a command with calls of io_uring refused by a seccomp filter, as container runtimes do:
 *
 *   deny_uring setup|enter|register|all ERRNO|KILL -- COMMAND [ARGUMENT]...
 *
 * ERRNO is a number or one of EPERM, ENOSYS, EACCES, EINVAL, ENOMEM; KILL ends a process that makes the call.
 * Exit status 64 for wrong usage, 69 where no filter can be installed, else the command's. */
#include "filter.h"

#include <stdio.h>

enum { BAD_USAGE = 64, NO_FILTERS = 69 };

int main(int argc, char **argv) {
  unsigned first, last, answer;
  if (argc < 5 || strcmp(argv[3], "--") != 0 || !filter_calls(argv[1], &first, &last) ||
      !(answer = filter_answer(argv[2]))) {
    fprintf(stderr, "usage: deny_uring setup|enter|register|all ERRNO|KILL -- COMMAND [ARGUMENT]...\n");
    return BAD_USAGE;
  }
  if (!filter_install(first, last, answer)) {
    fprintf(stderr, "deny_uring: no filter can be installed: %s\n", strerror(errno));
    return NO_FILTERS;
  }
  execvp(argv[4], argv + 4);
  fprintf(stderr, "deny_uring: %s: %s\n", argv[4], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}
