/* SPDX-License-Identifier: MIT */
/*
 * test_memory.c - memory object streams: what AnyIO's tests show.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/lowlevel.h>
#include <anyc/memory_stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <string.h>

#include "memory_pair.h"

/* ST-001. The sizes have no sign: a negative one is a number above PTRDIFF_MAX. */
ANYC_TEST(test_memory__refuses_a_negative_buffer_size)
{
    struct pair pair = {NULL, NULL};

    ck_assert_int_eq(
        anyc_create_memory_object_stream((size_t)-2, sizeof(int), &pair.send, &pair.receive),
        ANYC_EINVAL);
    ck_assert_ptr_null(pair.send);
    ck_assert_int_eq(
        anyc_create_memory_object_stream((size_t)-1, sizeof(int), &pair.send, &pair.receive), 0);
    pair_end(&pair);
}

ANYC_TEST(test_memory__refuses_items_without_a_size)
{
    struct pair pair = {NULL, NULL};

    ck_assert_int_eq(anyc_create_memory_object_stream(1, 0, &pair.send, &pair.receive),
                     ANYC_EINVAL);
    ck_assert_ptr_null(pair.receive);
}

/* ST-002 */
ANYC_TEST(test_memory__send_nowait_serves_each_waiting_receiver)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job jobs[2] = {{.pair = &pair}, {.pair = &pair}};

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver, &jobs[0]);
    group_start(&group, receiver, &jobs[1]);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(send_text_nowait(&pair, "hello"), 0);
    ck_assert_int_eq(send_text_nowait(&pair, "anyio"), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_str_eq(jobs[0].item, "hello");
    ck_assert_str_eq(jobs[1].item, "anyio");
    pair_end(&pair);
}

/* ST-003. On the virtual clock, fail_after allows no waiting at all. */
ANYC_TEST_WITH(test_memory__receive_nowait_releases_a_sender, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    struct pair pair;
    struct job job = {.pair = &pair, .item = "anyio", .rc = 1};

    pair_open(&pair, 1);
    ck_assert_int_eq(send_text_nowait(&pair, "hello"), 0);
    ck_assert_int_eq(anyc_fail_after(&scope, 1, false), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, sender, &job);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(job.rc, 1);
    expect_nowait(&pair, "hello");
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, 0), 0);
    ck_assert_int_eq(job.rc, 0);
    expect_nowait(&pair, "anyio");
    pair_end(&pair);
}

static int receive_until_eof(void *arg)
{
    struct job *job = arg;
    const char *text;
    char all[32] = "";

    for (job->rc = 0; job->rc >= 0;) {
        job->rc = anyc_memory_receive_stream_receive(job->pair->receive, &text);
        if (job->rc >= 0)
            strcat(all, text);
    }
    ck_assert_str_eq(all, "helloanyio");
    return job->rc == ANYC_EOF ? 0 : job->rc;
}

/* ST-004 */
ANYC_TEST(test_memory__a_loop_of_receives_ends_with_the_stream)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair};

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receive_until_eof, &job);
    ck_assert_int_eq(send_text(&pair, "hello"), 0);
    ck_assert_int_eq(send_text(&pair, "anyio"), 0);
    ck_assert_int_eq(anyc_close(pair.send), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_EOF);
    pair_end(&pair);
}

/* ST-005, ST-R020: the end of the stream is all that is told. */
ANYC_TEST(test_memory__a_closed_send_end_is_the_end_of_the_stream)
{
    struct pair pair;

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_close(pair.send), 0);
    ck_assert_int_eq(receive_text_nowait(&pair), ANYC_EOF);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_EOF);
    ck_assert_int_eq(anyc_last_error()->os_error, 0);
    ck_assert_str_eq(anyc_last_error()->message, anyc_strerror(ANYC_EOF));
    ck_assert_int_eq(send_text(&pair, "x"), ANYC_ECLOSED);
    pair_end(&pair);
}

/* ST-006, ST-R005: the withdrawn item is still the sender's. */
ANYC_TEST(test_memory__a_cancelled_sender_takes_its_item_back)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair, .item = "hello"};

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, sender, &job);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECANCELLED);
    ck_assert_int_eq(receive_text_nowait(&pair), ANYC_EWOULDBLOCK);
    pair_end(&pair);
}

/* ST-007 */
ANYC_TEST(test_memory__clones_work_when_the_originals_are_closed)
{
    struct pair pair;
    struct pair clone;

    pair_open(&pair, 1);
    ck_assert_int_eq(anyc_memory_send_stream_clone(pair.send, &clone.send), 0);
    ck_assert_int_eq(anyc_memory_receive_stream_clone(pair.receive, &clone.receive), 0);
    pair_end(&pair);
    ck_assert_int_eq(send_text_nowait(&clone, "hello"), 0);
    expect_nowait(&clone, "hello");
    pair_end(&clone);
}

/* ST-008 */
ANYC_TEST(test_memory__a_closed_end_cannot_be_cloned)
{
    struct pair pair;
    struct pair clone = {NULL, NULL};

    pair_open(&pair, 1);
    ck_assert_int_eq(anyc_close(pair.send), 0);
    ck_assert_int_eq(anyc_close(pair.receive), 0);
    ck_assert_int_eq(anyc_memory_send_stream_clone(pair.send, &clone.send), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_memory_receive_stream_clone(pair.receive, &clone.receive), ANYC_ECLOSED);
    ck_assert_ptr_null(clone.send);
    ck_assert_ptr_null(clone.receive);
    pair_end(&pair);
}

