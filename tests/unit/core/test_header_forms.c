/* SPDX-License-Identifier: MIT */
/*
 * test_header_forms.c - ways of writing a call that the headers' macros must allow. Compiled with
 * all warnings as errors.
 */
#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <check.h>

struct point {
    int x;
    int y;
};

static int point_sum(void *arg)
{
    const struct point *point = arg;

    return point->x + point->y;
}

static int nested_sum(void *arg)
{
    return point_sum(arg);
}

/* Initial values are of use within the caller's own structs. */
struct room {
    int number;
    anyc_event opened;
    anyc_lock lock;
    anyc_condition changed;
    anyc_semaphore seats;
    anyc_task_group guests;
};

ANYC_TEST(test_header_forms__initial_values_nest)
{
    struct room room = {
        .number = 7,
        .opened = ANYC_EVENT_INIT,
        .lock = ANYC_LOCK_INIT,
        .changed = ANYC_CONDITION_INIT,
        .seats = ANYC_SEMAPHORE_INIT(2),
        .guests = ANYC_TASK_GROUP_INIT,
    };

    ck_assert(!anyc_event_is_set(&room.opened));
    ck_assert(!anyc_lock_locked(&room.lock));
    ck_assert(!anyc_condition_locked(&room.changed));
    ck_assert_uint_eq(anyc_semaphore_value(&room.seats), 2);
    ck_assert_int_eq(anyc_task_group_enter(&room.guests), 0);
    ck_assert_int_eq(anyc_task_group_exit(&room.guests, room.number), 7);
}

/* A compound literal with a comma in it is one argument, also of a macro. */
ANYC_TEST(test_header_forms__spawning_takes_a_compound_literal)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    int sum = 0;
    int rc;

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    rc = anyc_task_group_start_soon_copy(&group, nested_sum, &(struct point){1, 2},
                                         sizeof(struct point), NULL);
    ck_assert_int_eq(rc, 0);
    /* not within an assertion: a literal lives as long as the block around it */
    rc = anyc_task_group_create_task(&group, point_sum, &(struct point){3, 4}, NULL, &handle);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(anyc_task_handle_wait(&handle, &sum), 0);
    ck_assert_int_eq(sum, 7);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
}

ANYC_TEST_PLAIN(test_header_forms__a_run_takes_compound_literals)
{
    int rc = anyc_run_with(point_sum, &(struct point){5, 6},
                           &(anyc_run_options){.backend = anyc_testing_backend(), .name = "sum"});

    ck_assert_int_eq(rc, 11);
}
