/* SPDX-License-Identifier: MIT */
/*
 * test_task_info.c - what can be known of tasks, and waiting until all are blocked.
 * AnyIO: test_debugging.py.
 */
#include "support/tasks.h"

#include <anyc/event.h>

#include <stdlib.h>
#include <string.h>

static int check_main_name(void *arg)
{
    anyc_task_info info;

    ck_assert_ok(anyc_get_current_task(&info));
    ck_assert_str_eq(info.name, arg);
    ck_assert_uint_eq(info.parent_id, 0);
    ck_assert_uint_eq(info.id, 1);
    ck_assert(info.running);
    return 0;
}

/* DB-001 */
ANYC_TEST_PLAIN(test_task_info__names_the_main_task_after_its_function)
{
    char name[] = "given";
    anyc_run_options options = {.backend = anyc_testing_backend(), .name = name};

    ck_assert_ok(run_on_backend(check_main_name, "check_main_name"));
    ck_assert_ok(anyc_run_with(check_main_name, "given", &options));
}

struct named {
    char name[32];
};

static int signal_name_task(void *arg, anyc_task_status *status)
{
    struct named *named = arg;
    anyc_task_info info;

    ck_assert_ok(anyc_get_current_task(&info));
    strncpy(named->name, info.name, sizeof named->name - 1);
    return anyc_task_status_started(status, named->name);
}

/* DB-002 */
ANYC_TEST(test_task_info__gives_the_name_given_to_start)
{
    static const char *const given[] = {NULL, "name", ""};
    static const char *const expected[] = {"signal_name_task", "name", ""};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 3; i++) {
        struct named named = {""};
        void *value;

        ck_assert_ok(anyc_task_group_start(&group, signal_name_task, &named, given[i], &value));
        ck_assert_str_eq(value, expected[i]);
    }
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

struct inspection {
    anyc_event event;
    size_t before;   /* tasks that ran before */
    uint64_t newest; /* highest id among them */
    anyc_task_info tasks[8];
    size_t count; /* of new ones */
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const anyc_task_info *)a)->name, ((const anyc_task_info *)b)->name);
}

static int wait_for_event_task(void *arg)
{
    return anyc_event_wait(arg);
}

static int inspect_task(void *arg)
{
    struct inspection *inspection = arg;
    size_t all;

    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_get_running_tasks(inspection->tasks, 8, &all));
    ck_assert_uint_eq(all, inspection->before + 3);
    for (size_t i = 0; i < all; i++) {
        if (inspection->tasks[i].id > inspection->newest)
            inspection->tasks[inspection->count++] = inspection->tasks[i];
    }
    qsort(inspection->tasks, inspection->count, sizeof(anyc_task_info), by_name);
    ck_assert_uint_eq(inspection->count, 3);
    ck_assert_str_eq(inspection->tasks[0].name, "inspect_task");
    ck_assert_str_eq(inspection->tasks[1].name, "task1");
    ck_assert_str_eq(inspection->tasks[2].name, "task2");
    anyc_event_set(&inspection->event);
    return 0;
}

/* DB-003 */
ANYC_TEST(test_task_info__lists_the_running_tasks)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct inspection inspection = {0};
    anyc_task_info host;

    ck_assert_ok(anyc_get_current_task(&host));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_get_running_tasks(NULL, 0, &inspection.before));
    inspection.newest = host.id;
    ck_assert_uint_eq(inspection.before, 1);
    ck_assert_ok(
        anyc_task_group_start_soon(&group, wait_for_event_task, &inspection.event, "task1"));
    ck_assert_ok(
        anyc_task_group_start_soon(&group, wait_for_event_task, &inspection.event, "task2"));
    spawn(&group, inspect_task, &inspection);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(inspection.tasks[i].parent_id, host.id);
        for (int j = 0; j < i; j++)
            ck_assert_uint_ne(inspection.tasks[i].id, inspection.tasks[j].id);
    }
}

