/* SPDX-License-Identifier: MIT */
/*
 * test_spawn.c - the calls that put a task into a group without waiting for it: when it runs, what
 * it is called, whose child it is, what its argument is. AnyIO: TaskGroup.start_soon, create_task.
 */
#include "support/tasks.h"

#include <anyc/log.h>

#include <stdlib.h>
#include <string.h>

static int note_status_task(void *arg, anyc_task_status *status)
{
    *(bool *)arg = true;
    return anyc_task_status_started(status, NULL);
}

/* Every spawning call answers ANYC_ESTATE, writes nothing, and its task never runs. */
static void check_refuses_tasks(anyc_task_group *group)
{
    anyc_task_handle handle;
    anyc_task_handle untouched;
    bool ran = false;
    bool *ran_ptr = &ran;
    int untouched_value;
    void *value = &untouched_value;

    memset(&untouched, 0x5a, sizeof untouched);
    handle = untouched;
    ck_assert_int_eq(anyc_task_group_start_soon(group, note_task, &ran, NULL), ANYC_ESTATE);
    ck_assert_int_eq(
        anyc_task_group_start_soon_copy(group, note_task, &ran_ptr, sizeof ran_ptr, NULL),
        ANYC_ESTATE);
    ck_assert_int_eq(anyc_task_group_create_task(group, note_task, &ran, "name", &handle),
                     ANYC_ESTATE);
    ck_assert_int_eq(anyc_task_group_start(group, note_status_task, &ran, NULL, &value),
                     ANYC_ESTATE);
    ck_assert_int_eq(
        anyc_task_group_start_task(group, note_status_task, &ran, "name", &value, &handle),
        ANYC_ESTATE);
    for (int i = 0; i < 5; i++)
        ck_assert_ok(anyc_checkpoint());
    ck_assert(!ran);
    ck_assert_ptr_eq(value, &untouched_value);
    ck_assert_mem_eq(&handle, &untouched, sizeof handle);
}

ANYC_TEST(test_spawn__is_refused_before_the_group_is_entered)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    check_refuses_tasks(&group);
}

/* TG-001 */
ANYC_TEST(test_spawn__is_refused_after_the_groups_exit)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    check_refuses_tasks(&group);
}

/* TG-004 */
ANYC_TEST(test_spawn__is_refused_after_the_group_failed)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_int_eq(anyc_task_group_exit(&group, E1), E1);
    check_one_failure(&group, E1);
    check_refuses_tasks(&group);
}

ANYC_TEST(test_spawn__needs_a_function)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    int number = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_int_eq(anyc_task_group_start_soon(&group, NULL, NULL, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_task_group_start_soon_copy(&group, NULL, &number, sizeof number, NULL),
                     ANYC_EINVAL);
    ck_assert_int_eq(anyc_task_group_create_task(&group, NULL, NULL, NULL, &handle), ANYC_EINVAL);
    ck_assert_int_eq(anyc_task_group_create_task(&group, forever_task, NULL, NULL, NULL),
                     ANYC_EINVAL);
    ck_assert_int_eq(anyc_task_group_start(&group, NULL, NULL, NULL, NULL), ANYC_EINVAL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

static int note_and_scope_task(void *arg)
{
    anyc_cancel_scope scope;

    *(bool *)arg = true;
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    return anyc_cancel_scope_exit(&scope, 0);
}

/* TG-098, TG-R21 */
ANYC_TEST(test_spawn__does_not_run_the_task_inside_the_call)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, note_and_scope_task, &ran);
    ck_assert(!ran);
    anyc_task_group_cancel(&group, NULL);
    ck_assert(!ran);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(ran);
}

static void count_line(int code, const char *message, void *arg)
{
    (void)code;
    (void)message;
    ++*(int *)arg;
}

static int cancel_with_spawn(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, note_task, arg, NULL, &handle));
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_FINISHED);
    return anyc_last_error()->code;
}

/* TG-077 */
ANYC_TEST_PLAIN(test_spawn__lets_a_cancelled_task_without_checkpoint_end_normally)
{
    bool ran = false;
    int lines = 0;

    anyc_set_log_handler(count_line, &lines);
    ck_assert_ok(run_on_backend(cancel_with_spawn, &ran));
    ck_assert(ran);
    ck_assert_int_eq(lines, 0);
    anyc_set_log_handler(NULL, NULL);
}

struct family {
    anyc_task_group *group;
    uint64_t parent_id; /* of the grandchild */
    uint64_t child_id;
};

static int tell_parent_task(void *arg)
{
    anyc_task_info info;

    ck_assert_ok(anyc_get_current_task(&info));
    ((struct family *)arg)->parent_id = info.parent_id;
    return 0;
}

static int spawn_teller_task(void *arg)
{
    struct family *family = arg;
    anyc_task_info info;

    ck_assert_ok(anyc_get_current_task(&info));
    family->child_id = info.id;
    return anyc_task_group_start_soon(family->group, tell_parent_task, family, NULL);
}

