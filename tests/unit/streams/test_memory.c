/* SPDX-License-Identifier: MIT */
/*
 * test_memory.c - memory object streams: AnyIO's behaviours, and what C adds to them.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/lowlevel.h>
#include <anyc/memory_stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <string.h>

#include "scarce.h"

/* One stream of strings with its two ends. */
struct pair {
    anyc_memory_send_stream *send;
    anyc_memory_receive_stream *receive;
};

/* A task that sends or receives one string. */
struct job {
    struct pair *pair;
    const char *item;
    int rc;
    anyc_cancel_scope scope;
    bool cancel_called;
    int next_rc;  /* of a checkpoint after the call, in the scope */
    int after_rc; /* of one after the scope */
};

static void pair_open(struct pair *pair, size_t max_buffer_size)
{
    ck_assert_int_eq(anyc_create_memory_object_stream(max_buffer_size, sizeof(const char *),
                                                      &pair->send, &pair->receive),
                     0);
}

static void pair_end(struct pair *pair)
{
    ck_assert_int_eq(anyc_aclose(pair->send), 0);
    ck_assert_int_eq(anyc_aclose(pair->receive), 0);
}

static int send_text(const struct pair *pair, const char *text)
{
    return anyc_memory_send_stream_send(pair->send, &text);
}

static int send_text_nowait(const struct pair *pair, const char *text)
{
    return anyc_memory_send_stream_send_nowait(pair->send, &text);
}

static int receive_text_nowait(const struct pair *pair)
{
    const char *text = NULL;
    int rc = anyc_memory_receive_stream_receive_nowait(pair->receive, &text);

    ck_assert(rc >= 0 || text == NULL);
    return rc;
}

static void expect_nowait(const struct pair *pair, const char *expected)
{
    const char *text = NULL;

    ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(pair->receive, &text), 0);
    ck_assert_str_eq(text, expected);
}

static void expect(const struct pair *pair, const char *expected)
{
    const char *text = NULL;

    ck_assert_int_eq(anyc_memory_receive_stream_receive(pair->receive, &text), 0);
    ck_assert_str_eq(text, expected);
}

/* Tasks: the result stays in the job, the group sees none. */

static int sender(void *arg)
{
    struct job *job = arg;

    job->rc = send_text(job->pair, job->item);
    return 0;
}

static int receiver(void *arg)
{
    struct job *job = arg;

    job->item = NULL;
    job->rc = anyc_memory_receive_stream_receive(job->pair->receive, &job->item);
    return 0;
}

static int receiver_that_fails(void *arg)
{
    struct job *job = arg;

    return anyc_memory_receive_stream_receive(job->pair->receive, &job->item);
}

static int receiver_in_a_scope(void *arg)
{
    struct job *job = arg;
    int rc;

    ck_assert_int_eq(anyc_cancel_scope_enter(&job->scope, NULL), 0);
    job->item = NULL;
    job->rc = anyc_memory_receive_stream_receive(job->pair->receive, &job->item);
    job->next_rc = anyc_checkpoint();
    rc = anyc_cancel_scope_exit(&job->scope, job->next_rc);
    job->cancel_called = anyc_cancel_scope_cancel_called(&job->scope);
    job->after_rc = anyc_checkpoint();
    return rc;
}

static void group_start(anyc_task_group *group, anyc_task_fn fn, void *arg)
{
    ck_assert_int_eq(anyc_task_group_start_soon(group, fn, arg, NULL), 0);
}

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

/* ST-R002 */
ANYC_TEST(test_memory__nowait_does_not_run_whom_it_wakes)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair, .rc = 1};

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver, &job);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    job.rc = 1;
    ck_assert_int_eq(send_text_nowait(&pair, "hello"), 0);
    ck_assert_int_eq(job.rc, 1);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, 0);
    pair_end(&pair);
}

