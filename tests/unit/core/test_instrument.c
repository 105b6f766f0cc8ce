/* SPDX-License-Identifier: MIT */
/*
 * test_instrument.c - hearing what the scheduler does.
 */
#include "support/tasks.h"

#include <anyc/event.h>
#include <anyc/instrument.h>

#include <stdio.h>
#include <string.h>

/* What was heard, as "spawned 2, ready 2, ..."; polls are counted only. */
struct heard {
    char text[512];
    int polls;
    double longest_poll; /* seconds */
    int balance;         /* steps begun and not ended */
};

static void heard_add(struct heard *heard, const char *what, uint64_t id)
{
    size_t len = strlen(heard->text);

    (void)snprintf(heard->text + len, sizeof heard->text - len, "%s%s %d", len > 0 ? ", " : "",
                   what, (int)id);
}

static void hear_spawned(uint64_t id, const char *name, void *arg)
{
    heard_add(arg, name, id);
}

static void hear_ready(uint64_t id, void *arg)
{
    heard_add(arg, "ready", id);
}

static void hear_before_step(uint64_t id, void *arg)
{
    ((struct heard *)arg)->balance++;
    heard_add(arg, "begin", id);
}

static void hear_after_step(uint64_t id, void *arg)
{
    ((struct heard *)arg)->balance--;
    heard_add(arg, "end", id);
}

static void hear_exited(uint64_t id, int rc, void *arg)
{
    heard_add(arg, rc == 0 ? "exit" : "fail", id);
}

static void hear_before_poll(double timeout, void *arg)
{
    struct heard *heard = arg;

    heard->polls++;
    if (timeout > heard->longest_poll)
        heard->longest_poll = timeout;
}

static const anyc_instrument tasks_instrument = {
    .task_spawned = hear_spawned,
    .task_ready = hear_ready,
    .before_step = hear_before_step,
    .after_step = hear_after_step,
    .task_exited = hear_exited,
};

static const anyc_instrument polls_instrument = {.before_poll = hear_before_poll};

static int wait_for_event_task(void *arg)
{
    return anyc_event_wait(arg);
}

ANYC_TEST(test_instrument__hears_the_life_of_a_task)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct heard heard = {0};
    anyc_event event = ANYC_EVENT_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_add_instrument(&tasks_instrument, &heard));
    ck_assert_ok(anyc_task_group_start_soon(&group, wait_for_event_task, &event, "new"));
    ck_assert_ok(anyc_checkpoint());
    anyc_event_set(&event);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_remove_instrument(&tasks_instrument));
    ck_assert_str_eq(heard.text, "new 2, ready 2, begin 2, end 2, begin 1, ready 2, end 1, "
                                 "begin 2, exit 2, ready 1, end 2, begin 1");
}

ANYC_TEST(test_instrument__hears_the_result_of_a_task)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct heard heard = {0};
    int code = E1;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_add_instrument(&tasks_instrument, &heard));
    spawn(&group, code_task, &code);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), E1);
    ck_assert_ok(anyc_remove_instrument(&tasks_instrument));
    ck_assert_ptr_nonnull(strstr(heard.text, "fail 2"));
}

/* The steps of tasks in one turn, seen by an instrument that comes in the middle of it. */
static int add_instrument_task(void *arg)
{
    ck_assert_ok(anyc_add_instrument(&tasks_instrument, arg));
    return 0;
}

ANYC_TEST(test_instrument__hears_no_end_of_a_step_it_did_not_hear_begin)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct heard heard = {0};
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, note_task, &ran);
    spawn(&group, add_instrument_task, &heard);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_remove_instrument(&tasks_instrument));
    ck_assert_ptr_null(strstr(heard.text, "end 2"));
    ck_assert_int_eq(heard.balance, 1); /* this task's step */
}

ANYC_TEST(test_instrument__hears_the_loop_poll)
{
    struct heard heard = {0};

    ck_assert_ok(anyc_add_instrument(&polls_instrument, &heard));
    ck_assert_ok(anyc_sleep(0.02));
    ck_assert_ok(anyc_remove_instrument(&polls_instrument));
    ck_assert_int_ge(heard.polls, 1);
    ck_assert_double_gt(heard.longest_poll, 0.001);
    ck_assert_double_le(heard.longest_poll, 0.02);
}

ANYC_TEST(test_instrument__may_be_one_of_several)
{
    struct heard first = {0};
    struct heard second = {0};
    static const anyc_instrument other = {.before_poll = hear_before_poll};

    ck_assert_ok(anyc_add_instrument(&polls_instrument, &first));
    ck_assert_ok(anyc_add_instrument(&other, &second));
    ck_assert_ok(anyc_sleep(0.001));
    ck_assert_int_ge(first.polls, 1);
    ck_assert_int_eq(first.polls, second.polls);
    ck_assert_ok(anyc_remove_instrument(&polls_instrument));
    ck_assert_int_eq(anyc_remove_instrument(&polls_instrument), ANYC_ENOTFOUND);
    first.polls = 0;
    ck_assert_ok(anyc_sleep(0.001));
    ck_assert_int_eq(first.polls, 0);
    ck_assert_int_ge(second.polls, 2);
}

/* The harness sees whether the one left over is freed. */
ANYC_TEST(test_instrument__need_not_be_removed)
{
    static struct heard heard;

    ck_assert_ok(anyc_add_instrument(&tasks_instrument, &heard));
    ck_assert_ok(anyc_checkpoint());
}

ANYC_TEST_PLAIN(test_instrument__needs_a_loop)
{
    ck_assert_int_eq(anyc_add_instrument(&polls_instrument, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_remove_instrument(&polls_instrument), ANYC_ENOLOOP);
}