/* TG-084 */
ANYC_TEST(test_spawn__makes_the_groups_host_the_parent)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct family family = {.group = &group};
    anyc_task_info host;

    ck_assert_ok(anyc_get_current_task(&host));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, spawn_teller_task, &family);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_eq(family.parent_id, host.id);
    ck_assert_uint_ne(family.parent_id, family.child_id);
}

static int tell_name(char name[32])
{
    anyc_task_info info;

    ck_assert_ok(anyc_get_current_task(&info));
    ck_assert_uint_lt(strlen(info.name), 32);
    strcpy(name, info.name);
    return 0;
}

static int tell_name_task(void *arg)
{
    return tell_name(arg);
}

static int tell_name_copy_task(void *arg)
{
    return tell_name(*(char **)arg);
}

static int tell_name_start_task(void *arg, anyc_task_status *status)
{
    ck_assert_ok(anyc_task_status_started(status, NULL));
    return tell_name(arg);
}

/* TG-107 */
ANYC_TEST(test_spawn__names_a_task_after_its_function)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handles[2];
    char names[5][32];
    char *third = names[2];

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, tell_name_task, names[0]);
    ck_assert_ok(anyc_task_group_create_task(&group, tell_name_task, names[1], NULL, &handles[0]));
    ck_assert_ok(
        anyc_task_group_start_soon_copy(&group, tell_name_copy_task, &third, sizeof third, NULL));
    ck_assert_ok(anyc_task_group_start(&group, tell_name_start_task, names[3], NULL, NULL));
    ck_assert_ok(anyc_task_group_start_task(&group, tell_name_start_task, names[4], NULL, NULL,
                                            &handles[1]));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_str_eq(names[0], "tell_name_task");
    ck_assert_str_eq(names[1], "tell_name_task");
    ck_assert_str_eq(anyc_task_handle_name(&handles[0]), "tell_name_task");
    ck_assert_str_eq(names[2], "tell_name_copy_task");
    ck_assert_str_eq(names[3], "tell_name_start_task");
    ck_assert_str_eq(names[4], "tell_name_start_task");
    ck_assert_str_eq(anyc_task_handle_name(&handles[1]), "tell_name_start_task");
}

/* The functions behind the macros, for bindings: they know no function's name. */
ANYC_TEST(test_spawn__works_without_the_macros)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handles[2];
    char names[5][32];
    char *third = names[2];

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok((anyc_task_group_start_soon)(&group, tell_name_task, names[0], NULL));
    ck_assert_ok(
        (anyc_task_group_create_task)(&group, tell_name_task, names[1], "given", &handles[0]));
    ck_assert_ok(
        (anyc_task_group_start_soon_copy)(&group, tell_name_copy_task, &third, sizeof third, NULL));
    ck_assert_ok((anyc_task_group_start)(&group, tell_name_start_task, names[3], "given", NULL));
    ck_assert_ok((anyc_task_group_start_task)(&group, tell_name_start_task, names[4], NULL, NULL,
                                              &handles[1]));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_str_eq(names[0], "task");
    ck_assert_str_eq(names[1], "given");
    ck_assert_str_eq(names[2], "task");
    ck_assert_str_eq(names[3], "given");
    ck_assert_str_eq(names[4], "task");
    ck_assert_str_eq(anyc_task_handle_name(&handles[1]), "task");
}

/* TG-R31 */
ANYC_TEST(test_spawn__copies_the_name)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    char names[3][32];
    char *second = names[1];
    char *name = strdup("a name");

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, tell_name_task, names[0], name));
    ck_assert_ok(
        anyc_task_group_start_soon_copy(&group, tell_name_copy_task, &second, sizeof second, name));
    ck_assert_ok(anyc_task_group_create_task(&group, tell_name_task, names[2], name, &handle));
    memset(name, 'x', strlen(name));
    free(name);
    ck_assert_str_eq(anyc_task_handle_name(&handle), "a name");
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(names[i], "a name");
}

struct numbered {
    int number;
    int *sum;
};

static int add_task(void *arg)
{
    struct numbered *numbered = arg;
    int rc = anyc_checkpoint();

    *numbered->sum = *numbered->sum * 10 + numbered->number;
    numbered->number = 0; /* its own copy: nobody else sees that */
    return rc;
}

ANYC_TEST(test_spawn__copies_the_argument_for_each_task_of_a_loop)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct numbered numbered;
    int sum = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 1; i <= 5; i++) {
        numbered = (struct numbered){i, &sum};
        ck_assert_ok(
            anyc_task_group_start_soon_copy(&group, add_task, &numbered, sizeof numbered, NULL));
    }
    numbered = (struct numbered){9, NULL};
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(sum, 12345);
    ck_assert_int_eq(numbered.number, 9);
}

ANYC_TEST(test_spawn__refuses_a_copy_that_is_larger_than_memory)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_int_eq(anyc_task_group_start_soon_copy(&group, note_task, &ran, SIZE_MAX - 1, "name"),
                     ANYC_ENOMEM);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(!ran);
}
