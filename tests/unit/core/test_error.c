/* SPDX-License-Identifier: MIT */
/*
 * test_error.c - codes in words, and the last failure of each task and thread.
 */
#include "support/tasks.h"

#include <netdb.h>
#include <pthread.h>
#include <string.h>

#define CODE_ENTRY(code, number, text) {code, number, #code, text},
static const struct {
    int code;
    int number;
    const char *name;
    const char *text;
} codes[] = {ANYC_ERROR_MAP(CODE_ENTRY)};

#define CODES (sizeof codes / sizeof codes[0])

ANYC_TEST_PLAIN(test_error__has_a_name_and_a_text_for_every_code)
{
    for (size_t i = 0; i < CODES; i++) {
        ck_assert_int_eq(codes[i].code, codes[i].number);
        ck_assert_str_eq(anyc_error_name(codes[i].code), codes[i].name);
        ck_assert_str_eq(anyc_strerror(codes[i].code), codes[i].text);
        ck_assert_uint_gt(strlen(codes[i].text), 0);
    }
}

ANYC_TEST_PLAIN(test_error__gives_every_code_a_number_and_a_text_of_its_own)
{
    for (size_t i = 0; i < CODES; i++) {
        ck_assert_int_gt(codes[i].number, -21000);
        ck_assert_int_le(codes[i].number, -20000);
        for (size_t j = 0; j < i; j++) {
            ck_assert_int_ne(codes[i].number, codes[j].number);
            ck_assert_str_ne(codes[i].text, codes[j].text);
        }
    }
}

ANYC_TEST_PLAIN(test_error__knows_the_systems_errors)
{
    ck_assert_int_eq(ANYC_ETIMEDOUT, -ETIMEDOUT);
    ck_assert_str_eq(anyc_error_name(ANYC_ETIMEDOUT), "ETIMEDOUT");
    ck_assert_str_eq(anyc_error_name(ANYC_EINVAL), "EINVAL");
    ck_assert_str_eq(anyc_error_name(ANYC_ENOMEM), "ENOMEM");
    ck_assert_str_eq(anyc_error_name(-ECONNREFUSED), "ECONNREFUSED");
    ck_assert_str_eq(anyc_strerror(-ECONNREFUSED), strerror(ECONNREFUSED));
    ck_assert_uint_gt(strlen(anyc_strerror(ANYC_ETIMEDOUT)), 0);
}

ANYC_TEST_PLAIN(test_error__knows_the_resolvers_errors)
{
    static const int eai[] = {EAI_AGAIN,  EAI_BADFLAGS, EAI_FAIL,    EAI_FAMILY,  EAI_MEMORY,
                              EAI_NONAME, EAI_OVERFLOW, EAI_SERVICE, EAI_SOCKTYPE};

    for (size_t i = 0; i < sizeof eai / sizeof eai[0]; i++) {
        int code = ANYC_EAI(eai[i]);

        ck_assert_int_lt(code, -21000);
        ck_assert_str_eq(anyc_strerror(code), gai_strerror(eai[i]));
        ck_assert_int_eq(strncmp(anyc_error_name(code), "EAI_", 4), 0);
    }
    ck_assert_str_eq(anyc_error_name(ANYC_EAI(EAI_NONAME)), "EAI_NONAME");
}

ANYC_TEST_PLAIN(test_error__has_words_for_success_and_for_the_unknown)
{
    ck_assert_str_eq(anyc_error_name(0), "OK");
    ck_assert_str_eq(anyc_error_name(42), "OK");
    ck_assert_uint_gt(strlen(anyc_strerror(0)), 0);
    ck_assert_str_eq(anyc_error_name(-20999), "UNKNOWN");
    ck_assert_str_eq(anyc_error_name(-4000), "UNKNOWN");
    ck_assert_str_eq(anyc_error_name(INT32_MIN), "UNKNOWN");
    ck_assert_ptr_nonnull(anyc_strerror(-20999));
    ck_assert_ptr_nonnull(anyc_strerror(-4000));
    ck_assert_ptr_nonnull(anyc_strerror(ANYC_EAI(900)));
    ck_assert_ptr_nonnull(anyc_strerror(INT32_MIN));
    ck_assert(anyc_is_cancelled(ANYC_ECANCELLED));
    ck_assert(!anyc_is_cancelled(0));
    ck_assert(!anyc_is_cancelled(ANYC_ETASKCANCELLED));
}

ANYC_TEST(test_error__is_none_at_first)
{
    ck_assert_int_eq(anyc_last_error()->code, 0);
    ck_assert_int_eq(anyc_last_error()->os_error, 0);
    ck_assert_str_eq(anyc_last_error()->message, "");
}

/* A failure with a message of its own. */
static int fail_with_message(void)
{
    anyc_cancel_scope scope = {0};

    return anyc_cancel_scope_set_shield(&scope, true);
}

ANYC_TEST(test_error__keeps_the_last_failure_with_its_message)
{
    ck_assert_int_eq(fail_with_message(), ANYC_ESTATE);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "scope"));
    ck_assert_ok(anyc_checkpoint());
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ESTATE);
    ck_assert_int_eq(anyc_sleep(NAN), ANYC_EINVAL);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_EINVAL);
    ck_assert_str_eq(anyc_last_error()->message, anyc_strerror(ANYC_EINVAL));
    ck_assert_int_eq(anyc_last_error()->os_error, EINVAL);
}

ANYC_TEST(test_error__keeps_a_cancellation)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
}

static int fail_in_between_task(void *arg)
{
    (void)arg;
    ck_assert_int_eq(anyc_last_error()->code, 0);
    ck_assert_int_eq(anyc_sleep(NAN), ANYC_EINVAL);
    ck_assert_ok(anyc_checkpoint());
    ck_assert_int_eq(anyc_last_error()->code, ANYC_EINVAL);
    return 0;
}

ANYC_TEST(test_error__is_each_tasks_own)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_int_eq(fail_with_message(), ANYC_ESTATE);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, fail_in_between_task, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "scope"));
}

static void *fail_in_thread(void *arg)
{
    ck_assert_int_eq(anyc_last_error()->code, 0);
    ck_assert_int_eq(anyc_run(NULL, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "function"));
    return arg;
}

/* The harness sees whether the thread's message goes with it. */
ANYC_TEST_PLAIN(test_error__is_each_threads_own)
{
    pthread_t thread;

    ck_assert_int_eq(anyc_checkpoint(), ANYC_ENOLOOP);
    ck_assert_ok(pthread_create(&thread, NULL, fail_in_thread, NULL));
    ck_assert_ok(pthread_join(thread, NULL));
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ENOLOOP);
    ck_assert_str_eq(anyc_last_error()->message, anyc_strerror(ANYC_ENOLOOP));
}

/* Asking is not failing. */
ANYC_TEST(test_error__is_not_changed_by_questions)
{
    anyc_cancel_scope scope;

    ck_assert_int_eq(fail_with_message(), ANYC_ESTATE);
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert(anyc_has_pending_cancellation());
    ck_assert_double_eq(anyc_current_effective_deadline(), -INFINITY);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ESTATE);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
}
