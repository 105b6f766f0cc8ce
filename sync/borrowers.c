/* SPDX-License-Identifier: MIT */
/*
 * borrowers.c - a set of addresses and task ids with O(1) look-up.
 *
 * Invariants: capacity == 0, or it is a power of two and the index has 2 * capacity slots;
 * borrowed <= max(capacity, 8); with an index, each position below `borrowed` stands in exactly one
 * slot, and no slot between an entry's home and its place is free.
 */
#include "sync/borrowers.h"

#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"

#define BORROWERS_FEW (sizeof((anyc_capacity_limiter *)NULL)->few / sizeof(anyc_borrower))
#define BORROWERS_MOST ((size_t)1 << 30)
#define BORROWERS_BYTES (sizeof(anyc_borrower) + 2 * sizeof(uint32_t)) /* for each of capacity */
#define BORROWERS_NONE SIZE_MAX

static bool borrowers_equal(anyc_borrower a, anyc_borrower b)
{
    return a.object == b.object && a.task_id == b.task_id;
}

static uint32_t *borrowers_index(const anyc_capacity_limiter *limiter)
{
    return (uint32_t *)(void *)(limiter->many + limiter->capacity);
}

static size_t borrowers_mask(const anyc_capacity_limiter *limiter)
{
    return 2 * limiter->capacity - 1;
}

/* Where the search for a borrower begins. Borrowers may be neighbours in an array: a weaker mix would
 * put them in neighbouring slots, and make the runs long that a removal walks along. */
static size_t borrowers_home(const anyc_capacity_limiter *limiter, anyc_borrower borrower)
{
    uint64_t key = (uint64_t)(uintptr_t)borrower.object + borrower.task_id;

    key *= UINT64_C(0x9e3779b97f4a7c15);
    key ^= key >> 32;
    key *= UINT64_C(0xd6e8feb86659fd93);
    return (size_t)(key >> 32) & borrowers_mask(limiter);
}

/* The slot of a borrower, or the free one where it would go. */
static size_t borrowers_slot(const anyc_capacity_limiter *limiter, anyc_borrower borrower)
{
    const uint32_t *index = borrowers_index(limiter);
    size_t slot = borrowers_home(limiter, borrower);

    while (index[slot] != 0 && !borrowers_equal(limiter->many[index[slot] - 1], borrower))
        slot = (slot + 1) & borrowers_mask(limiter);
    return slot;
}

static size_t borrowers_find_few(const anyc_capacity_limiter *limiter, anyc_borrower borrower)
{
    for (size_t i = 0; i < limiter->borrowed; i++) {
        if (borrowers_equal(limiter->few[i], borrower))
            return i;
    }
    return BORROWERS_NONE;
}

/* Free a slot, moving those behind it up that could not be found any more. */
static void borrowers_free_slot(anyc_capacity_limiter *limiter, size_t free_slot)
{
    uint32_t *index = borrowers_index(limiter);
    size_t mask = borrowers_mask(limiter);
    size_t slot = (free_slot + 1) & mask;

    while (index[slot] != 0) {
        size_t home = borrowers_home(limiter, limiter->many[index[slot] - 1]);

        if (((slot - home) & mask) >= ((slot - free_slot) & mask)) {
            index[free_slot] = index[slot];
            free_slot = slot;
        }
        slot = (slot + 1) & mask;
    }
    index[free_slot] = 0;
}

/* The last entry of the list takes the place of the one that goes. */
static bool borrowers_remove_many(anyc_capacity_limiter *limiter, anyc_borrower borrower)
{
    uint32_t *index = borrowers_index(limiter);
    size_t slot = borrowers_slot(limiter, borrower);
    uint32_t position = index[slot];
    anyc_borrower last;

    if (position == 0)
        return false;
    last = limiter->many[--limiter->borrowed];
    index[borrowers_slot(limiter, last)] = position;
    limiter->many[position - 1] = last;
    borrowers_free_slot(limiter, slot);
    return true;
}

/* Move all to a larger block. */
static int borrowers_grow(anyc_capacity_limiter *limiter, size_t capacity)
{
    anyc_capacity_limiter grown = {.capacity = capacity};

    grown.many = anyc__alloc_array(capacity, BORROWERS_BYTES);
    if (grown.many == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    memset(borrowers_index(&grown), 0, 2 * capacity * sizeof(uint32_t));
    while (grown.borrowed < limiter->borrowed)
        anyc__borrowers_add(&grown, anyc__borrowers_list(limiter)[grown.borrowed]);
    anyc__free(limiter->many);
    limiter->many = grown.many;
    limiter->capacity = capacity;
    return 0;
}

bool anyc__borrowers_has(const anyc_capacity_limiter *limiter, anyc_borrower borrower)
{
    if (limiter->capacity == 0)
        return borrowers_find_few(limiter, borrower) != BORROWERS_NONE;
    return borrowers_index(limiter)[borrowers_slot(limiter, borrower)] != 0;
}

int anyc__borrowers_reserve(anyc_capacity_limiter *limiter, size_t count)
{
    size_t capacity = limiter->capacity != 0 ? limiter->capacity : BORROWERS_FEW;

    if (count <= capacity)
        return 0;
    if (count > BORROWERS_MOST)
        return anyc__fail_plain(ANYC_ENOMEM);
    while (capacity < count)
        capacity *= 2;
    return borrowers_grow(limiter, capacity);
}

void anyc__borrowers_add(anyc_capacity_limiter *limiter, anyc_borrower borrower)
{
    size_t position = limiter->borrowed++;

    if (limiter->capacity == 0) {
        ANYC_ASSERT(position < BORROWERS_FEW);
        limiter->few[position] = borrower;
        return;
    }
    ANYC_ASSERT(position < limiter->capacity);
    borrowers_index(limiter)[borrowers_slot(limiter, borrower)] = (uint32_t)position + 1;
    limiter->many[position] = borrower;
}

bool anyc__borrowers_remove(anyc_capacity_limiter *limiter, anyc_borrower borrower)
{
    size_t position;

    if (limiter->capacity != 0)
        return borrowers_remove_many(limiter, borrower);
    position = borrowers_find_few(limiter, borrower);
    if (position == BORROWERS_NONE)
        return false;
    limiter->few[position] = limiter->few[--limiter->borrowed];
    return true;
}