/* ST-R003: the waiting senders' items come behind those in the buffer, in the senders' order. */
ANYC_TEST(test_memory__everything_is_first_in_first_out)
{
    static const char *const texts[] = {"0", "1", "2", "3", "4"};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job jobs[3];
    size_t i;

    pair_open(&pair, 2);
    ck_assert_int_eq(send_text(&pair, texts[0]), 0);
    ck_assert_int_eq(send_text(&pair, texts[1]), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    for (i = 0; i < 3; i++) {
        jobs[i] = (struct job){.pair = &pair, .item = texts[i + 2]};
        group_start(&group, sender, &jobs[i]);
    }
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    for (i = 0; i < 5; i++)
        expect(&pair, texts[i]);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    pair_end(&pair);
}

/* ST-R003: the receiver that waited longest is served first. */
ANYC_TEST(test_memory__receivers_are_served_in_the_order_they_came)
{
    static const char *const texts[] = {"0", "1", "2", "3", "4"};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job jobs[5];
    size_t i;

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    for (i = 0; i < 5; i++) {
        jobs[i] = (struct job){.pair = &pair};
        group_start(&group, receiver, &jobs[i]);
    }
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    for (i = 0; i < 5; i++)
        ck_assert_int_eq(send_text(&pair, texts[i]), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    for (i = 0; i < 5; i++)
        ck_assert_str_eq(jobs[i].item, texts[i]);
    pair_end(&pair);
}

static int count_calls(void *arg)
{
    int *calls = arg;

    for (;;) {
        int rc = anyc_checkpoint();

        if (rc < 0)
            return rc;
        (*calls)++;
    }
}

/* ST-R001: calls that need not wait let others run (by budget). */
ANYC_TEST(test_memory__calls_that_need_not_wait_let_others_run)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    int calls = 0;
    int before;
    int i;

    pair_open(&pair, SIZE_MAX);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, count_calls, &calls);
    for (i = 0; i < 10000; i++)
        ck_assert_int_eq(send_text(&pair, "x"), 0);
    before = calls;
    ck_assert_int_gt(before, 0);
    for (i = 0; i < 10000; i++)
        expect(&pair, "x");
    ck_assert_int_gt(calls, before);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    pair_end(&pair);
}

static void destroy_counted(void *item, void *arg)
{
    int *destroyed = arg;

    (void)item;
    (*destroyed)++;
}

/* ST-R005 */
ANYC_TEST(test_memory__items_left_behind_are_destroyed_with_the_last_receive_end)
{
    int destroyed = 0;
    struct pair pair;
    anyc_memory_receive_stream *clone;
    int i;

    ck_assert_int_eq(anyc_create_memory_object_stream_with(
                         SIZE_MAX, sizeof(const char *),
                         &(anyc_memory_object_stream_options){destroy_counted, &destroyed},
                         &pair.send, &pair.receive),
                     0);
    ck_assert_int_eq(anyc_memory_receive_stream_clone(pair.receive, &clone), 0);
    for (i = 0; i < 20; i++)
        ck_assert_int_eq(send_text(&pair, "x"), 0);
    for (i = 0; i < 3; i++)
        expect(&pair, "x");
    ck_assert_int_eq(anyc_aclose(pair.send), 0);
    ck_assert_int_eq(anyc_aclose(pair.receive), 0);
    ck_assert_int_eq(destroyed, 0);
    ck_assert_int_eq(anyc_aclose(clone), 0);
    ck_assert_int_eq(destroyed, 17);
}

/* ST-R005: what was not sent stays the sender's. */
ANYC_TEST(test_memory__items_that_were_not_sent_are_not_destroyed)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int destroyed = 0;
    struct pair pair;
    struct job job = {.pair = &pair, .item = "hello"};

    ck_assert_int_eq(anyc_create_memory_object_stream_with(
                         0, sizeof(const char *),
                         &(anyc_memory_object_stream_options){destroy_counted, &destroyed},
                         &pair.send, &pair.receive),
                     0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, sender, &job);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_close(pair.receive), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_EBROKEN);
    pair_end(&pair);
    ck_assert_int_eq(destroyed, 0);
}

/* ST-R006: with the last receive end, not before, senders get BROKEN. */
ANYC_TEST(test_memory__closing_all_receive_ends_breaks_senders)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair, .item = "hello", .rc = 1};
    anyc_memory_receive_stream *clone;

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_memory_receive_stream_clone(pair.receive, &clone), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, sender, &job);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_close(pair.receive), 0);
    ck_assert_int_eq(anyc_close(pair.receive), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(job.rc, 1);
    ck_assert_int_eq(anyc_aclose(clone), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_EBROKEN);
    ck_assert_int_eq(send_text(&pair, "x"), ANYC_EBROKEN);
    ck_assert_int_eq(send_text_nowait(&pair, "x"), ANYC_EBROKEN);
    pair_end(&pair);
}