ANYC_TEST(test_task_info__tells_what_a_task_waits_for)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_event event = ANYC_EVENT_INIT;
    anyc_task_info infos[3];
    size_t count;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_for_event_task, &event);
    ck_assert_ok(anyc_get_running_tasks(infos, 3, &count));
    ck_assert_uint_eq(count, 2);
    ck_assert_ptr_null(infos[1].waiting_for);
    ck_assert_uint_eq(infos[1].stack_size, 0);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_get_running_tasks(infos, 3, &count));
    ck_assert_str_eq(infos[1].waiting_for, "event");
    ck_assert_ptr_eq(infos[1].waiting_on, &event);
    ck_assert_ptr_nonnull(strstr(infos[1].place, "test_task_info.c:"));
    ck_assert(!infos[1].running);
    ck_assert(infos[0].running);
    anyc_event_set(&event);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

ANYC_TEST(test_task_info__counts_tasks_that_do_not_fit)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_info infos[2];
    size_t count;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 100; i++)
        spawn(&group, forever_task, NULL);
    memset(infos, 0, sizeof infos);
    ck_assert_ok(anyc_get_running_tasks(infos, 1, &count));
    ck_assert_uint_eq(count, 101);
    ck_assert_uint_ne(infos[0].id, 0);
    ck_assert_uint_eq(infos[1].id, 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

/* Touches its stack down to `bytes` below. The pointer keeps the compiler from shrinking the array
 * to what is used of it. */
static void use_stack(size_t bytes)
{
    char page[1024];
    volatile char *volatile whole = page;

    whole[0] = 1;
    if (bytes > sizeof page)
        use_stack(bytes - sizeof page);
    whole[1] = whole[0];
}

static int measure_stack_task(void *arg)
{
    size_t *used = arg;
    anyc_task_info info;

    ck_assert_ok(anyc_get_current_task(&info));
    used[0] = info.stack_used;
    use_stack(100000);
    ck_assert_ok(anyc_get_current_task(&info));
    used[1] = info.stack_used;
    ck_assert_uint_le(info.stack_used, info.stack_size);
    return 0;
}

ANYC_TEST(test_task_info__tells_how_much_stack_was_used)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    size_t used[2];

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, measure_stack_task, used);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_gt(used[0], 0);
    ck_assert_uint_ge(used[1], 100000);
    ck_assert_uint_ge(used[1], used[0]);
}

struct past {
    anyc_event never;
    bool done;
    int rc;
};

static int wait_in_past_task(void *arg, anyc_task_status *status)
{
    struct past *past = arg;
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_task_status_started(status, NULL));
    ck_assert_ok(anyc_move_on_at(&scope, anyc_current_time() - 1, false));
    past->rc = anyc_event_wait(&past->never);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, past->rc));
    past->done = true;
    return 0;
}

/* DB-004 */
ANYC_TEST(test_task_info__does_not_take_a_cancelled_task_for_blocked)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct past past = {0};

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start(&group, wait_in_past_task, &past, NULL, NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert(past.done);
    ck_assert_int_eq(past.rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

static int wake_up_slowly_task(void *arg)
{
    struct past *past = arg;

    past->rc = anyc_event_wait(&past->never);
    for (int i = 0; i < 1000; i++)
        ck_assert_ok(anyc_cancel_shielded_checkpoint());
    past->done = true;
    return past->rc;
}

/* TG-R25 */
ANYC_TEST(test_task_info__waits_for_tasks_that_are_about_to_be_woken)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct past woken = {0};
    struct past cancelled = {0};
    anyc_task_handle handle;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wake_up_slowly_task, &woken);
    ck_assert_ok(
        anyc_task_group_create_task(&group, wake_up_slowly_task, &cancelled, NULL, &handle));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert(!woken.done && !cancelled.done);
    anyc_event_set(&woken.never);
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert(woken.done && cancelled.done);
    ck_assert_int_eq(cancelled.rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

static int settle_and_count_task(void *arg)
{
    int rc = anyc_wait_all_tasks_blocked();

    ++*(int *)arg;
    return rc;
}

ANYC_TEST(test_task_info__lets_several_tasks_settle_at_once)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    int count = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 3; i++)
        spawn(&group, settle_and_count_task, &count);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(count, 3);
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
}
