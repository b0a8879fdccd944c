/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line says, and how the program ends when it cannot go on. */
#ifndef LIMIT_OPTIONS_H
#define LIMIT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct options {
  const char *host;
  const char *port;
  const char *dir;
  const char **paths; /* cycled when there are fewer than objects */
  size_t path_count;
  size_t objects;
  unsigned connections;
  size_t buffer_bytes;
  unsigned repeat;
  bool waitall;    /* a recv completes when its buffer is full, not at whatever has come */
  bool poll_first; /* a recv waits before it tries */
  bool ring_fsync; /* fsync through the ring (on a kernel worker) instead of on the one thread */
  bool publish;    /* write to a temporary name, rename, fsync the folder */
  bool discard;    /* remove each file once it is synced */
  bool json;
};

void options_parse(int argc, char **argv, struct options *options);

/* Prints "limit: " and the sentence to stderr and exits with 1. `error` is an errno that ends it, or 0. */
_Noreturn void fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Memory or the end of the program. */
void *allocate(size_t count, size_t size);

#endif
