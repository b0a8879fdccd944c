/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fail(int error, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fflush(stdout);
  fputs("limit: ", stderr);
  vfprintf(stderr, format, arguments);
  if (error)
    fprintf(stderr, ": %s", strerror(error));
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory)
    fail(ENOMEM, "%zu items of %zu bytes could not be allocated", count, size);
  return memory;
}

static const char usage[] =
    "usage: limit --host HOST --port PORT --dir OUT [options] PATH... | --paths-from FILE\n"
    "\n"
    "Downloads objects over HTTP/1.1 with one io_uring on one thread, straight into registered buffers and\n"
    "from there to files with direct I/O, each synced: the least that such a download can cost.\n"
    "\n"
    "  --connections N     downloads at once (1)\n"
    "  --buffer-kib K      size of each of the two buffers of a connection (1024)\n"
    "  --objects K         how many objects a round downloads; the paths are cycled (as many as there are "
    "paths)\n"
    "  --paths-from FILE   one URL path a line\n"
    "  --repeat R          rounds (1); the first of several is cold\n"
    "  --waitall           recv with MSG_WAITALL\n"
    "  --poll-first        recv with IORING_RECVSEND_POLL_FIRST\n"
    "  --ring-fsync        fsync through the ring, where a kernel worker does it\n"
    "  --publish           temporary name, rename, fsync of the folder, as a product must\n"
    "  --discard           remove each file once it is synced; this costs throughput, most on a file system "
    "that\n"
    "                      is mounted with discard: compare only with what removes its files too\n"
    "  --json              one JSON object a round\n";

static size_t number(const char *name, const char *text, size_t least, size_t most) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno || end == text || *end || text[0] == '-' || value < least || value > most)
    fail(0, "--%s must be a number from %zu to %zu, not \"%s\"", name, least, most, text);
  return (size_t)value;
}

static void add_path(struct options *options, const char *path) {
  if (path[0] != '/')
    fail(0, "a path must begin with a slash: \"%s\"", path);
  for (const char *c = path; *c; c++)
    if (*c <= ' ' || *c == 127)
      fail(0, "a path must be URL-encoded, without spaces and control characters: \"%s\"", path);
  const char **grown = realloc(options->paths, (options->path_count + 1) * sizeof *grown);
  if (!grown)
    fail(ENOMEM, "the list of paths could not grow");
  options->paths = grown;
  options->paths[options->path_count++] = path;
}

static void read_paths(struct options *options, const char *name) {
  FILE *file = fopen(name, "r");
  if (!file)
    fail(errno, "the list of paths %s could not be opened", name);
  char *line = NULL;
  size_t capacity = 0;
  while (getline(&line, &capacity, file) >= 0) {
    line[strcspn(line, "\r\n")] = 0;
    if (!*line)
      continue;
    char *path = strdup(line);
    if (!path)
      fail(ENOMEM, "a path could not be kept");
    add_path(options, path);
  }
  if (ferror(file))
    fail(errno, "the list of paths %s could not be read", name);
  free(line);
  fclose(file);
}

enum {
  OPT_HOST = 256,
  OPT_PORT,
  OPT_CONNECTIONS,
  OPT_BUFFER,
  OPT_DIR,
  OPT_REPEAT,
  OPT_PATHS,
  OPT_OBJECTS,
  OPT_WAITALL,
  OPT_POLL_FIRST,
  OPT_RING_FSYNC,
  OPT_PUBLISH,
  OPT_DISCARD,
  OPT_JSON,
  OPT_HELP
};

static const struct option known[] = {
    {"host", required_argument, NULL, OPT_HOST},
    {"port", required_argument, NULL, OPT_PORT},
    {"connections", required_argument, NULL, OPT_CONNECTIONS},
    {"buffer-kib", required_argument, NULL, OPT_BUFFER},
    {"dir", required_argument, NULL, OPT_DIR},
    {"repeat", required_argument, NULL, OPT_REPEAT},
    {"paths-from", required_argument, NULL, OPT_PATHS},
    {"objects", required_argument, NULL, OPT_OBJECTS},
    {"waitall", no_argument, NULL, OPT_WAITALL},
    {"poll-first", no_argument, NULL, OPT_POLL_FIRST},
    {"ring-fsync", no_argument, NULL, OPT_RING_FSYNC},
    {"publish", no_argument, NULL, OPT_PUBLISH},
    {"discard", no_argument, NULL, OPT_DISCARD},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {0},
};

void options_parse(int argc, char **argv, struct options *options) {
  *options =
      (struct options){.host = "127.0.0.1", .connections = 1, .buffer_bytes = 1024 * 1024, .repeat = 1};
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    switch (option) {
    case OPT_HOST:
      options->host = optarg;
      break;
    case OPT_PORT:
      number("port", optarg, 1, 65535);
      options->port = optarg;
      break;
    case OPT_CONNECTIONS:
      options->connections = (unsigned)number("connections", optarg, 1, 4096);
      break;
    case OPT_BUFFER:
      options->buffer_bytes = number("buffer-kib", optarg, 16, 65536) * 1024;
      if (options->buffer_bytes % 4096)
        fail(0, "--buffer-kib must be a multiple of 4, as direct I/O needs whole blocks");
      break;
    case OPT_DIR:
      options->dir = optarg;
      break;
    case OPT_REPEAT:
      options->repeat = (unsigned)number("repeat", optarg, 1, 1000000);
      break;
    case OPT_PATHS:
      read_paths(options, optarg);
      break;
    case OPT_OBJECTS:
      options->objects = number("objects", optarg, 1, 100000000);
      break;
    case OPT_WAITALL:
      options->waitall = true;
      break;
    case OPT_POLL_FIRST:
      options->poll_first = true;
      break;
    case OPT_RING_FSYNC:
      options->ring_fsync = true;
      break;
    case OPT_PUBLISH:
      options->publish = true;
      break;
    case OPT_DISCARD:
      options->discard = true;
      break;
    case OPT_JSON:
      options->json = true;
      break;
    case OPT_HELP:
      fputs(usage, stdout);
      exit(0);
    default:
      fputs(usage, stderr);
      exit(1);
    }
  }
  for (; optind < argc; optind++)
    add_path(options, argv[optind]);
  if (!options->port)
    fail(0, "--port is missing; --help shows all options");
  if (!options->dir)
    fail(0, "--dir is missing; --help shows all options");
  if (options->path_count == 0)
    fail(0, "there is no path to download; --help shows all options");
  if (options->objects == 0)
    options->objects = options->path_count;
}
