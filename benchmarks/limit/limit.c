/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit: what a download to disk costs when nothing is in the way. One io_uring, one thread. Each
 * connection has two registered buffers on huge pages; recv puts the bytes into one of them while the other,
 * full, is being written to the file by a fixed-buffer direct write. No byte is copied in user space, but the
 * few that come with the head.
 *
 * It is a limit to measure against, not a client: no TLS, no chunked bodies, no retry; any error ends it.
 * Without --publish a file is written under its final name, and the folder is not synced: this is not needed
 * for the limit. With it, the program does what a product must: temporary name, rename, fsync of the folder.
 *
 * One object goes through: begin -> on_head -> (on_body -> write_out -> on_written)... -> finish -> begin.
 */
#define _GNU_SOURCE
#include "http.h"
#include "measure.h"
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK 4096u
#define HUGE_PAGE (2u << 20)
#define HEAD_READ 4096u /* enough for any usual head, little enough that its body bytes are cheap to move */
#define REQUEST_MAX 4096u

/* What a completion belongs to: the connection's number, and in the low byte one of these. */
enum event { SENT, HEAD, BODY, WRITTEN_0, WRITTEN_1, SYNCED };

struct write {
  bool busy;
  size_t length, done; /* length in whole blocks */
  uint64_t offset;
};

struct connection {
  unsigned number;
  int socket, file;
  char *request; /* must stay as it is until it is sent */
  size_t request_length;

  size_t object;
  uint64_t length, received; /* of the body */
  uint64_t offset;           /* where in the file the buffer that is being filled begins */
  unsigned filling;          /* which of the two buffers */
  size_t filled;
  bool receiving;
  struct write writes[2];
};

static struct options options;
static struct measure measured;
static struct io_uring ring;
static struct connection *connections;
static char *buffers;
static int folder;
static size_t next_object;
static unsigned active;

static char *buffer_of(const struct connection *c, unsigned which) {
  return buffers + ((size_t)c->number * 2 + which) * options.buffer_bytes;
}

static const char *path_of(const struct connection *c) {
  return options.paths[c->object % options.path_count];
}

static const char *file_name(size_t object, bool temporary, char name[64]) {
  snprintf(name, 64, "limit-%zu%s", object, temporary ? ".part" : "");
  return name;
}

static size_t whole_blocks(size_t bytes) {
  return (bytes + BLOCK - 1) & ~(size_t)(BLOCK - 1);
}

/* ------------------------------------------------------------------ putting operations into the ring */

static void enter(unsigned wait_for) {
  int result;
  do {
    result = io_uring_submit_and_wait(&ring, wait_for);
    measured.enters++;
  } while (result == -EINTR);
  if (result < 0)
    fail(-result, "io_uring_enter refused a batch");
}

static struct io_uring_sqe *next_sqe(void) {
  struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
  if (!sqe) {
    enter(0);
    sqe = io_uring_get_sqe(&ring);
  }
  if (!sqe)
    fail(0, "the ring has no free entry though all were submitted");
  return sqe;
}

static void tag(struct io_uring_sqe *sqe, const struct connection *c, enum event event) {
  io_uring_sqe_set_data64(sqe, (uint64_t)c->number << 8 | event);
}

static void receive(struct connection *c, enum event event, size_t bytes) {
  struct io_uring_sqe *sqe = next_sqe();
  bool whole = options.waitall && event == BODY;
  io_uring_prep_recv(sqe, c->socket, buffer_of(c, c->filling) + c->filled, bytes, whole ? MSG_WAITALL : 0);
  /* The server cannot have answered yet, so that to try for the head at once would be in vain. */
  if (options.poll_first || event == HEAD)
    sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
  tag(sqe, c, event);
  c->receiving = true;
  measured.receives++;
}

static void receive_head(struct connection *c) {
  receive(c, HEAD, (c->filled < HEAD_READ ? HEAD_READ : HTTP_HEAD_MAX) - c->filled);
}

