/* SPDX-License-Identifier: Apache-2.0 */
/* Timers of the epoll engine: a heap of slots by deadline. */
#ifndef MR_TIMERS_H
#define MR_TIMERS_H

#include "internal.h"

struct mr_timers {
  struct mr_slot **heap;
  uint32_t count;
};

/* At most as many timers as slots: adding cannot fail. */
int mr_timers_create(struct mr_timers *timers, uint32_t depth);
void mr_timers_free(struct mr_timers *timers);
void mr_timers_add(struct mr_timers *timers, struct mr_slot *slot);
void mr_timers_remove(struct mr_timers *timers, struct mr_slot *slot);

#endif