static int receiver_that_fails(void *arg)
{
    struct job *job = arg;

    return anyc_memory_receive_stream_receive(job->pair->receive, &job->item);
}

/* ST-009 */
ANYC_TEST(test_memory__closing_the_send_end_wakes_a_receiver)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair};
    const anyc_task_error *errors;
    size_t count;

    pair_open(&pair, 1);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver_that_fails, &job);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_close(pair.send), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_EOF);
    errors = anyc_task_group_errors(&group, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(errors[0].code, ANYC_EOF);
    pair_end(&pair);
}

/* ST-010 */
ANYC_TEST(test_memory__items_in_the_buffer_outlive_the_send_end)
{
    struct pair pair;

    pair_open(&pair, 1);
    ck_assert_int_eq(send_text(&pair, "hello"), 0);
    ck_assert_int_eq(anyc_close(pair.send), 0);
    expect(&pair, "hello");
    ck_assert_int_eq(receive_text_nowait(&pair), ANYC_EOF);
    pair_end(&pair);
}

/* ST-011, ST-R001 */
ANYC_TEST(test_memory__receive_in_a_cancelled_scope_takes_nothing)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    struct pair pair;
    struct job jobs[2] = {{.pair = &pair, .item = "hello"}, {.pair = &pair, .item = "world"}};
    const char *text = NULL;

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, sender, &jobs[0]);
    group_start(&group, sender, &jobs[1]);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), 0);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_memory_receive_stream_receive(pair.receive, &text), ANYC_ECANCELLED);
    ck_assert_ptr_null(text);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    expect(&pair, "hello");
    expect(&pair, "world");
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    pair_end(&pair);
}

/* ST-012, ST-R001 */
ANYC_TEST(test_memory__send_in_a_cancelled_scope_delivers_nothing)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    struct pair pair;
    struct job job = {.pair = &pair};

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver, &job);
    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), 0);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(send_text(&pair, "hello"), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(send_text(&pair, "world"), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_str_eq(job.item, "world");
    pair_end(&pair);
}

/* ST-013, ST-R004, ST-R018: the cancellation shows at the next checkpoint, and not after its scope. */
ANYC_TEST(test_memory__an_item_handed_over_before_a_cancellation_is_received)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair};

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver_in_a_scope, &job);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(send_text_nowait(&pair, "hello"), 0);
    anyc_cancel_scope_cancel(&job.scope, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, 0);
    ck_assert_str_eq(job.item, "hello");
    ck_assert(job.cancel_called);
    ck_assert_int_eq(job.next_rc, ANYC_ECANCELLED);
    ck_assert_int_eq(job.after_rc, 0);
    pair_end(&pair);
}

/* ST-014, ST-R017: into the buffer, since nobody else waits. */
ANYC_TEST(test_memory__a_cancelled_receiver_gets_no_item)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair};

    pair_open(&pair, 1);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver_in_a_scope, &job);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_cancel_scope_cancel(&job.scope, NULL);
    ck_assert_int_eq(send_text_nowait(&pair, "hello"), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECANCELLED);
    ck_assert_ptr_null(job.item);
    expect_nowait(&pair, "hello");
    pair_end(&pair);
}

/* ST-R017, ST-R003: to the next in line, or to nobody. */
ANYC_TEST(test_memory__an_item_passes_over_cancelled_receivers)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job jobs[3] = {{.pair = &pair}, {.pair = &pair}, {.pair = &pair}};
    size_t i;

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    for (i = 0; i < 3; i++)
        group_start(&group, receiver_in_a_scope, &jobs[i]);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_cancel_scope_cancel(&jobs[0].scope, NULL);
    anyc_cancel_scope_cancel(&jobs[2].scope, NULL);
    ck_assert_int_eq(send_text_nowait(&pair, "hello"), 0);
    ck_assert_int_eq(send_text_nowait(&pair, "world"), ANYC_EWOULDBLOCK);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(jobs[0].rc, ANYC_ECANCELLED);
    ck_assert_str_eq(jobs[1].item, "hello");
    ck_assert_int_eq(jobs[2].rc, ANYC_ECANCELLED);
    pair_end(&pair);
}

/* ST-015 */
ANYC_TEST_PLAIN(test_memory__works_without_a_loop_but_for_waiting)
{
    struct pair pair;
    const char *text = "x";

    pair_open(&pair, 1);
    ck_assert_int_eq(send_text(&pair, "hello"), ANYC_ENOLOOP);
    ck_assert_int_eq(send_text_nowait(&pair, "hello"), 0);
    ck_assert_int_eq(anyc_memory_receive_stream_receive(pair.receive, &text), ANYC_ENOLOOP);
    expect_nowait(&pair, "hello");
    anyc_memory_send_stream_close(pair.send);
    anyc_memory_receive_stream_close(pair.receive);
    ck_assert_int_eq(send_text_nowait(&pair, "hello"), ANYC_ECLOSED);
    ck_assert_int_eq(receive_text_nowait(&pair), ANYC_ECLOSED);
    anyc_aclose_forcefully(pair.send);
    anyc_aclose_forcefully(pair.receive);
}
