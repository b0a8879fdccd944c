/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32C by the processor's instruction. It takes eight bytes a cycle but answers after three, so three
 * stretches of equal length are computed side by side and joined: the register of the first is moved over
 * the length of the others, which multiplies it by x^(8 * bytes). That is linear in its bits: four look-ups.
 */
#include "crc.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#define INSTRUCTION __attribute__((target("sse4.2")))
#define STEP1(crc, byte) _mm_crc32_u8((uint32_t)(crc), byte)
#define STEP8(crc, word) _mm_crc32_u64(crc, word)

bool mr_crc32c_can(void) {
  return __builtin_cpu_supports("sse4.2");
}

#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif
#define INSTRUCTION __attribute__((target("+crc")))
#pragma GCC push_options
#pragma GCC target("+crc")
#include <arm_acle.h>
#pragma GCC pop_options
#define STEP1(crc, byte) __crc32cb((uint32_t)(crc), byte)
#define STEP8(crc, word) __crc32cd((uint32_t)(crc), word)

bool mr_crc32c_can(void) {
  return getauxval(AT_HWCAP) & HWCAP_CRC32;
}
#endif

#ifdef INSTRUCTION

#define LONG 4096
#define SHORT 256

static uint32_t over_long[4][256], over_short[4][256];

/* The register after `bytes` zero bytes, for every value of each of its bytes. */
static void prepare_move(uint32_t move[4][256], size_t bytes) {
  uint32_t of_bit[32];
  for (unsigned bit = 0; bit < 32; bit++) {
    uint32_t crc = 1u << bit;
    for (size_t i = 0; i < 8 * bytes; i++)
      crc = (crc >> 1) ^ (crc & 1 ? MR_CRC32C_POLYNOMIAL : 0);
    of_bit[bit] = crc;
  }
  for (unsigned part = 0; part < 4; part++) {
    for (unsigned value = 0; value < 256; value++) {
      uint32_t crc = 0;
      for (unsigned bit = 0; bit < 8; bit++)
        if (value >> bit & 1)
          crc ^= of_bit[8 * part + bit];
      move[part][value] = crc;
    }
  }
}

void mr_crc32c_prepare_instruction(void) {
  prepare_move(over_long, LONG);
  prepare_move(over_short, SHORT);
}

static inline uint32_t moved(uint32_t move[4][256], uint32_t crc) {
  return move[0][crc & 0xff] ^ move[1][crc >> 8 & 0xff] ^ move[2][crc >> 16 & 0xff] ^ move[3][crc >> 24];
}

static inline uint64_t word_at(const unsigned char *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

INSTRUCTION static inline uint64_t three(uint64_t crc, const unsigned char *at, size_t stretch,
                                         uint32_t move[4][256]) {
  uint64_t second = 0, third = 0;
  for (const unsigned char *end = at + stretch; at < end; at += 8) {
    crc = STEP8(crc, word_at(at));
    second = STEP8(second, word_at(at + stretch));
    third = STEP8(third, word_at(at + 2 * stretch));
  }
  crc = moved(move, (uint32_t)crc) ^ second;
  return moved(move, (uint32_t)crc) ^ third;
}

INSTRUCTION uint32_t mr_crc32c_by_instruction(uint32_t seed, const void *data, size_t length) {
  const unsigned char *at = data;
  uint64_t crc = seed;
  while (length && (uintptr_t)at & 7) {
    crc = STEP1(crc, *at++);
    length--;
  }
  for (; length >= 3 * LONG; at += 3 * LONG, length -= 3 * LONG)
    crc = three(crc, at, LONG, over_long);
  for (; length >= 3 * SHORT; at += 3 * SHORT, length -= 3 * SHORT)
    crc = three(crc, at, SHORT, over_short);
  for (; length >= 8; at += 8, length -= 8)
    crc = STEP8(crc, word_at(at));
  while (length--)
    crc = STEP1(crc, *at++);
  return (uint32_t)crc;
}

#else

bool mr_crc32c_can(void) {
  return false;
}

void mr_crc32c_prepare_instruction(void) {
}

uint32_t mr_crc32c_by_instruction(uint32_t crc, const void *data, size_t length) {
  return mr_crc32c_by_table(crc, data, length);
}

#endif
