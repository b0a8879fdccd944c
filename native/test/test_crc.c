/* SPDX-License-Identifier: Apache-2.0 */
/* Every way to each checksum against one written bit by bit, on all small lengths, alignments and seeds. */
#include "crc.h"
#include "test.h"

static uint32_t slow32(uint32_t crc, const unsigned char *at, size_t length) {
  while (length--) {
    crc ^= *at++;
    for (int bit = 0; bit < 8; bit++)
      crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
  }
  return crc;
}

static uint64_t slow64(uint64_t crc, const unsigned char *at, size_t length) {
  while (length--) {
    crc ^= *at++;
    for (int bit = 0; bit < 8; bit++)
      crc = (crc >> 1) ^ (crc & 1 ? 0x9a6c9329ac4bc9b5ull : 0);
  }
  return crc;
}

static uint64_t state = 88172645463325252ull;
static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static void compare(const unsigned char *at, size_t length, uint64_t seed) {
  uint32_t c32 = slow32((uint32_t)seed, at, length);
  uint64_t c64 = slow64(seed, at, length);
  CHECK(mr_crc32c_by_table((uint32_t)seed, at, length) == c32);
  CHECK(mr_crc64nvme_by_table(seed, at, length) == c64);
  if (mr_crc32c_can())
    CHECK(mr_crc32c_by_instruction((uint32_t)seed, at, length) == c32);
  if (mr_crc64nvme_can())
    CHECK(mr_crc64nvme_by_instruction(seed, at, length) == c64);
}

static void speed(const char *what, int64_t (*f)(int64_t, int64_t, int64_t), void *at, int64_t length) {
  int64_t begun = now_ns(), seed = 0;
  int rounds = 20;
  for (int i = 0; i < rounds; i++)
    seed = f(seed, ADDRESS(at), length);
  int64_t took = now_ns() - begun;
  printf("%s %.1f GB/s (%llx)\n", what, (double)length * rounds / (double)took, (unsigned long long)seed);
}

int main(void) {
  const char *digits = "123456789";
  CHECK(mr_crc32c(0, ADDRESS(digits), 9) == 0xe3069283ll);
  CHECK((uint64_t)mr_crc64nvme(0, ADDRESS(digits), 9) == 0xae8b14860a799888ull);
  CHECK(mr_crc32c(7, 0, 0) == 7);
  CHECK(mr_crc32c(0, ADDRESS(digits), 0) == 0);

  size_t size = 64 * 1024;
  unsigned char *data = malloc(size + 64), *copy = malloc(size + 64);
  CHECK(data && copy);
  for (size_t i = 0; i < size + 64; i++)
    data[i] = (unsigned char)next_random();
  for (size_t length = 0; length < 300; length++)
    for (size_t align = 0; align < 16; align += 5)
      compare(data + align, length, next_random());
  for (int i = 0; i < 300; i++) {
    size_t length = next_random() % size, align = next_random() % 64;
    compare(data + align, length, i % 3 ? next_random() : i % 2 ? 0 : ~0ull);
  }

  /* In pieces as in one, and copied as read. */
  for (int i = 0; i < 50; i++) {
    size_t length = next_random() % size, cut = length ? next_random() % length : 0;
    int64_t a = ADDRESS(data);
    CHECK(mr_crc32c(mr_crc32c(0, a, (int64_t)cut), a + (int64_t)cut, (int64_t)(length - cut)) ==
          mr_crc32c(0, a, (int64_t)length));
    CHECK(mr_crc64nvme(mr_crc64nvme(0, a, (int64_t)cut), a + (int64_t)cut, (int64_t)(length - cut)) ==
          mr_crc64nvme(0, a, (int64_t)length));
    for (int kind = 0; kind < 3; kind++) {
      memset(copy, 0, size + 64);
      int64_t sum = mr_copy_checksum(kind, 0, ADDRESS(copy + i), a, (int64_t)length);
      CHECK(!memcmp(copy + i, data, length));
      CHECK(copy[i + length] == 0);
      CHECK(sum == (kind == 1   ? mr_crc32c(0, a, (int64_t)length)
                    : kind == 2 ? mr_crc64nvme(0, a, (int64_t)length)
                                : 0));
    }
  }
  printf("instructions: %d\n", mr_checksum_features());
  speed("crc32c", mr_crc32c, data, (int64_t)size);
  speed("crc64nvme", mr_crc64nvme, data, (int64_t)size);
  free(data);
  free(copy);
  return 0;
}
