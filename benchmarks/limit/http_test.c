/* SPDX-License-Identifier: Apache-2.0 */
/* Proves the head parser on good, cut and hostile heads. */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static enum http_result parse(const char *text, size_t count, struct http_head *head) {
  const char *why = NULL;
  char *exact = malloc(count ? count : 1); /* so that a sanitizer sees a read past the end */
  memcpy(exact, text, count);
  enum http_result result = http_parse(exact, count, head, &why);
  free(exact);
  return result;
}

static void complete(const char *text, int status, uint64_t length, size_t body_bytes) {
  struct http_head head = {0};
  size_t count = strlen(text);
  if (parse(text, count, &head) != HTTP_COMPLETE || head.status != status || head.content_length != length ||
      head.head_bytes + body_bytes != count) {
    failures++;
    fprintf(stderr, "misread: %s\n", text);
  }
  for (size_t cut = 0; cut < head.head_bytes; cut++)
    if (parse(text, cut, &head) != HTTP_INCOMPLETE) {
      failures++;
      fprintf(stderr, "cut at %zu is not incomplete: %s\n", cut, text);
    }
}

static void refused(const char *text) {
  struct http_head head = {0};
  if (parse(text, strlen(text), &head) != HTTP_REFUSED) {
    failures++;
    fprintf(stderr, "not refused: %s\n", text);
  }
}

int main(void) {
  complete("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 16777216\r\n\r\nbody", 200, 16777216, 4);
  complete("HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", 200, 0, 0);
  complete("HTTP/1.0 404 Not Found\r\nCONTENT-LENGTH: \t 7 \r\n\r\n", 404, 7, 0);
  complete("HTTP/1.1 200 OK\r\nX-Content-Length: 9\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 200, 5,
           0);
  complete("HTTP/1.1 200 OK\r\nX: Content-Length: 9\r\nContent-Length: 5\r\n\r\n", 200, 5, 0);
  refused("HTTP/1.1 200 OK\r\n\r\n");
  refused("HTTP/2 200 OK\r\nContent-Length: 5\r\n\r\n");
  refused("HTTP/1.1 2000\r\nContent-Length: 5\r\n\r\n");
  refused("\r\n\r\n");
  refused("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n");
  refused("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n");
  refused("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n");
  refused("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n");
  refused("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n");
  refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n");
  refused("HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 5\r\n\r\n");

  char *endless = malloc(HTTP_HEAD_MAX + 1);
  memset(endless, 'x', HTTP_HEAD_MAX);
  endless[HTTP_HEAD_MAX] = 0;
  refused(endless);
  free(endless);

  if (failures == 0)
    puts("http: all heads were read as they should be");
  return failures != 0;
}
