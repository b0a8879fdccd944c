/* SPDX-License-Identifier: Apache-2.0 */
/* The checksums' face, and their tables: slicing by 8, for processors without the instructions. */
#include "crc.h"
#include "internal.h"

#include <errno.h>
#include <string.h>

/* A piece that stays in the first-level cache while it is copied and checked: memory is read once. */
#define PIECE ((size_t)16 * 1024)

static uint32_t table32[8][256];
static uint64_t table64[8][256];
static bool instruction32, instruction64;

static void prepare(void) {
  for (unsigned i = 0; i < 256; i++) {
    uint32_t a = i;
    uint64_t b = i;
    for (int bit = 0; bit < 8; bit++) {
      a = (a >> 1) ^ (a & 1 ? MR_CRC32C_POLYNOMIAL : 0);
      b = (b >> 1) ^ (b & 1 ? MR_CRC64NVME_POLYNOMIAL : 0);
    }
    table32[0][i] = a;
    table64[0][i] = b;
  }
  for (unsigned k = 1; k < 8; k++) {
    for (unsigned i = 0; i < 256; i++) {
      table32[k][i] = (table32[k - 1][i] >> 8) ^ table32[0][table32[k - 1][i] & 0xff];
      table64[k][i] = (table64[k - 1][i] >> 8) ^ table64[0][table64[k - 1][i] & 0xff];
    }
  }
  instruction32 = mr_crc32c_can();
  if (instruction32)
    mr_crc32c_prepare_instruction();
  instruction64 = mr_crc64nvme_can();
  if (instruction64)
    mr_crc64nvme_prepare_instruction();
}

void mr_crc_prepare(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prepare);
}

static uint64_t little_endian(const unsigned char *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

uint32_t mr_crc32c_by_table(uint32_t crc, const void *data, size_t length) {
  const unsigned char *at = data;
  for (; length >= 8; at += 8, length -= 8) {
    uint64_t w = little_endian(at) ^ crc;
    crc = table32[7][w & 0xff] ^ table32[6][w >> 8 & 0xff] ^ table32[5][w >> 16 & 0xff] ^
          table32[4][w >> 24 & 0xff] ^ table32[3][w >> 32 & 0xff] ^ table32[2][w >> 40 & 0xff] ^
          table32[1][w >> 48 & 0xff] ^ table32[0][w >> 56];
  }
  while (length--)
    crc = (crc >> 8) ^ table32[0][(crc ^ *at++) & 0xff];
  return crc;
}

uint64_t mr_crc64nvme_by_table(uint64_t crc, const void *data, size_t length) {
  const unsigned char *at = data;
  for (; length >= 8; at += 8, length -= 8) {
    uint64_t w = little_endian(at) ^ crc;
    crc = table64[7][w & 0xff] ^ table64[6][w >> 8 & 0xff] ^ table64[5][w >> 16 & 0xff] ^
          table64[4][w >> 24 & 0xff] ^ table64[3][w >> 32 & 0xff] ^ table64[2][w >> 40 & 0xff] ^
          table64[1][w >> 48 & 0xff] ^ table64[0][w >> 56];
  }
  while (length--)
    crc = (crc >> 8) ^ table64[0][(crc ^ *at++) & 0xff];
  return crc;
}

static uint32_t update32(uint32_t crc, const void *data, size_t length) {
  return instruction32 ? mr_crc32c_by_instruction(crc, data, length) : mr_crc32c_by_table(crc, data, length);
}

static uint64_t update64(uint64_t crc, const void *data, size_t length) {
  return instruction64 ? mr_crc64nvme_by_instruction(crc, data, length)
                       : mr_crc64nvme_by_table(crc, data, length);
}

int64_t mr_crc32c(int64_t seed, int64_t address, int64_t length) {
  mr_crc_prepare();
  if (length <= 0 || !address)
    return seed;
  return (int64_t)(uint32_t)~update32(~(uint32_t)seed, (void *)(uintptr_t)address, (size_t)length);
}

int64_t mr_crc64nvme(int64_t seed, int64_t address, int64_t length) {
  mr_crc_prepare();
  if (length <= 0 || !address)
    return seed;
  return (int64_t)~update64(~(uint64_t)seed, (void *)(uintptr_t)address, (size_t)length);
}

int64_t mr_copy_checksum(int32_t kind, int64_t seed, int64_t to, int64_t from, int64_t length) {
  mr_crc_prepare();
  char *out = (char *)(uintptr_t)to;
  const char *in = (const char *)(uintptr_t)from;
  for (size_t left = length > 0 ? (size_t)length : 0; left;) {
    size_t n = left < PIECE ? left : PIECE;
    if (kind == 1)
      seed = mr_crc32c(seed, (int64_t)(uintptr_t)in, (int64_t)n);
    else if (kind == 2)
      seed = mr_crc64nvme(seed, (int64_t)(uintptr_t)in, (int64_t)n);
    memcpy(out, in, n);
    out += n;
    in += n;
    left -= n;
  }
  return seed;
}

int32_t mr_checksum_features(void) {
  mr_crc_prepare();
  return (instruction32 ? 1 : 0) | (instruction64 ? 2 : 0);
}
