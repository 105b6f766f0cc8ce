/* SPDX-License-Identifier: MIT */
/*
 * test_harness.c - the harness itself: what a test is told, and how it ends.
 */
#include <check.h>

#include <anyc/loop.h>
#include <anyc/testing.h>

#include <string.h>

ANYC_TEST(test_harness__runs_the_body_on_the_backend_it_names)
{
    ck_assert_str_eq(anyc_current_backend(), anyc_testing_backend());
}

ANYC_TEST_PLAIN(test_harness__calls_a_plain_body_outside_of_a_loop)
{
    ck_assert_ptr_null(anyc_current_backend());
    ck_assert_ptr_nonnull(anyc_testing_backend());
}

ANYC_TEST_WITH(test_harness__lets_virtual_time_jump, .clock = ANYC_CLOCK_VIRTUAL)
{
    ck_assert_int_eq(anyc_sleep(1e6), 0);
    ck_assert_double_eq(anyc_current_time(), 1e6);
}

ANYC_TEST(test_harness__gives_free_ports)
{
    ck_assert_int_gt(anyc_testing_free_tcp_port(), 0);
    ck_assert_int_gt(anyc_testing_free_udp_port(), 0);
}
