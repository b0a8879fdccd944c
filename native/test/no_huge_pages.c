/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a command to which the kernel gives no huge pages, whatever it asks for:
 *
 *   no_huge_pages COMMAND [ARGUMENT]... */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: no_huge_pages COMMAND [ARGUMENT]...\n");
    return 64;
  }
  if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)) { /* kept across execve */
    fprintf(stderr, "no_huge_pages: %s\n", strerror(errno));
    return 69;
  }
  execvp(argv[1], argv + 1);
  fprintf(stderr, "no_huge_pages: %s: %s\n", argv[1], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}
