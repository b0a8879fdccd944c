/* SPDX-License-Identifier: Apache-2.0 */
#include "timers.h"

#include <errno.h>
#include <stdlib.h>

int mr_timers_create(struct mr_timers *timers, uint32_t depth) {
  timers->heap = malloc(depth * sizeof *timers->heap);
  return timers->heap ? 0 : -ENOMEM;
}

void mr_timers_free(struct mr_timers *timers) {
  free(timers->heap);
}

static void put(struct mr_timers *timers, uint32_t at, struct mr_slot *slot) {
  timers->heap[at] = slot;
  slot->heap_at = at;
}

static void up(struct mr_timers *timers, uint32_t at, struct mr_slot *slot) {
  while (at && timers->heap[(at - 1) / 2]->deadline > slot->deadline) {
    put(timers, at, timers->heap[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  put(timers, at, slot);
}

static void down(struct mr_timers *timers, uint32_t at, struct mr_slot *slot) {
  for (;;) {
    uint32_t child = 2 * at + 1;
    if (child >= timers->count)
      break;
    if (child + 1 < timers->count && timers->heap[child + 1]->deadline < timers->heap[child]->deadline)
      child++;
    if (timers->heap[child]->deadline >= slot->deadline)
      break;
    put(timers, at, timers->heap[child]);
    at = child;
  }
  put(timers, at, slot);
}

void mr_timers_add(struct mr_timers *timers, struct mr_slot *slot) {
  slot->state = MR_SLOT_TIMER;
  up(timers, timers->count++, slot);
}

void mr_timers_remove(struct mr_timers *timers, struct mr_slot *slot) {
  struct mr_slot *last = timers->heap[--timers->count];
  if (last == slot)
    return;
  uint32_t at = slot->heap_at;
  if (at && timers->heap[(at - 1) / 2]->deadline > last->deadline)
    up(timers, at, last);
  else
    down(timers, at, last);
}
