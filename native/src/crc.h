/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to compute the two checksums. All take and give the register's value, without the inversions at
 * begin and end; all agree on every input. Tests reach each by its own. */
#ifndef MR_CRC_H
#define MR_CRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MR_CRC32C_POLYNOMIAL 0x82f63b78u              /* x^32 is implied, bit 31 is x^0 */
#define MR_CRC64NVME_POLYNOMIAL 0x9a6c9329ac4bc9b5ull /* x^64 is implied, bit 63 is x^0 */

/* Must be called once before any other; threads may race. */
void mr_crc_prepare(void);

uint32_t mr_crc32c_by_table(uint32_t crc, const void *data, size_t length);
uint64_t mr_crc64nvme_by_table(uint64_t crc, const void *data, size_t length);

/* Only where the matching `can` says so. */
bool mr_crc32c_can(void);
uint32_t mr_crc32c_by_instruction(uint32_t crc, const void *data, size_t length);
bool mr_crc64nvme_can(void);
uint64_t mr_crc64nvme_by_instruction(uint64_t crc, const void *data, size_t length);

/* What each fills once, from mr_crc_prepare(). */
void mr_crc32c_prepare_instruction(void);
void mr_crc64nvme_prepare_instruction(void);

#endif