/* ST-R006: with the last send end, not before, receivers get EOF. */
ANYC_TEST(test_memory__the_stream_ends_with_the_last_send_end)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair};
    anyc_memory_send_stream *clone;

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_memory_send_stream_clone(pair.send, &clone), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver, &job);
    job.rc = 1;
    ck_assert_int_eq(anyc_close(pair.send), 0);
    ck_assert_int_eq(anyc_close(pair.send), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(job.rc, 1);
    ck_assert_int_eq(anyc_aclose(clone), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_EOF);
    pair_end(&pair);
}

/* ST-R007: only the tasks of the closed end are woken, and their items are not delivered. */
ANYC_TEST(test_memory__closing_an_end_wakes_the_tasks_that_wait_in_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct pair clone;
    struct job jobs[2] = {{.pair = &pair, .item = "hello"}, {.pair = &clone, .item = "world"}};

    pair_open(&pair, 0);
    clone = pair;
    ck_assert_int_eq(anyc_memory_send_stream_clone(pair.send, &clone.send), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, sender, &jobs[0]);
    group_start(&group, sender, &jobs[1]);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_close(pair.send), 0);
    expect(&pair, "world");
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(jobs[0].rc, ANYC_ECLOSED);
    ck_assert_int_eq(jobs[1].rc, 0);
    ck_assert_int_eq(receive_text_nowait(&pair), ANYC_EWOULDBLOCK);
    ck_assert_int_eq(anyc_aclose(clone.send), 0);
    pair_end(&pair);
}

/* ST-R007; the memory goes in the same moment. */
ANYC_TEST(test_memory__an_end_can_be_freed_while_tasks_wait_in_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job jobs[2] = {{.pair = &pair}, {.pair = &pair}};

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver, &jobs[0]);
    group_start(&group, receiver, &jobs[1]);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_aclose(pair.receive), 0);
    ck_assert_int_eq(anyc_aclose(pair.send), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(jobs[0].rc, ANYC_ECLOSED);
    ck_assert_int_eq(jobs[1].rc, ANYC_ECLOSED);
}

static int send_for_ever(void *arg)
{
    struct job *job = arg;

    for (job->rc = 0; job->rc >= 0;)
        job->rc = send_text(job->pair, "x");
    return 0;
}

/* The sender never waits: it is met where it lets others run. */
ANYC_TEST(test_memory__an_end_can_be_freed_while_a_task_is_at_its_checkpoint)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair};

    pair_open(&pair, SIZE_MAX);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_for_ever, &job);
    ck_assert_int_eq(anyc_checkpoint(), 0);
    ck_assert_int_eq(anyc_aclose(pair.send), 0);
    ck_assert_int_eq(anyc_aclose(pair.receive), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECLOSED);
}

ANYC_TEST(test_memory__tells_all_six_statistics)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct pair clone;
    struct job jobs[2] = {{.pair = &pair, .item = "a"}, {.pair = &pair, .item = "b"}};
    anyc_memory_stream_stats stats;

    pair_open(&pair, 3);
    ck_assert_int_eq(anyc_memory_send_stream_clone(pair.send, &clone.send), 0);
    ck_assert_int_eq(anyc_memory_receive_stream_clone(pair.receive, &clone.receive), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(send_text(&pair, "x"), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, sender, &jobs[0]);
    group_start(&group, sender, &jobs[1]);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_aclose(clone.receive), 0);
    anyc_memory_send_stream_statistics(pair.send, &stats);
    ck_assert_uint_eq(stats.current_buffer_used, 3);
    ck_assert_uint_eq(stats.max_buffer_size, 3);
    ck_assert_uint_eq(stats.open_send_streams, 2);
    ck_assert_uint_eq(stats.open_receive_streams, 1);
    ck_assert_uint_eq(stats.tasks_waiting_send, 2);
    ck_assert_uint_eq(stats.tasks_waiting_receive, 0);
    ck_assert_int_eq(anyc_close(pair.receive), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    anyc_memory_receive_stream_statistics(pair.receive, &stats);
    ck_assert_uint_eq(stats.current_buffer_used, 0);
    ck_assert_uint_eq(stats.tasks_waiting_send, 0);
    ck_assert_int_eq(anyc_aclose(clone.send), 0);
    pair_end(&pair);
}

