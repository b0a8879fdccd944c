/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-64/NVME by carry-less multiplication.
 *
 * Sixteen bytes of the message stand for a polynomial A = a * x^64 + b (a: the eight bytes that come first).
 * What follows D bits later may have A * x^D added without changing the remainder, and
 * A * x^D = a * (x^(D+64) mod P) + b * (x^D mod P) is again at most sixteen bytes: this is folding. Eight
 * sixteen-byte registers are folded side by side over 128 bytes, then into one another, and what is left is
 * finished by table.
 *
 * Bits are reflected: the lowest bit is the highest power. The product of two reflected 64-bit numbers comes
 * out one bit too low, so the constants are those of one power less. They are computed, not copied.
 */
#include "crc.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define INSTRUCTION __attribute__((target("pclmul,sse2")))
typedef __m128i vector;
#define LOAD(at) _mm_loadu_si128((const __m128i *)(at))
#define STORE(at, v) _mm_storeu_si128((__m128i *)(at), v)
#define XOR(a, b) _mm_xor_si128(a, b)
#define PAIR(low, high) _mm_set_epi64x((long long)(high), (long long)(low))
#define MULTIPLY_LOW(a, b) _mm_clmulepi64_si128(a, b, 0x00)
#define MULTIPLY_HIGH(a, b) _mm_clmulepi64_si128(a, b, 0x11)

bool mr_crc64nvme_can(void) {
  return __builtin_cpu_supports("pclmul");
}

#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#include <sys/auxv.h>
#ifndef HWCAP_PMULL
#define HWCAP_PMULL (1 << 4)
#endif
#define INSTRUCTION __attribute__((target("+crypto")))
#pragma GCC push_options
#pragma GCC target("+crypto")
#include <arm_neon.h>
#pragma GCC pop_options
typedef uint64x2_t vector;
#define LOAD(at) vreinterpretq_u64_u8(vld1q_u8((const uint8_t *)(at)))
#define STORE(at, v) vst1q_u8((uint8_t *)(at), vreinterpretq_u8_u64(v))
#define XOR(a, b) veorq_u64(a, b)
#define PAIR(low, high) vcombine_u64(vcreate_u64(low), vcreate_u64(high))
#define MULTIPLY_LOW(a, b)                                                                                   \
  vreinterpretq_u64_p128(vmull_p64((poly64_t)vgetq_lane_u64(a, 0), (poly64_t)vgetq_lane_u64(b, 0)))
#define MULTIPLY_HIGH(a, b)                                                                                  \
  vreinterpretq_u64_p128(vmull_high_p64(vreinterpretq_p64_u64(a), vreinterpretq_p64_u64(b)))

bool mr_crc64nvme_can(void) {
  return getauxval(AT_HWCAP) & HWCAP_PMULL;
}
#endif

#ifdef INSTRUCTION

struct distance {
  uint64_t first, second; /* for the eight bytes that come first in memory, and for the others */
};

static struct distance by_128_bytes, by_16_bytes;

/* x^n mod P, reflected. */
static uint64_t power(unsigned n) {
  uint64_t x = 1ull << 63;
  while (n--)
    x = (x >> 1) ^ (x & 1 ? MR_CRC64NVME_POLYNOMIAL : 0);
  return x;
}

void mr_crc64nvme_prepare_instruction(void) {
  by_128_bytes = (struct distance){power(8 * 128 + 64 - 1), power(8 * 128 - 1)};
  by_16_bytes = (struct distance){power(8 * 16 + 64 - 1), power(8 * 16 - 1)};
}

INSTRUCTION static inline vector folded(vector a, vector by, vector onto) {
  return XOR(XOR(MULTIPLY_LOW(a, by), MULTIPLY_HIGH(a, by)), onto);
}

INSTRUCTION uint64_t mr_crc64nvme_by_instruction(uint64_t crc, const void *data, size_t length) {
  const unsigned char *at = data;
  if (length < 128)
    return mr_crc64nvme_by_table(crc, data, length);
  vector v0 = XOR(LOAD(at), PAIR(crc, 0));
  vector v1 = LOAD(at + 16), v2 = LOAD(at + 32), v3 = LOAD(at + 48);
  vector v4 = LOAD(at + 64), v5 = LOAD(at + 80), v6 = LOAD(at + 96), v7 = LOAD(at + 112);
  vector by = PAIR(by_128_bytes.first, by_128_bytes.second);
  for (at += 128, length -= 128; length >= 128; at += 128, length -= 128) {
    v0 = folded(v0, by, LOAD(at));
    v1 = folded(v1, by, LOAD(at + 16));
    v2 = folded(v2, by, LOAD(at + 32));
    v3 = folded(v3, by, LOAD(at + 48));
    v4 = folded(v4, by, LOAD(at + 64));
    v5 = folded(v5, by, LOAD(at + 80));
    v6 = folded(v6, by, LOAD(at + 96));
    v7 = folded(v7, by, LOAD(at + 112));
  }
  by = PAIR(by_16_bytes.first, by_16_bytes.second);
  v1 = folded(v0, by, v1);
  v2 = folded(v1, by, v2);
  v3 = folded(v2, by, v3);
  v4 = folded(v3, by, v4);
  v5 = folded(v4, by, v5);
  v6 = folded(v5, by, v6);
  v7 = folded(v6, by, v7);
  for (; length >= 16; at += 16, length -= 16)
    v7 = folded(v7, by, LOAD(at));
  unsigned char rest[16];
  STORE(rest, v7);
  return mr_crc64nvme_by_table(mr_crc64nvme_by_table(0, rest, sizeof rest), at, length);
}

#else

bool mr_crc64nvme_can(void) {
  return false;
}

void mr_crc64nvme_prepare_instruction(void) {
}

uint64_t mr_crc64nvme_by_instruction(uint64_t crc, const void *data, size_t length) {
  return mr_crc64nvme_by_table(crc, data, length);
}

#endif
