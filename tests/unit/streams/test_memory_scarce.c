/* SPDX-License-Identifier: MIT */
/*
 * test_memory_scarce.c - memory object streams when memory is short.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/memory_stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "memory_pair.h"
#include "scarce.h"

ANYC_TEST_PLAIN(test_memory_scarce__creating_without_memory_leaves_nothing_behind)
{
    struct pair pair;
    int count = 0;
    int rc;

    do {
        pair = (struct pair){NULL, NULL};
        scarce_allow(count++);
        rc = anyc_create_memory_object_stream(1, 8, &pair.send, &pair.receive);
        ck_assert(rc == 0 || (rc == ANYC_ENOMEM && scarce_live() == 0));
        ck_assert(rc == 0 || (pair.send == NULL && pair.receive == NULL));
    } while (rc < 0);
    scarce_allow(0);
    ck_assert_int_eq(anyc_memory_send_stream_clone(pair.send, &pair.send), ANYC_ENOMEM);
    ck_assert_int_eq(anyc_memory_receive_stream_clone(pair.receive, &pair.receive), ANYC_ENOMEM);
    anyc_aclose_forcefully(pair.send);
    anyc_aclose_forcefully(pair.receive);
    ck_assert_int_eq(scarce_live(), 0);
}

ANYC_TEST_PLAIN(test_memory_scarce__a_buffer_that_cannot_grow_changes_nothing)
{
    struct pair pair;
    int sent = 0;

    scarce_allow(SCARCE_PLENTY);
    pair_open(&pair, 1000000);
    scarce_allow(1);
    while (send_text_nowait(&pair, "x") == 0)
        sent++;
    ck_assert_int_eq(send_text_nowait(&pair, "x"), ANYC_ENOMEM);
    ck_assert_int_eq(sent, 8);
    scarce_allow(1);
    ck_assert_int_eq(send_text_nowait(&pair, "y"), 0);
    while (sent-- > 0)
        expect_nowait(&pair, "x");
    expect_nowait(&pair, "y");
    ck_assert_int_eq(receive_text_nowait(&pair), ANYC_EWOULDBLOCK);
    anyc_aclose_forcefully(pair.send);
    anyc_aclose_forcefully(pair.receive);
    ck_assert_int_eq(scarce_live(), 0);
}

static int hand_over(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair};
    int i;

    (void)arg;
    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_for_ever, &job);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    scarce_allow(0);
    for (i = 0; i < 10000; i++)
        expect(&pair, "x");
    ck_assert_int_eq(anyc_close(pair.receive), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(job.rc, ANYC_EBROKEN);
    pair_end(&pair);
    return 0;
}

ANYC_TEST_PLAIN(test_memory_scarce__handing_over_allocates_nothing)
{
    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(anyc_run(hand_over, anyc_testing_backend()), 0);
}