ANYC_TEST(test_memory__tells_how_many_wait_to_receive)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job jobs[2] = {{.pair = &pair}, {.pair = &pair}};
    anyc_memory_stream_stats stats;

    pair_open(&pair, SIZE_MAX);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver, &jobs[0]);
    group_start(&group, receiver, &jobs[1]);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_memory_receive_stream_statistics(pair.receive, &stats);
    ck_assert_uint_eq(stats.tasks_waiting_receive, 2);
    ck_assert_uint_eq(stats.max_buffer_size, SIZE_MAX);
    anyc_task_group_cancel(&group, NULL);
    anyc_memory_receive_stream_statistics(pair.receive, &stats);
    ck_assert_uint_eq(stats.tasks_waiting_receive, 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    pair_end(&pair);
}

/* Items of an odd size, through a ring that wraps and grows at the same time. */
ANYC_TEST(test_memory__items_of_any_size_stay_in_order)
{
    struct item {
        uint8_t bytes[23];
    } item;
    struct pair pair;
    uint8_t in = 0;
    uint8_t out = 0;
    int round;
    int i;

    ck_assert_int_eq(anyc_create_memory_object_stream(100, sizeof item, &pair.send, &pair.receive),
                     0);
    for (round = 0; round < 40; round++) {
        for (i = 0; i < 5; i++) {
            if (anyc_memory_send_stream_send_nowait(pair.send, memset(&item, in, sizeof item)) == 0)
                in++;
        }
        for (i = 0; i < 3; i++) {
            ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(pair.receive, &item), 0);
            ck_assert_uint_eq(item.bytes[0], out);
            ck_assert_uint_eq(item.bytes[22], out++);
        }
    }
    ck_assert_uint_eq(in - out, 80);
    pair_end(&pair);
}

/* The buffer is as large as asked for, not rounded up to the places it has. */
ANYC_TEST(test_memory__the_buffer_takes_exactly_so_many_items)
{
    struct pair pair;
    size_t size;
    size_t i;

    for (size = 0; size < 20; size++) {
        pair_open(&pair, size);
        for (i = 0; i < size; i++)
            ck_assert_int_eq(send_text_nowait(&pair, "x"), 0);
        ck_assert_int_eq(send_text_nowait(&pair, "x"), ANYC_EWOULDBLOCK);
        pair_end(&pair);
    }
}

/* As object streams, the ends know one direction each. */
ANYC_TEST(test_memory__each_end_has_one_direction)
{
    struct pair pair;
    const char *text = "hello";

    pair_open(&pair, 1);
    ck_assert_int_eq(anyc_object_receive(&pair.send->stream, &text), -ENOTSUP);
    ck_assert_int_eq(anyc_object_send(&pair.receive->stream, &text), -ENOTSUP);
    ck_assert_int_eq(anyc_object_send_nowait(&pair.receive->stream, &text), -ENOTSUP);
    ck_assert_int_eq(anyc_object_send_eof(&pair.receive->stream), -ENOTSUP);
    ck_assert_int_eq(anyc_object_send(&pair.send->stream, &text), 0);
    ck_assert_int_eq(anyc_object_send_eof(&pair.send->stream), 0);
    ck_assert_int_eq(anyc_object_send(&pair.send->stream, &text), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_object_receive(&pair.receive->stream, &text), 0);
    ck_assert_int_eq(anyc_object_receive(&pair.receive->stream, &text), ANYC_EOF);
    pair_end(&pair);
}

/* -- out of memory -- */

ANYC_TEST_PLAIN(test_memory__creating_without_memory_leaves_nothing_behind)
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

ANYC_TEST_PLAIN(test_memory__a_buffer_that_cannot_grow_changes_nothing)
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

ANYC_TEST_PLAIN(test_memory__handing_over_allocates_nothing)
{
    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(anyc_run(hand_over, anyc_testing_backend()), 0);
}
