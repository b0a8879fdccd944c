/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an HTTP/1.1 response: just as much as a download of a whole object with a known length needs.
 */
#ifndef LIMIT_HTTP_H
#define LIMIT_HTTP_H

#include <stddef.h>
#include <stdint.h>

/* A head longer than this is refused. */
#define HTTP_HEAD_MAX 16384

struct http_head {
  size_t head_bytes; /* up to and with the empty line: where the body begins */
  int status;
  uint64_t content_length;
};

enum http_result { HTTP_COMPLETE, HTTP_INCOMPLETE, HTTP_REFUSED };

/* Reads the head at the front of bytes[0..count). The bytes need no terminator. `why` is set to a sentence
 * when the head is refused: not HTTP/1.x, no length, two lengths that differ, or a body that is chunked. */
enum http_result http_parse(const char *bytes, size_t count, struct http_head *head, const char **why);

#endif