static void receive_body(struct connection *c) {
  uint64_t missing = c->length - c->received;
  size_t room = options.buffer_bytes - c->filled;
  receive(c, BODY, missing < room ? (size_t)missing : room);
}

static void write_rest(struct connection *c, unsigned which) {
  struct write *w = &c->writes[which];
  struct io_uring_sqe *sqe = next_sqe();
  io_uring_prep_write_fixed(sqe, c->file, buffer_of(c, which) + w->done, (unsigned)(w->length - w->done),
                            w->offset + w->done, (int)(c->number * 2 + which));
  tag(sqe, c, which == 0 ? WRITTEN_0 : WRITTEN_1);
  measured.fixed_writes++;
}

/* ------------------------------------------------------------------ one object */

static void open_file(struct connection *c) {
  char name[64];
  file_name(c->object, options.publish, name);
  c->file = openat(folder, name, O_CREAT | O_EXCL | O_WRONLY | O_DIRECT | O_CLOEXEC, 0644);
  if (c->file < 0)
    fail(errno, "%s/%s could not be created for direct I/O", options.dir, name);
  /* Mode 0 sets the length, so that no write extends the file: those that do go to kernel workers. */
  if (c->length && fallocate(c->file, 0, 0, (off_t)whole_blocks(c->length)))
    fail(errno, "%lu bytes for %s/%s could not be reserved", c->length, options.dir, name);
}

static void begin(struct connection *c) {
  if (next_object == options.objects) {
    active--;
    return;
  }
  c->object = next_object++;
  c->length = c->received = c->offset = 0;
  c->filling = 0;
  c->filled = 0;
  int length = snprintf(c->request, REQUEST_MAX, "GET %s HTTP/1.1\r\nHost: %s:%s\r\n\r\n", path_of(c),
                        options.host, options.port);
  if (length < 0 || (unsigned)length >= REQUEST_MAX)
    fail(0, "the path is too long: %s", path_of(c));
  c->request_length = (size_t)length;
  struct io_uring_sqe *sqe = next_sqe();
  io_uring_prep_send(sqe, c->socket, c->request, c->request_length, MSG_NOSIGNAL | MSG_WAITALL);
  tag(sqe, c, SENT);
  receive_head(c);
}

/* The object is durable. */
static void complete(struct connection *c) {
  char name[64], temporary[64];
  file_name(c->object, false, name);
  if (options.publish) {
    if (renameat(folder, file_name(c->object, true, temporary), folder, name))
      fail(errno, "%s/%s could not be renamed to %s", options.dir, temporary, name);
    if (fsync(folder))
      fail(errno, "the folder %s could not be synced", options.dir);
  }
  if (options.discard && unlinkat(folder, name, 0))
    fail(errno, "%s/%s could not be removed", options.dir, name);
  if (close(c->file))
    fail(errno, "%s/%s could not be closed", options.dir, name);
  measured.bytes += c->length;
  measured.objects++;
  measure_workers(&measured);
  begin(c);
}

/* All bytes are written. */
static void finish(struct connection *c) {
  char name[64];
  file_name(c->object, options.publish, name);
  if (c->length % BLOCK && ftruncate(c->file, (off_t)c->length))
    fail(errno, "%s/%s could not be cut to its %lu bytes", options.dir, name, c->length);
  if (options.ring_fsync) {
    struct io_uring_sqe *sqe = next_sqe();
    io_uring_prep_fsync(sqe, c->file, 0);
    tag(sqe, c, SYNCED);
    return;
  }
  if (fsync(c->file))
    fail(errno, "%s/%s could not be synced", options.dir, name);
  complete(c);
}

/* Starts the write of the buffer that is being filled, padded to whole blocks, and turns to the other one. */
static void write_out(struct connection *c) {
  size_t padded = whole_blocks(c->filled);
  memset(buffer_of(c, c->filling) + c->filled, 0, padded - c->filled);
  c->writes[c->filling] = (struct write){.busy = true, .length = padded, .offset = c->offset};
  write_rest(c, c->filling);
  c->offset += c->filled;
  c->filling ^= 1;
  c->filled = 0;
}

