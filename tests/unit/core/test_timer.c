/* SPDX-License-Identifier: MIT */
/*
 * test_timer.c - the timer wheel against a sorted model (WHITEBOX).
 *
 * In the model, a deadline in the past counts as the present, and of equal ones the first added is
 * the first.
 */
#include <check.h>

#include <anyc/testing.h>

#include "core/timer.h"

#include <stdlib.h>
#include <string.h>

#define TIMERS 200

struct entry {
    struct timer timer;
    bool armed;
    int64_t key;    /* the deadline, or the time of adding if that was later */
    uint64_t order; /* of adding */
};

struct model {
    struct timer_wheel wheel;
    struct entry entries[TIMERS];
    uint64_t order;
    uint64_t random;
};

static uint64_t next_random(struct model *model)
{
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return model->random;
}

static struct model *model_create(uint64_t seed, int64_t now_ns)
{
    struct model *model = calloc(1, sizeof *model);

    model->random = seed;
    model->wheel.now_ns = now_ns;
    return model;
}

static void model_add(struct model *model, struct entry *entry, int64_t deadline_ns)
{
    int64_t now_ns = model->wheel.now_ns;

    entry->timer.deadline_ns = deadline_ns;
    entry->key = deadline_ns > now_ns ? deadline_ns : now_ns;
    entry->order = model->order++;
    entry->armed = true;
    anyc__timer_add(&model->wheel, &entry->timer);
}

static struct entry *model_first(struct model *model)
{
    struct entry *first = NULL;

    for (int i = 0; i < TIMERS; i++) {
        struct entry *entry = &model->entries[i];

        if (entry->armed && (first == NULL || entry->key < first->key ||
                             (entry->key == first->key && entry->order < first->order)))
            first = entry;
    }
    return first;
}

/* Let the time come, and compare what expires with the model. */
static void model_expire(struct model *model, int64_t now_ns)
{
    struct entry *expected;
    struct timer *timer;

    do {
        expected = model_first(model);
        if (expected != NULL && expected->key > now_ns)
            expected = NULL;
        timer = anyc__timer_expire(&model->wheel, now_ns);
        ck_assert_ptr_eq(timer, expected != NULL ? &expected->timer : NULL);
        if (expected != NULL) {
            ck_assert(!anyc__timer_armed(timer));
            expected->armed = false;
        }
    } while (timer != NULL);
    ck_assert_int_ge(model->wheel.now_ns, now_ns);
}

static void model_check_next(struct model *model)
{
    struct entry *first = model_first(model);
    int64_t next_ns = anyc__timer_next(&model->wheel);

    if (first == NULL)
        ck_assert_int_eq(next_ns, ANYC__NO_DEADLINE);
    else
        ck_assert_int_le(next_ns, first->key);
}

/* Deadlines near and far: up to 2^0 .. 2^62 ns away, some in the past. */
static int64_t random_deadline(struct model *model)
{
    unsigned bits = (unsigned)(next_random(model) % 63);
    int64_t delay = (int64_t)(next_random(model) & ((UINT64_C(1) << bits) - 1));
    int64_t now_ns = model->wheel.now_ns;

    if (next_random(model) % 8 == 0)
        return now_ns - delay % (now_ns + 1);
    return delay < INT64_MAX - 1 - now_ns ? now_ns + delay : INT64_MAX - 1;
}

static void model_step(struct model *model)
{
    struct entry *entry = &model->entries[next_random(model) % TIMERS];
    unsigned bits = (unsigned)(next_random(model) % 40);

    if (next_random(model) % 16 == 0) {
        model_expire(model, model->wheel.now_ns +
                                (int64_t)(next_random(model) & ((UINT64_C(1) << bits) - 1)));
    } else if (entry->armed) {
        anyc__timer_remove(&model->wheel, &entry->timer);
        ck_assert(!anyc__timer_armed(&entry->timer));
        entry->armed = false;
    } else {
        model_add(model, entry, random_deadline(model));
    }
    model_check_next(model);
}

static void model_check(uint64_t seed, int64_t now_ns)
{
    struct model *model = model_create(seed, now_ns);
    size_t armed = 0;

    for (int i = 0; i < 20000; i++)
        model_step(model);
    for (int i = 0; i < TIMERS; i++)
        armed += model->entries[i].armed;
    ck_assert_uint_eq(model->wheel.count, armed);
    model_expire(model, INT64_MAX - 1);
    ck_assert_uint_eq(model->wheel.count, 0);
    ck_assert_uint_eq(model->wheel.levels, 0);
    free(model);
}

ANYC_TEST_PLAIN(test_timer__expires_as_a_sorted_model_does)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        model_check(seed * UINT64_C(0x9e3779b97f4a7c15), 0);
    model_check(99, 123456789012345);
    model_check(7, INT64_MAX / 2);
}

ANYC_TEST_PLAIN(test_timer__expires_equal_deadlines_in_the_order_of_adding)
{
    struct model *model = model_create(1, 0);
    const int64_t deadline = 1000000;

    /* added from further and further near: at first to a high level, at last to the lowest */
    for (int i = 0; i < TIMERS - 2; i++) {
        model_expire(model, deadline * i / TIMERS);
        model_add(model, &model->entries[i], deadline);
    }
    model_expire(model, deadline - 1);
    model_add(model, &model->entries[TIMERS - 2], deadline);
    model_expire(model, deadline);
    free(model);
}

ANYC_TEST_PLAIN(test_timer__expires_the_past_at_once)
{
    struct model *model = model_create(1, 1000);

    model_add(model, &model->entries[0], 0);
    model_add(model, &model->entries[1], INT64_MIN + 1);
    model_add(model, &model->entries[2], 1000);
    ck_assert_int_le(anyc__timer_next(&model->wheel), 1000);
    model_expire(model, 1000);
    ck_assert_uint_eq(model->wheel.count, 0);
    free(model);
}

ANYC_TEST_PLAIN(test_timer__knows_a_lone_deadline_exactly)
{
    struct model *model = model_create(1, 0);

    for (int shift = 0; shift < 62; shift++) {
        int64_t deadline = (INT64_C(1) << shift) + shift;

        model_add(model, &model->entries[0], deadline);
        ck_assert_int_eq(anyc__timer_next(&model->wheel), deadline);
        anyc__timer_remove(&model->wheel, &model->entries[0].timer);
        anyc__timer_remove(&model->wheel, &model->entries[0].timer); /* not armed: no effect */
    }
    ck_assert_int_eq(anyc__timer_next(&model->wheel), ANYC__NO_DEADLINE);
    free(model);
}

ANYC_TEST_PLAIN(test_timer__does_not_expire_a_far_deadline_early)
{
    struct model *model = model_create(1, 0);

    model_add(model, &model->entries[0], INT64_MAX - 1);
    for (int64_t now_ns = 1; now_ns < INT64_MAX / 4; now_ns *= 3)
        ck_assert_ptr_null(anyc__timer_expire(&model->wheel, now_ns));
    ck_assert_ptr_null(anyc__timer_expire(&model->wheel, INT64_MAX - 2));
    ck_assert_ptr_eq(anyc__timer_expire(&model->wheel, INT64_MAX - 1), &model->entries[0].timer);
    free(model);
}
