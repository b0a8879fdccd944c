/* SPDX-License-Identifier: Apache-2.0 */
/* A connection made, used in both directions at once, and ended, on both engines. */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int64_t engine;
static int listener;
static struct sockaddr_in address;

static void listen_here(void) {
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(listener >= 0);
  address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  CHECK(bind(listener, (void *)&address, size) == 0);
  CHECK(listen(listener, 8) == 0);
  CHECK(getsockname(listener, (void *)&address, &size) == 0);
}

static int make_socket(void) {
  int fd = run(engine, (struct mr_op){.code = MR_SOCKET, .arg = AF_INET, .arg2 = SOCK_STREAM});
  CHECK(fd >= 0);
  CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
  return fd;
}

static int32_t connect_to(int fd, const struct sockaddr_in *to) {
  return run(
      engine,
      (struct mr_op){.code = MR_CONNECT, .fd = fd, .address = (uint64_t)ADDRESS(to), .length = sizeof *to});
}

static void connected_pair(int *ours, int *peer) {
  *ours = make_socket();
  CHECK_EQ(connect_to(*ours, &address), 0);
  *peer = accept(listener, NULL, NULL);
  CHECK(*peer >= 0);
}

static struct mr_op recv_op(int fd, void *at, uint32_t length, uint32_t flags, uint64_t token) {
  return (struct mr_op){.code = MR_RECV,
                        .fd = fd,
                        .address = (uint64_t)ADDRESS(at),
                        .length = length,
                        .arg = flags,
                        .token = token};
}

static struct mr_op send_op(int fd, const void *at, uint32_t length, uint64_t token) {
  return (struct mr_op){
      .code = MR_SEND, .fd = fd, .address = (uint64_t)ADDRESS(at), .length = length, .token = token};
}

static void test_talk(void) {
  int ours, peer;
  connected_pair(&ours, &peer);
  CHECK_EQ(mr_socket_option(ours, MR_SOCKET_NODELAY, 1), 0);
  CHECK_EQ(mr_socket_option(ours, MR_SOCKET_RECEIVE_BUFFER, 65536), 0);
  CHECK_EQ(mr_socket_option(ours, 99, 1), -EINVAL);
  char got[16] = "";
  CHECK_EQ(run(engine, send_op(ours, "hello", 5, 0)), 5);
  CHECK_EQ(read(peer, got, 16), 5);
  CHECK(!memcmp(got, "hello", 5));

  /* recv first, so that it must wait; the send on the same socket is not kept from its work. */
  struct mr_completion out[4];
  struct mr_op both[2] = {recv_op(ours, got, 16, 0, 1), send_op(ours, "again", 5, 2)};
  int32_t n = turn(engine, both, 2, out, 4, SECOND);
  CHECK_EQ(n, 1);
  CHECK_EQ(out[0].token, 2);
  CHECK_EQ(out[0].result, 5);
  CHECK_EQ(write(peer, "answer", 6), 6);
  out[0] = take(engine);
  CHECK_EQ(out[0].token, 1);
  CHECK_EQ(out[0].result, 6);

  CHECK_EQ(read(peer, got, 16), 5);

  /* The whole, although it comes in pieces. */
  struct mr_op whole = recv_op(ours, got, 12, MR_RECV_WAITALL, 3);
  CHECK_EQ(turn(engine, &whole, 1, out, 4, 10000000), 0);
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(turn(engine, NULL, 0, out, 4, 10000000), 0);
    CHECK_EQ(write(peer, "abcd", 4), 4);
  }
  out[0] = take(engine);
  CHECK_EQ(out[0].result, 12);
  CHECK(!memcmp(got, "abcdabcdabcd", 12));

  /* What came before the peer closed, then the end. */
  CHECK_EQ(turn(engine, &whole, 1, out, 4, 0), 0);
  CHECK_EQ(write(peer, "xy", 2), 2);
  close(peer);
  out[0] = take(engine);
  CHECK_EQ(out[0].result, 2);
  CHECK_EQ(run(engine, whole), 0);
  CHECK_EQ(mr_socket_option(ours, MR_SOCKET_SHUTDOWN, SHUT_RDWR), 0);
  CHECK_EQ(run(engine, send_op(ours, "x", 1, 0)), -EPIPE);
  CHECK_EQ(run(engine, (struct mr_op){.code = MR_CLOSE, .fd = ours}), 0);
}