/* Body bytes have come in: the buffer goes out if it is full or the last, and the next bytes are asked for.
 */
static void advance(struct connection *c) {
  if (c->filled && (c->filled == options.buffer_bytes || c->received == c->length))
    write_out(c);
  if (c->received < c->length && !c->writes[c->filling].busy)
    receive_body(c);
}

/* ------------------------------------------------------------------ completions */

static void on_sent(struct connection *c, int result) {
  if (result < 0)
    fail(-result, "the request for %s could not be sent", path_of(c));
  if ((size_t)result != c->request_length)
    fail(0, "only %d of %zu bytes of the request for %s were sent", result, c->request_length, path_of(c));
}

static void on_head(struct connection *c, int result) {
  c->receiving = false;
  if (result < 0)
    fail(-result, "the head of %s could not be received", path_of(c));
  if (result == 0)
    fail(0, "the server closed the connection before the head of %s was whole", path_of(c));
  c->filled += (size_t)result;

  struct http_head head;
  const char *why;
  char *bytes = buffer_of(c, c->filling);
  switch (http_parse(bytes, c->filled, &head, &why)) {
  case HTTP_INCOMPLETE:
    receive_head(c);
    return;
  case HTTP_REFUSED:
    fail(0, "the answer for %s is not understood: %s", path_of(c), why);
  case HTTP_COMPLETE:
    break;
  }
  if (head.status != 200)
    fail(0, "the server answered %d for %s", head.status, path_of(c));
  size_t body = c->filled - head.head_bytes;
  if (body > head.content_length)
    fail(0, "the server sent more than the %lu bytes of %s", head.content_length, path_of(c));
  memmove(bytes, bytes + head.head_bytes, body);
  c->length = head.content_length;
  c->received = c->filled = body;
  open_file(c);
  if (c->length == 0)
    finish(c);
  else
    advance(c);
}

static void on_body(struct connection *c, int result) {
  c->receiving = false;
  if (result < 0)
    fail(-result, "%s could not be received past byte %lu", path_of(c), c->received);
  if (result == 0)
    fail(0, "the server closed the connection after %lu of %lu bytes of %s", c->received, c->length,
         path_of(c));
  c->received += (size_t)result;
  c->filled += (size_t)result;
  advance(c);
}

static void on_written(struct connection *c, unsigned which, int result) {
  struct write *w = &c->writes[which];
  if (result < 0)
    fail(-result, "%s could not be written at byte %lu", path_of(c), w->offset + w->done);
  /* A short write goes on from the last whole block. */
  size_t progress = (size_t)result & ~(size_t)(BLOCK - 1);
  if (progress == 0)
    fail(0, "a write of %s at byte %lu made no progress", path_of(c), w->offset + w->done);
  w->done += progress;
  if (w->done < w->length) {
    write_rest(c, which);
    return;
  }
  w->busy = false;
  if (c->received < c->length) {
    if (!c->receiving && !c->writes[c->filling].busy)
      receive_body(c);
  } else if (!c->writes[0].busy && !c->writes[1].busy) {
    finish(c);
  }
}

static void on_completion(uint64_t data, int result) {
  struct connection *c = &connections[data >> 8];
  switch ((enum event)(data & 0xff)) {
  case SENT:
    on_sent(c, result);
    break;
  case HEAD:
    on_head(c, result);
    break;
  case BODY:
    on_body(c, result);
    break;
  case WRITTEN_0:
    on_written(c, 0, result);
    break;
  case WRITTEN_1:
    on_written(c, 1, result);
    break;
  case SYNCED:
    if (result < 0)
      fail(-result, "%s could not be synced", path_of(c));
    complete(c);
    break;
  }
}

