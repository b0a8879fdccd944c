/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "http.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_space(char c) {
  return c == ' ' || c == '\t';
}

/* "HTTP/1.x SSS", then a space or the end of the line. */
static bool parse_status(const char *line, size_t length, int *status) {
  if (length < 12 || memcmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]) || line[8] != ' ')
    return false;
  if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]) || (length > 12 && line[12] != ' '))
    return false;
  *status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  return true;
}

static bool parse_length(const char *value, size_t length, uint64_t *result) {
  if (length == 0)
    return false;
  uint64_t sum = 0;
  for (size_t i = 0; i < length; i++) {
    if (!is_digit(value[i]) || __builtin_mul_overflow(sum, 10, &sum) ||
        __builtin_add_overflow(sum, (uint64_t)(value[i] - '0'), &sum))
      return false;
  }
  /* A file offset is signed, and the length is rounded up to a block. */
  if (sum > INT64_MAX - 4096)
    return false;
  *result = sum;
  return true;
}

static bool named(const char *line, size_t name_length, const char *name) {
  return name_length == strlen(name) && strncasecmp(line, name, name_length) == 0;
}

static enum http_result refuse(const char **why, const char *sentence) {
  *why = sentence;
  return HTTP_REFUSED;
}

enum http_result http_parse(const char *bytes, size_t count, struct http_head *head, const char **why) {
  const char *end = memmem(bytes, count, "\r\n\r\n", 4);
  if (!end)
    return count >= HTTP_HEAD_MAX ? refuse(why, "the head is too long") : HTTP_INCOMPLETE;
  head->head_bytes = (size_t)(end - bytes) + 4;
  end += 2; /* now every line ends in CRLF */

  const char *line = bytes;
  const char *eol = memmem(line, (size_t)(end - line), "\r\n", 2);
  if (!parse_status(line, (size_t)(eol - line), &head->status))
    return refuse(why, "the first line is not an HTTP/1.x status line");

  bool has_length = false;
  for (line = eol + 2; line < end; line = eol + 2) {
    eol = memmem(line, (size_t)(end - line), "\r\n", 2);
    const char *colon = memchr(line, ':', (size_t)(eol - line));
    if (!colon || colon == line || is_space(line[0]))
      return refuse(why, "a header line has no name");
    size_t name_length = (size_t)(colon - line);
    const char *value = colon + 1, *value_end = eol;
    while (value < value_end && is_space(*value))
      value++;
    while (value_end > value && is_space(value_end[-1]))
      value_end--;

    if (named(line, name_length, "transfer-encoding"))
      return refuse(why, "the body has a transfer encoding; only plain bodies are read");
    if (named(line, name_length, "content-length")) {
      uint64_t length;
      if (!parse_length(value, (size_t)(value_end - value), &length))
        return refuse(why, "Content-Length is not a number that a file can have");
      if (has_length && length != head->content_length)
        return refuse(why, "there are two Content-Lengths that differ");
      head->content_length = length;
      has_length = true;
    }
  }
  return has_length ? HTTP_COMPLETE : refuse(why, "there is no Content-Length");
}
