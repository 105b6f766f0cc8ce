/* SPDX-License-Identifier: MIT */
/*
 * item_ring.h - a queue of items of one size that grows by doubling: the buffer of memory streams.
 *
 * Invariants: capacity is 0 or a power of two; count <= capacity; head < capacity unless that is 0;
 * item number i stands at place (head + i) & (capacity - 1).
 */
#ifndef ANYC_STREAMS_ITEM_RING_H
#define ANYC_STREAMS_ITEM_RING_H

#include <string.h>

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/list.h"

#define ITEM_RING_FIRST 8 /* places at first, if that many can be used at all */

struct item_ring {
    char *items;
    size_t item_size;
    size_t capacity; /* places */
    size_t head;     /* place of the first item */
    size_t count;
};

/* Pointers are what is sent most: one move instead of a call. */
static inline void anyc__item_copy(void *to, const void *from, size_t size)
{
    if (size == sizeof(void *))
        memcpy(to, from, sizeof(void *));
    else
        memcpy(to, from, size);
}

static inline char *anyc__item_ring_at(const struct item_ring *ring, size_t i)
{
    return ring->items + ((ring->head + i) & (ring->capacity - 1)) * ring->item_size;
}

/* Twice the places, but no more at first than `max` items need. 0, or ANYC_ENOMEM with nothing
 * changed. */
static NEVER_INLINE int anyc__item_ring_grow(struct item_ring *ring, size_t max)
{
    size_t capacity = ring->capacity * 2;
    size_t front = ring->capacity - ring->head; /* items before the wrap: the ring is full */
    char *items;

    if (capacity == 0) {
        for (capacity = 1; capacity < max && capacity < ITEM_RING_FIRST;)
            capacity *= 2;
    }
    if (ring->capacity > SIZE_MAX / 2)
        return ANYC_ENOMEM;
    items = anyc__alloc_array(capacity, ring->item_size);
    if (items == NULL)
        return ANYC_ENOMEM;
    if (ring->count > 0) {
        memcpy(items, anyc__item_ring_at(ring, 0), front * ring->item_size);
        memcpy(items + front * ring->item_size, ring->items, ring->head * ring->item_size);
    }
    anyc__free(ring->items);
    ring->items = items;
    ring->capacity = capacity;
    ring->head = 0;
    return 0;
}

/* 0, or ANYC_ENOMEM with nothing changed. `max`: how many items there may be, more than count. */
static inline int anyc__item_ring_push(struct item_ring *ring, const void *item, size_t max)
{
    int rc = 0;

    ANYC_ASSERT(ring->count < max);
    if (ring->count == ring->capacity)
        rc = anyc__item_ring_grow(ring, max);
    if (rc < 0)
        return rc;
    anyc__item_copy(anyc__item_ring_at(ring, ring->count), item, ring->item_size);
    ring->count++;
    return 0;
}

/* The ring holds an item. */
static inline void anyc__item_ring_pop(struct item_ring *ring, void *item)
{
    ANYC_ASSERT(ring->count > 0);
    anyc__item_copy(item, anyc__item_ring_at(ring, 0), ring->item_size);
    ring->head = (ring->head + 1) & (ring->capacity - 1);
    ring->count--;
}

/* The same for items of the size of a pointer, which are sent most, if it needs no more places:
 * false otherwise, with nothing changed. */
static inline bool anyc__item_ring_push_pointer(struct item_ring *ring, const void *item)
{
    if (ring->item_size != sizeof(void *) || ring->count == ring->capacity)
        return false;
    memcpy(anyc__item_ring_at(ring, ring->count), item, sizeof(void *));
    ring->count++;
    return true;
}

/* The same for a ring that may be empty. */
static inline bool anyc__item_ring_pop_pointer(struct item_ring *ring, void *item)
{
    if (ring->item_size != sizeof(void *) || ring->count == 0)
        return false;
    memcpy(item, anyc__item_ring_at(ring, 0), sizeof(void *));
    ring->head = (ring->head + 1) & (ring->capacity - 1);
    ring->count--;
    return true;
}

#endif
