/* SPDX-License-Identifier: Apache-2.0 */
/* A library that refuses calls of io_uring to the process that loads it, from then on and to all its threads.
 * MR_DENY_LATER says which, and how, as the arguments of deny_uring do: "enter EPERM". */
#include "filter.h"

#include <stdio.h>

__attribute__((constructor)) static void deny(void) {
  const char *text = getenv("MR_DENY_LATER");
  char calls[16], answer_word[16];
  unsigned first, last, answer;
  if (!text || sscanf(text, "%15s %15s", calls, answer_word) != 2 || !filter_calls(calls, &first, &last) ||
      !(answer = filter_answer(answer_word)) || !filter_install(first, last, answer)) {
    fprintf(stderr, "deny_later: no filter can be installed for \"%s\"\n", text ? text : "");
    abort();
  }
}
