/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "measure.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* User and system time of this process, its kernel workers included. */
static double cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static unsigned count_workers(void) {
  DIR *tasks = opendir("/proc/self/task");
  if (!tasks)
    fail(errno, "/proc/self/task could not be listed");
  unsigned count = 0;
  for (struct dirent *entry; (entry = readdir(tasks));) {
    char name[300], comm[32] = "";
    snprintf(name, sizeof name, "/proc/self/task/%s/comm", entry->d_name);
    FILE *file = entry->d_name[0] == '.' ? NULL : fopen(name, "r");
    if (!file)
      continue;
    if (fgets(comm, sizeof comm, file) && strncmp(comm, "iou-wrk", 7) == 0)
      count++;
    fclose(file);
  }
  closedir(tasks);
  return count;
}

/* KiB of this process's memory that lie on huge pages. */
static unsigned long huge_kib(void) {
  FILE *file = fopen("/proc/self/smaps_rollup", "r");
  unsigned long kib = 0;
  char line[256];
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "AnonHugePages: %lu kB", &kib) == 1)
      break;
  if (file)
    fclose(file);
  return kib;
}

static void look(struct measure *measure, double time) {
  unsigned workers = count_workers();
  if (workers > measure->kernel_workers)
    measure->kernel_workers = workers;
  measure->workers_looked = time;
}

void measure_workers(struct measure *measure) {
  double time = now();
  if (time - measure->workers_looked >= 1)
    look(measure, time);
}

void measure_start(struct measure *measure) {
  memset(measure, 0, sizeof *measure);
  measure->cpu_started = cpu();
  measure->started = measure->workers_looked = now();
}

void measure_stop(struct measure *measure) {
  double time = now();
  measure->seconds = time - measure->started;
  measure->cpu_seconds = cpu() - measure->cpu_started;
  look(measure, time);
}

void measure_print(const struct measure *measure, const struct options *options, unsigned round) {
  double mb_per_second = (double)measure->bytes / 1e6 / measure->seconds;
  double gib = (double)measure->bytes / (1 << 30);
  double cpu_per_gib = gib > 0 ? measure->cpu_seconds / gib : 0;
  const char *cold = round == 0 && options->repeat > 1 ? " cold" : "";
  if (options->json)
    printf("{\"program\": \"limit\", \"round\": %u, \"cold\": %s, \"connections\": %u, \"buffer_kib\": %zu, "
           "\"waitall\": %s, \"poll_first\": %s, \"fsync\": \"%s\", \"publish\": %s, \"discard\": %s, "
           "\"huge_kib\": %lu, \"objects\": %lu, \"bytes\": %lu, \"seconds\": %.6f, \"cpu_seconds\": %.6f, "
           "\"mb_per_second\": %.1f, \"cpu_seconds_per_gib\": %.4f, \"enters\": %lu, \"completions\": %lu, "
           "\"receives\": %lu, \"fixed_writes\": %lu, \"kernel_workers\": %u}\n",
           round, *cold ? "true" : "false", options->connections, options->buffer_bytes / 1024,
           options->waitall ? "true" : "false", options->poll_first ? "true" : "false",
           options->ring_fsync ? "ring" : "call", options->publish ? "true" : "false",
           options->discard ? "true" : "false", huge_kib(), measure->objects, measure->bytes,
           measure->seconds, measure->cpu_seconds, mb_per_second, cpu_per_gib, measure->enters,
           measure->completions, measure->receives, measure->fixed_writes, measure->kernel_workers);
  else
    printf("round %u%s: %lu objects, %.0f MB/s, %.3f CPU s/GiB; %lu enters, %lu completions, %lu receives, "
           "%lu fixed writes, %u kernel workers; %u connections, buffers of %zu KiB, %lu MiB on huge "
           "pages%s%s\n",
           round, cold, measure->objects, mb_per_second, cpu_per_gib, measure->enters, measure->completions,
           measure->receives, measure->fixed_writes, measure->kernel_workers, options->connections,
           options->buffer_bytes / 1024, huge_kib() / 1024, options->waitall ? ", waitall" : "",
           options->poll_first ? ", poll first" : "");
  fflush(stdout);
}
