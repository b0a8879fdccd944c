/* SPDX-License-Identifier: Apache-2.0 */
/* What a round cost, and how it is told. */
#ifndef LIMIT_MEASURE_H
#define LIMIT_MEASURE_H

#include "options.h"

#include <stdint.h>

struct measure {
  double started, seconds; /* from the first request to the last fsync */
  double cpu_started, cpu_seconds;
  uint64_t bytes, objects;
  uint64_t enters;      /* calls of io_uring_enter */
  uint64_t completions; /* of all operations */
  uint64_t receives;
  uint64_t fixed_writes;
  unsigned kernel_workers; /* most iou-wrk threads seen at once */
  double workers_looked;
};

void measure_start(struct measure *measure);
void measure_stop(struct measure *measure);

/* Counts the kernel's worker threads, at most once a second: they linger for five when they have nothing to
 * do. */
void measure_workers(struct measure *measure);

void measure_print(const struct measure *measure, const struct options *options, unsigned round);

#endif
