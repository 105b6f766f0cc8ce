/* SPDX-License-Identifier: MIT */
/*
 * test_resource_guard.c - anyc_resource_guard. AnyIO: test_resource_guard.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/resource_guard.h>
#include <anyc/testing.h>

#include <string.h>

ANYC_TEST(test_resource_guard__refuses_a_second_user)
{
    anyc_resource_guard guard = ANYC_RESOURCE_GUARD_INIT("reading from");

    ck_assert_int_eq(anyc_resource_guard_enter(&guard), 0);
    ck_assert_int_eq(anyc_resource_guard_enter(&guard), ANYC_EBUSY);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "already reading from"));
    anyc_resource_guard_exit(&guard);
    ck_assert_int_eq(anyc_resource_guard_enter(&guard), 0);
    anyc_resource_guard_exit(&guard);
}

ANYC_TEST_PLAIN(test_resource_guard__is_all_zero_at_first)
{
    anyc_resource_guard guard = {0};

    ck_assert_int_eq(anyc_resource_guard_enter(&guard), 0);
    ck_assert_int_eq(anyc_resource_guard_enter(&guard), ANYC_EBUSY);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "already using"));
}
