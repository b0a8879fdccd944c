/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt, which never blocks, at an operation on a socket, pipe or terminal. */
#ifndef MR_STREAMS_H
#define MR_STREAMS_H

#include "internal.h"

/* -EAGAIN: wait until the descriptor is ready and try again; else the result of the operation. Moves what it
 * can, and keeps count in slot->done. */
int32_t mr_stream_attempt(struct mr_slot *slot, int fd);
/* -EINPROGRESS: wait until it is writable, then ask mr_stream_connected(). */
int32_t mr_stream_connect(const struct mr_slot *slot, int fd);
int32_t mr_stream_connected(int fd);
/* What an attempt waits for. */
uint32_t mr_stream_events(const struct mr_op *op);

#endif