static void run_round(void) {
  next_object = 0;
  measure_start(&measured);
  active = options.connections;
  for (unsigned i = 0; i < options.connections; i++)
    begin(&connections[i]);
  while (active > 0) {
    enter(1);
    /* The ring holds all that can be in flight, so a completion may be handled before its place is given
     * back. */
    struct io_uring_cqe *cqe;
    unsigned head, count = 0;
    io_uring_for_each_cqe(&ring, head, cqe) {
      on_completion(cqe->user_data, cqe->res);
      count++;
    }
    io_uring_cq_advance(&ring, count);
    measured.completions += count;
  }
  measure_stop(&measured);
}

/* ------------------------------------------------------------------ setting up */

/* At most four operations of a connection are in flight: its request, one recv, two writes. */
static void make_ring(void) {
  unsigned entries = options.connections * 4 < 64 ? 64 : options.connections * 4;
  int result = io_uring_queue_init(entries, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
  if (result < 0)
    fail(-result, "no ring of %u entries (SINGLE_ISSUER and DEFER_TASKRUN need Linux 6.1)", entries);
  result = io_uring_register_ring_fd(&ring);
  if (result < 0)
    fail(-result, "the ring could not register itself");
}

static void make_buffers(void) {
  unsigned count = options.connections * 2;
  size_t bytes = count * options.buffer_bytes;
  bytes = (bytes + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
  int error = posix_memalign((void **)&buffers, HUGE_PAGE, bytes);
  if (error)
    fail(error, "%zu bytes of buffers could not be had", bytes);
  if (madvise(buffers, bytes, MADV_HUGEPAGE))
    fail(errno, "the buffers could not be put on huge pages");
  memset(buffers, 0, bytes);

  struct iovec *parts = allocate(count, sizeof *parts);
  for (unsigned i = 0; i < count; i++)
    parts[i] = (struct iovec){buffers + i * options.buffer_bytes, options.buffer_bytes};
  int result = io_uring_register_buffers(&ring, parts, count);
  if (result == -ENOMEM)
    fail(-result, "%zu bytes of buffers could not be registered (see ulimit -l)", bytes);
  if (result < 0)
    fail(-result, "%zu bytes of buffers could not be registered", bytes);
  free(parts);
}

static void connect_all(void) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *address;
  int error = getaddrinfo(options.host, options.port, &hints, &address);
  if (error)
    fail(0, "the address of %s is not known: %s", options.host, gai_strerror(error));
  connections = allocate(options.connections, sizeof *connections);
  for (unsigned i = 0; i < options.connections; i++) {
    struct connection *c = &connections[i];
    c->number = i;
    c->request = allocate(1, REQUEST_MAX);
    c->socket = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->socket < 0)
      fail(errno, "no socket for connection %u", i);
    if (connect(c->socket, address->ai_addr, address->ai_addrlen))
      fail(errno, "connection %u to %s port %s failed", i, options.host, options.port);
  }
  freeaddrinfo(address);
}

/* Files of an earlier round or run are removed outside the window: to write over them would be another
 * measure. What this leaves for the file system to do, perhaps trimming the blocks, is waited for. */
static void clear_folder(void) {
  char name[64];
  for (size_t object = 0; object < options.objects; object++)
    for (int temporary = 0; temporary <= 1; temporary++)
      if (unlinkat(folder, file_name(object, temporary, name), 0) && errno != ENOENT)
        fail(errno, "%s/%s of an earlier round could not be removed", options.dir, name);
  if (syncfs(folder))
    fail(errno, "the file system of %s could not be synced", options.dir);
}

int main(int argc, char **argv) {
  options_parse(argc, argv, &options);
  folder = open(options.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0)
    fail(errno, "the folder %s could not be opened", options.dir);
  make_ring();
  make_buffers();
  connect_all();
  for (unsigned round = 0; round < options.repeat; round++) {
    clear_folder();
    run_round();
    measure_print(&measured, &options, round);
  }
  return 0;
}
