/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operations in flight: taking, finding by token, completing. No allocation but at creation. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static uint32_t bucket_of(const struct mr_engine *engine, uint64_t token) {
  return (uint32_t)(token * 0x9e3779b97f4a7c15ull >> (64 - engine->bucket_bits));
}

int mr_slots_create(struct mr_engine *engine, uint32_t depth) {
  uint32_t bits = 1;
  while (1u << bits < depth)
    bits++;
  engine->depth = depth;
  engine->bucket_bits = bits;
  engine->slots = calloc(depth, sizeof *engine->slots);
  engine->buckets = malloc(sizeof *engine->buckets << bits);
  if (!engine->slots || !engine->buckets)
    return -ENOMEM;
  for (uint32_t i = 0; i < 1u << bits; i++)
    engine->buckets[i] = MR_NONE;
  for (uint32_t i = 0; i < depth; i++) {
    engine->slots[i].next = i + 1 < depth ? i + 1 : MR_NONE;
    engine->slots[i].watch_fd = -1;
  }
  engine->free_first = 0;
  engine->ready_first = engine->ready_last = MR_NONE;
  return 0;
}

void mr_slots_free(struct mr_engine *engine) {
  free(engine->slots);
  free(engine->buckets);
  free(engine->spill);
}

struct mr_slot *mr_slot_take(struct mr_engine *engine, const struct mr_op *op) {
  uint32_t index = engine->free_first;
  if (index == MR_NONE)
    return NULL;
  struct mr_slot *slot = &engine->slots[index];
  engine->free_first = slot->next;
  slot->job.op = *op;
  slot->job.fd = op->fd;
  slot->job.may_block = 0;
  slot->stop_asked = 0;
  slot->retries = 0;
  slot->done = 0;
  slot->file = NULL;
  uint32_t bucket = bucket_of(engine, op->token);
  slot->hash_next = engine->buckets[bucket];
  engine->buckets[bucket] = index;
  return slot;
}

struct mr_slot *mr_slot_find(struct mr_engine *engine, uint64_t token) {
  uint32_t index = engine->buckets[bucket_of(engine, token)];
  while (index != MR_NONE && engine->slots[index].job.op.token != token)
    index = engine->slots[index].hash_next;
  return index == MR_NONE ? NULL : &engine->slots[index];
}

static void release(struct mr_engine *engine, struct mr_slot *slot) {
  uint32_t index = (uint32_t)(slot - engine->slots);
  uint32_t *link = &engine->buckets[bucket_of(engine, slot->job.op.token)];
  while (*link != index)
    link = &engine->slots[*link].hash_next;
  *link = slot->hash_next;
  slot->state = MR_SLOT_FREE;
  slot->generation = (slot->generation + 1) & 0x7fffffff;
  slot->next = engine->free_first;
  engine->free_first = index;
}

static void count_bytes(struct mr_engine_stats *stats, uint16_t code, int32_t result) {
  if (result <= 0)
    return;
  if (code == MR_READ || code == MR_RECV)
    stats->bytes_read += (uint32_t)result;
  else if (code == MR_WRITE)
    stats->bytes_written += (uint32_t)result;
  else if (code == MR_SEND)
    stats->bytes_sent += (uint32_t)result;
}

static void write_out(struct mr_engine *engine, uint64_t token, int32_t result) {
  engine->out[engine->out_count++] = (struct mr_completion){.token = token, .result = result};
  engine->stats.completed++;
}

static void deliver(struct mr_engine *engine, struct mr_slot *slot, int32_t result) {
  count_bytes(&engine->stats, slot->job.op.code, result);
  write_out(engine, slot->job.op.token, result);
  release(engine, slot);
}

void mr_slot_finish(struct mr_engine *engine, struct mr_slot *slot, int32_t result) {
  if (slot->file) {
    mr_files_put(slot->file);
    slot->file = NULL;
  }
  if (engine->out_count < engine->out_max) {
    deliver(engine, slot, result);
    return;
  }
  uint32_t index = (uint32_t)(slot - engine->slots);
  slot->result = result;
  slot->state = MR_SLOT_READY;
  slot->next = MR_NONE;
  if (engine->ready_first == MR_NONE)
    engine->ready_first = index;
  else
    engine->slots[engine->ready_last].next = index;
  engine->ready_last = index;
}

int mr_refuse(struct mr_engine *engine, uint64_t token, int32_t result) {
  if (engine->out_count < engine->out_max) {
    write_out(engine, token, result);
    return 0;
  }
  if (engine->spill_count == engine->spill_capacity) {
    uint32_t capacity = engine->spill_capacity ? engine->spill_capacity * 2 : 64;
    struct mr_completion *grown = realloc(engine->spill, capacity * sizeof *grown);
    if (!grown)
      return -ENOMEM;
    engine->spill = grown;
    engine->spill_capacity = capacity;
  }
  engine->spill[engine->spill_count++] = (struct mr_completion){.token = token, .result = result};
  return 0;
}

void mr_deliver_waiting(struct mr_engine *engine) {
  while (engine->spill_count && engine->out_count < engine->out_max) {
    struct mr_completion *last = &engine->spill[--engine->spill_count];
    write_out(engine, last->token, last->result);
  }
  while (engine->ready_first != MR_NONE && engine->out_count < engine->out_max) {
    struct mr_slot *slot = &engine->slots[engine->ready_first];
    engine->ready_first = slot->next;
    deliver(engine, slot, slot->result);
  }
}

void mr_slots_drop_results(struct mr_engine *engine) {
  for (uint32_t i = engine->ready_first; i != MR_NONE; i = engine->slots[i].next) {
    const struct mr_slot *slot = &engine->slots[i];
    uint16_t code = slot->job.op.code;
    if ((code == MR_OPEN || code == MR_SOCKET) && slot->result >= 0)
      close(slot->result);
  }
  engine->ready_first = MR_NONE;
}
