/* SPDX-License-Identifier: MIT */
/*
 * test_module.c - backends that are loaded when their name is asked for.
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
#include <unistd.h>

#ifndef TEST_MODULE_DIR
#define TEST_MODULE_DIR ""
#endif

static void use_modules(void)
{
    const char *folder = TEST_MODULE_DIR;

    if (folder[0] == '\0')
        ANYC_TEST_SKIP("a static anyc has no modules");
    ck_assert_int_eq(setenv("ANYC_BACKEND_PATH", folder, 1), 0);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static bool lists(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static void check_message(const char *part)
{
    if (strstr(anyc_last_error()->message, part) == NULL)
        ck_abort_msg("not in \"%s\": %s", anyc_last_error()->message, part);
}

/* The harness counts the message of a thread's last failure as left behind. */
static void forget_message(void)
{
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ENOLOOP);
}

ANYC_TEST_PLAIN(test_module__is_loaded_when_its_name_is_asked_for)
{
    use_modules();
    ck_assert_int_eq(anyc_run(nothing, "test_good"), -ENOSYS); /* what its open answers */
    ck_assert_int_eq(anyc_run(nothing, "test_good"), -ENOSYS);
    forget_message();
}

static void *run_good(void *arg)
{
    (void)arg;
    ck_assert_int_eq(anyc_run(nothing, "test_good"), -ENOSYS);
    forget_message();
    return NULL;
}

ANYC_TEST_PLAIN(test_module__may_be_asked_for_by_several_threads_at_once)
{
    pthread_t threads[4];

    use_modules();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_good, NULL), 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

ANYC_TEST_PLAIN(test_module__is_listed_before_and_after_it_is_loaded)
{
    use_modules();
    ck_assert(lists(anyc_get_all_backends(NULL), "test_good"));
    ck_assert(lists(anyc_get_available_backends(NULL), "test_good"));
    ck_assert(lists(anyc_get_all_backends(NULL), "test_good"));
    ck_assert_int_eq(setenv("ANYC_BACKEND_PATH", "/nowhere", 1), 0);
    ck_assert(lists(anyc_get_available_backends(NULL), "test_good")); /* it stays loaded */
}

/* A program linked with a loop does not get another one because a module for that is installed. */
ANYC_TEST_PLAIN(test_module__comes_after_what_the_program_has)
{
    static anyc_backend own;
    const char *const *names;

    use_modules();
    ck_assert(lists(anyc_get_available_backends(NULL), "test_good")); /* it is loaded by that */
    own = table_named("test_own");
    ck_assert_int_eq(anyc_register_backend(&own), 0);
    names = anyc_get_available_backends(NULL);
    while (strcmp(*names, "test_own") != 0) {
        ck_assert_str_ne(*names, "test_good");
        names++;
        ck_assert_ptr_nonnull(*names);
    }
}

ANYC_TEST_PLAIN(test_module__that_registers_another_name_is_refused)
{
    use_modules();
    ck_assert_int_eq(anyc_run(nothing, "test_other"), ANYC_ENOBACKEND);
    check_message("registers no backend of that name");
    ck_assert(!lists(anyc_get_available_backends(NULL), "test_other"));
    ck_assert_int_eq(anyc_run(nothing, "test_renamed"), -ENOSYS); /* as it is loaded now */
    forget_message();
}

ANYC_TEST_PLAIN(test_module__that_cannot_be_loaded_is_no_backend)
{
    char folder[] = "/tmp/anyc-test-XXXXXX";
    char path[sizeof folder + 64];
    FILE *file;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/anyc_backend_test_broken.so", folder);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("no library", file);
    fclose(file);
    ck_assert_int_eq(setenv("ANYC_BACKEND_PATH", folder, 1), 0);
    ck_assert(lists(anyc_get_all_backends(NULL), "test_broken"));
    ck_assert(!lists(anyc_get_available_backends(NULL), "test_broken"));
    ck_assert_int_eq(anyc_run(nothing, "test_broken"), ANYC_ENOBACKEND);
    check_message("cannot be loaded");
    check_message(path); /* the linker's reason */
    unlink(path);
    rmdir(folder);
    ck_assert(!lists(anyc_get_all_backends(NULL), "test_broken"));
    forget_message();
}

/* Files that are no modules, and names that could lead elsewhere. */
ANYC_TEST_PLAIN(test_module__names_are_letters_digits_and_underscores)
{
    use_modules();
    ck_assert_int_eq(anyc_run(nothing, "test_good.so"), ANYC_ENOBACKEND);
    ck_assert_int_eq(anyc_run(nothing, "../modules/anyc_backend_test_good"), ANYC_ENOBACKEND);
    ck_assert_int_eq(anyc_run(nothing, "/test_good"), ANYC_ENOBACKEND);
    ck_assert(!lists(anyc_get_all_backends(NULL), ""));
    forget_message();
}
