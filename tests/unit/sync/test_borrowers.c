/* SPDX-License-Identifier: MIT */
/*
 * test_borrowers.c - the set behind a capacity limiter, against a plain array.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/testing.h>

#include "sync/borrowers.h"

#define ENTRIES 300

/* Borrowers that look alike: addresses with a stride, and the ids of tasks. */
static anyc_borrower borrower(size_t i, size_t stride)
{
    if (i % 3 == 0)
        return (anyc_borrower){.task_id = i + 1};
    return (anyc_borrower){.object = (const void *)((i + 1) * stride)};
}

static void check_against(const anyc_capacity_limiter *limiter, const bool *there, size_t stride)
{
    size_t count = 0;

    for (size_t i = 0; i < ENTRIES; i++) {
        ck_assert_int_eq(anyc__borrowers_has(limiter, borrower(i, stride)), there[i]);
        count += there[i];
    }
    ck_assert_uint_eq(limiter->borrowed, count);
}

/* Add one, or remove it if it is there. */
static void toggle(anyc_capacity_limiter *limiter, bool *there, anyc_borrower which)
{
    ck_assert_int_eq(anyc__borrowers_remove(limiter, which), *there);
    if (!*there) {
        ck_assert_int_eq(anyc__borrowers_reserve(limiter, limiter->borrowed + 1), 0);
        anyc__borrowers_add(limiter, which);
    }
    *there = !*there;
}

static void add_and_remove(size_t stride)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(ENTRIES);
    bool there[ENTRIES] = {false};
    uint32_t random = 1;

    for (int i = 0; i < 5000; i++) {
        size_t which;

        random = random * 1664525u + 1013904223u;
        which = (random >> 8) % ENTRIES;
        toggle(&limiter, &there[which], borrower(which, stride));
        if (i % 97 == 0)
            check_against(&limiter, there, stride);
    }
    check_against(&limiter, there, stride);
    anyc_capacity_limiter_deinit(&limiter);
}

ANYC_TEST_PLAIN(test_borrowers__are_found_again_whatever_their_addresses)
{
    const size_t strides[] = {1, 16, 64, 4096, (size_t)1 << 32};

    for (size_t i = 0; i < sizeof strides / sizeof strides[0]; i++)
        add_and_remove(strides[i]);
}

/* The longest run of slots in use, the most that one call looks at. */
static size_t longest_run(const anyc_capacity_limiter *limiter)
{
    const uint32_t *index = (const uint32_t *)(const void *)(limiter->many + limiter->capacity);
    size_t longest = 0;
    size_t run = 0;

    for (size_t i = 0; i < 2 * limiter->capacity; i++) {
        run = index[i] != 0 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

ANYC_TEST_PLAIN(test_borrowers__are_spread_whatever_their_addresses)
{
    const size_t count = 16384; /* the index is half full */

    for (size_t shift = 0; shift < 40; shift += 4) {
        anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(count);

        for (size_t i = 0; i < count; i++) {
            const void *object = (const void *)((i + 1) << shift);

            if (anyc__borrowers_reserve(&limiter, i + 1) == 0)
                anyc__borrowers_add(&limiter, (anyc_borrower){.object = object});
        }
        ck_assert_uint_eq(limiter.borrowed, count);
        ck_assert_uint_eq(limiter.capacity, count);
        ck_assert_uint_lt(longest_run(&limiter), 150);
        anyc_capacity_limiter_deinit(&limiter);
    }
}

ANYC_TEST_PLAIN(test_borrowers__are_listed_without_gaps)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(ENTRIES);
    size_t sum = 0;

    for (size_t i = 0; i < 20; i++) {
        ck_assert_int_eq(anyc__borrowers_reserve(&limiter, i + 1), 0);
        anyc__borrowers_add(&limiter, (anyc_borrower){.task_id = i + 1});
    }
    ck_assert(anyc__borrowers_remove(&limiter, (anyc_borrower){.task_id = 1}));
    ck_assert(anyc__borrowers_remove(&limiter, (anyc_borrower){.task_id = 20}));
    ck_assert(anyc__borrowers_remove(&limiter, (anyc_borrower){.task_id = 10}));
    for (size_t i = 0; i < limiter.borrowed; i++)
        sum += anyc__borrowers_list(&limiter)[i].task_id;
    ck_assert_uint_eq(limiter.borrowed, 17);
    ck_assert_uint_eq(sum, 20 * 21 / 2 - 1 - 20 - 10);
    anyc_capacity_limiter_deinit(&limiter);
}

ANYC_TEST_PLAIN(test_borrowers__refuse_more_than_an_index_can_hold)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(ENTRIES);

    ck_assert_int_eq(anyc__borrowers_reserve(&limiter, ((size_t)1 << 30) + 1), ANYC_ENOMEM);
    ck_assert_int_eq(anyc__borrowers_reserve(&limiter, SIZE_MAX), ANYC_ENOMEM);
    ck_assert_uint_eq(limiter.capacity, 0);
}
