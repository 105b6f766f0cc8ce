/* SPDX-License-Identifier: MIT */
/*
 * test_registry.c - backends that the program has, and the choice among them.
 */
#include "table.h"

#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/testing.h>

#include <check.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool task_ran;

static int note_that_it_ran(void *arg)
{
    (void)arg;
    task_ran = true;
    return 0;
}

/* What a run on this backend answers. */
static int run_on(const char *name)
{
    task_ran = false;
    return anyc_run(note_that_it_ran, name);
}

/* The place of a name in a list, or -1. */
static int place_of(const char *const *names, const char *name)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

/* The harness counts the message of a thread's last failure as left behind. */
static void forget_message(void)
{
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ENOLOOP);
}

static void check_refused(const anyc_backend *table, const char *reason)
{
    ck_assert_int_eq(anyc_register_backend(table), ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, reason));
    forget_message();
}

/* Copies a complete table, without the slot. */
#define CHECK_SLOT(slot)                                  \
    do {                                                  \
        anyc_backend table = table_named("test_lacking"); \
        table.slot = NULL;                                \
        check_refused(&table, "slot " #slot " is empty"); \
    } while (0)

ANYC_TEST_PLAIN(test_registry__refuses_a_table_that_lacks_a_slot)
{
    CHECK_SLOT(open);
    CHECK_SLOT(run);
    CHECK_SLOT(close);
    CHECK_SLOT(alive);
    CHECK_SLOT(current_time);
    CHECK_SLOT(sleep_until);
    CHECK_SLOT(task_ready);
    CHECK_SLOT(scope_wake);
    CHECK_SLOT(wake);
    CHECK_SLOT(watch_open);
    CHECK_SLOT(watch_start);
    CHECK_SLOT(watch_stop);
    CHECK_SLOT(watch_close);
    CHECK_SLOT(signal_start);
    CHECK_SLOT(signal_stop);
    CHECK_SLOT(receive);
    CHECK_SLOT(send);
    CHECK_SLOT(accept);
    CHECK_SLOT(connect);
    ck_assert_int_eq(run_on("test_lacking"), ANYC_ENOBACKEND);
    forget_message();
}

/* Every byte of a table behind `watch_size` belongs to a slot, so none was forgotten above. */
ANYC_TEST_PLAIN(test_registry__its_test_knows_every_slot)
{
    const size_t slots =
        (sizeof(anyc_backend) - offsetof(anyc_backend, open)) / sizeof(void (*)(void));

    ck_assert_uint_eq(slots, 19);
}

ANYC_TEST_PLAIN(test_registry__refuses_a_table_of_another_version_or_size)
{
    anyc_backend table = table_named("test_wrong");

    ck_assert_int_eq(anyc_register_backend(NULL), ANYC_EINVAL);
    table.version = ANYC_BACKEND_VERSION + 1;
    check_refused(&table, "version 2");
    table = table_named("test_wrong");
    table.watch_size = sizeof(anyc_watch) - 1;
    check_refused(&table, "watch_size");
}

ANYC_TEST_PLAIN(test_registry__refuses_a_name_that_could_be_a_path)
{
    const char *const names[] = {"", "a/b", "..", "LibUV", "a-b", "a b", "a.so", "\xc3\xa4"};
    anyc_backend table = table_named(NULL);

    check_refused(&table, "name");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        table.name = names[i];
        check_refused(&table, "name");
        if (names[i][0] != '\0')
            ck_assert_int_eq(run_on(names[i]), ANYC_ENOBACKEND);
    }
    forget_message();
}

ANYC_TEST_PLAIN(test_registry__knows_a_table_from_then_on)
{
    static anyc_backend table;

    table = table_named("test_new");
    ck_assert_int_eq(run_on("test_new"), ANYC_ENOBACKEND);
    ck_assert_int_eq(anyc_register_backend(&table), 0);
    ck_assert_int_eq(run_on("test_new"), -ENOSYS); /* what its open answers */
    ck_assert(!task_ran);
    ck_assert_int_eq(run_on(anyc_testing_backend()), 0);
    ck_assert(task_ran);
    forget_message();
}

ANYC_TEST_PLAIN(test_registry__takes_a_table_twice_but_no_other_of_its_name)
{
    static anyc_backend table;
    static anyc_backend other;

    table = table_named("test_twice");
    other = table_named("test_twice");
    ck_assert_int_eq(anyc_register_backend(&table), 0);
    ck_assert_int_eq(anyc_register_backend(&table), 0);
    ck_assert_int_eq(anyc_register_backend(&other), ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "test_twice"));
    forget_message();
}