/* More than the socket takes at once: sends go on as the peer reads, all bytes in order. */
static void test_flood(void) {
  int ours, peer;
  connected_pair(&ours, &peer);
  size_t size = 4 << 20;
  char *data = malloc(size), *got = malloc(size);
  CHECK(data && got);
  for (size_t i = 0; i < size; i++)
    data[i] = (char)(i * 31 + (i >> 12));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) { /* echoes, at its own pace */
    static char piece[100000];
    free(data);
    free(got);
    ssize_t n;
    size_t total = 0;
    while (total < size && (n = read(peer, piece, sizeof piece)) > 0) {
      for (ssize_t at = 0; at < n;) {
        ssize_t w = write(peer, piece + at, (size_t)(n - at));
        if (w < 0)
          _exit(1);
        at += w;
      }
      total += (size_t)n;
    }
    _exit(0);
  }
  close(peer);
  struct mr_engine_stats before, after;
  mr_engine_stats(engine, ADDRESS(&before));
  size_t sent = 0, received = 0;
  struct mr_op ops[2];
  int32_t count = 0;
  ops[count++] = send_op(ours, data, (uint32_t)size, 1);
  ops[count++] = recv_op(ours, got, (uint32_t)size, 0, 2);
  while (received < size) {
    struct mr_completion out[2];
    int32_t n = turn(engine, ops, count, out, 2, PATIENCE);
    count = 0;
    for (int32_t i = 0; i < n; i++) {
      CHECK(out[i].result > 0);
      if (out[i].token == 1)
        sent += (size_t)out[i].result;
      else
        received += (size_t)out[i].result;
      if (out[i].token == 1 && sent < size)
        ops[count++] = send_op(ours, data + sent, (uint32_t)(size - sent), 1);
      if (out[i].token == 2 && received < size)
        ops[count++] = recv_op(ours, got + received, (uint32_t)(size - received), 0, 2);
    }
  }
  CHECK(!memcmp(data, got, size));
  mr_engine_stats(engine, ADDRESS(&after));
  CHECK_EQ(after.bytes_sent - before.bytes_sent, size);
  CHECK_EQ(after.bytes_read - before.bytes_read, size);
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  close(ours);
  free(data);
  free(got);
}

static void test_refused(void) {
  int gone = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof nobody;
  CHECK(bind(gone, (void *)&nobody, sizeof nobody) == 0);
  CHECK(getsockname(gone, (void *)&nobody, &length) == 0);
  int fd = make_socket();
  CHECK_EQ(connect_to(fd, &nobody), -ECONNREFUSED); /* bound, and not listening */
  close(fd);
  close(gone);
  char byte;
  CHECK_EQ(run(engine, recv_op(-1, &byte, 1, 0, 0)), -EBADF);
  CHECK_EQ(run(engine, recv_op(listener, &byte, 1, 0, 0)), -ENOTCONN);
  int file = open("/dev/null", O_RDWR | O_CLOEXEC);
  CHECK_EQ(run(engine, recv_op(file, &byte, 1, 0, 0)), -ENOTSOCK);
  CHECK_EQ(run(engine, send_op(file, "x", 1, 0)), -ENOTSOCK);
  close(file);
  /* A socket made elsewhere, that blocks. */
  fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect_to(fd, &address), 0);
  CHECK(!(fcntl(fd, F_GETFL) & O_NONBLOCK));
  int peer = accept(listener, NULL, NULL);
  close(fd);
  close(peer);
}

/* A receive that was asked to stop ends once; what arrives later is there for the next. */
static void test_cancel(void) {
  int ours, peer;
  connected_pair(&ours, &peer);
  char got[8];
  struct mr_completion out[2];
  struct mr_op receive = recv_op(ours, got, 8, 0, 1);
  CHECK_EQ(turn(engine, &receive, 1, out, 2, 1000000), 0);
  struct mr_op stop = {.code = MR_CANCEL, .extra = 1, .token = 2};
  bool stopped = false, asked = false;
  for (int32_t n = turn(engine, &stop, 1, out, 2, SECOND);; n = turn(engine, NULL, 0, out, 2, SECOND)) {
    for (int32_t i = 0; i < n; i++) {
      CHECK_EQ(out[i].result, out[i].token == 1 ? -ECANCELED : 0);
      stopped |= out[i].token == 1;
      asked |= out[i].token == 2;
    }
    if (stopped && asked)
      break;
  }
  CHECK_EQ(write(peer, "late", 4), 4);
  CHECK_EQ(run(engine, receive), 4);
  /* The whole was asked for, a part had come. */
  struct mr_op whole = recv_op(ours, got, 8, MR_RECV_WAITALL, 3);
  CHECK_EQ(turn(engine, &whole, 1, out, 2, 1000000), 0);
  CHECK_EQ(write(peer, "abc", 3), 3);
  CHECK_EQ(turn(engine, NULL, 0, out, 2, 20000000), 0);
  stop.extra = 3;
  stop.token = 4;
  bool seen[5] = {false};
  for (int32_t n = turn(engine, &stop, 1, out, 2, SECOND);; n = turn(engine, NULL, 0, out, 2, SECOND)) {
    for (int32_t i = 0; i < n; i++) {
      CHECK_EQ(out[i].result, out[i].token == 3 ? 3 : 0);
      seen[out[i].token] = true;
    }
    if (seen[3] && seen[4])
      break;
  }
  CHECK(!memcmp(got, "abc", 3));
  close(ours);
  close(peer);
}

int main(void) {
  make_folder();
  listen_here();
  unsigned before = open_descriptors();
  for (int k = 0; k < 2; k++) {
    engine = make_engine(both_kinds[k], 16, NULL);
    if (!engine)
      continue;
    test_talk();
    test_flood();
    test_refused();
    test_cancel();
    CHECK_EQ(mr_engine_destroy(engine), 0);
    CHECK_EQ(open_descriptors(), before);
  }
  return 0;
}