ANYC_TEST_PLAIN(test_registry__answers_enomem_when_it_is_full)
{
    static anyc_backend tables[64];
    static char names[64][32];
    int count = 0;
    int rc = 0;

    while (rc == 0 && count < 64) {
        snprintf(names[count], sizeof names[count], "test_%d", count);
        tables[count] = table_named(names[count]);
        rc = anyc_register_backend(&tables[count]);
        count++;
    }
    ck_assert_int_eq(rc, ANYC_ENOMEM);
    ck_assert_int_gt(count, 10);
    ck_assert_int_eq(run_on(names[count - 2]), -ENOSYS);
    ck_assert_int_eq(run_on(anyc_testing_backend()), 0);
    forget_message();
}

ANYC_TEST_PLAIN(test_registry__lists_its_own_first_then_others_as_they_came)
{
    static anyc_backend tables[2];
    const char *const *all;
    const char *const *available;
    size_t all_count;
    size_t available_count;

    tables[0] = table_named("test_b");
    tables[1] = table_named("test_a");
    ck_assert_int_eq(anyc_register_backend(&tables[0]), 0);
    ck_assert_int_eq(anyc_register_backend(&tables[1]), 0);
    all = anyc_get_all_backends(&all_count);
    available = anyc_get_available_backends(&available_count);
    ck_assert_int_eq(place_of(all, "libuv"), 0);
    ck_assert_int_eq(place_of(all, "libevent"), 1);
    ck_assert_int_eq(place_of(all, "test_b"), 2);
    ck_assert_int_eq(place_of(all, "test_a"), 3);
    ck_assert_int_ge(place_of(available, anyc_testing_backend()), 0);
    ck_assert_int_eq(place_of(available, "test_a"), place_of(available, "test_b") + 1);
    ck_assert_ptr_null(all[all_count]);
    ck_assert_ptr_null(available[available_count]);
    ck_assert_ptr_eq(anyc_get_all_backends(NULL), all);
}

static void *ask_and_register(void *arg)
{
    const char *const *names = anyc_get_available_backends(NULL);

    ck_assert_ptr_ne(names, *(const char *const **)arg);
    return NULL;
}

ANYC_TEST_PLAIN(test_registry__keeps_a_list_for_each_thread)
{
    static anyc_backend table;
    size_t count;
    const char *const *names = anyc_get_available_backends(&count);
    pthread_t thread;

    table = table_named("test_late");
    ck_assert_int_eq(anyc_register_backend(&table), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, ask_and_register, &names), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_ptr_null(names[count]); /* as it was when this thread asked */
    ck_assert_int_eq(place_of(names, "test_late"), -1);
}

/* EL-005 is the rule, this is the text: what was asked for, and what there is. */
ANYC_TEST_PLAIN(test_registry__says_which_backends_there_are_when_it_has_not_the_one)
{
    const char *message;

    ck_assert_int_eq(run_on("no_such_loop"), ANYC_ENOBACKEND);
    ck_assert(!task_ran);
    message = anyc_last_error()->message;
    ck_assert_ptr_nonnull(strstr(message, "\"no_such_loop\""));
    ck_assert_ptr_nonnull(strstr(message, "available: "));
    ck_assert_ptr_nonnull(strstr(strstr(message, "available: "), anyc_testing_backend()));
    forget_message();
}

static int tell_backend(void *arg)
{
    *(const char **)arg = anyc_current_backend();
    return 0;
}

/* What a run without a name runs on. */
static const char *default_backend(void)
{
    const char *name = NULL;

    ck_assert_int_eq(anyc_run_with(tell_backend, &name, NULL), 0);
    return name;
}

ANYC_TEST_PLAIN(test_registry__without_a_name_takes_the_first_that_is_available)
{
    ck_assert_int_eq(unsetenv("ANYC_BACKEND"), 0);
    ck_assert_str_eq(default_backend(), anyc_get_available_backends(NULL)[0]);
    ck_assert_int_eq(setenv("ANYC_BACKEND", "", 1), 0);
    ck_assert_str_eq(default_backend(), anyc_get_available_backends(NULL)[0]);
}

ANYC_TEST_PLAIN(test_registry__without_a_name_takes_that_of_the_environment)
{
    ck_assert_int_eq(setenv("ANYC_BACKEND", anyc_testing_backend(), 1), 0);
    ck_assert_str_eq(default_backend(), anyc_testing_backend());
    ck_assert_int_eq(setenv("ANYC_BACKEND", "no_such_loop", 1), 0);
    ck_assert_int_eq(run_on(NULL), ANYC_ENOBACKEND);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "no_such_loop"));
    ck_assert_int_eq(run_on(anyc_testing_backend()), 0);
    forget_message();
}
