/* SPDX-License-Identifier: MIT */
/*
 * test_race.c - examples/race.c.
 */
#include <check.h>

#include <anyc/testing.h>

#include "examples/program.h"

ANYC_TEST_PLAIN(test_race__the_first_answer_wins)
{
    static struct program_result result;
    struct program program;

    program_start(&program, "race", "600", "0.01", "0", "700", NULL);
    program_wait(&program, &result);
    ck_assert_str_eq(result.out, "replica 3 does not answer\n"
                                 "replica 1 is cancelled\n"
                                 "replica 4 is cancelled\n"
                                 "replica 2 wins\n");
    ck_assert_int_eq(result.code, 0);
}

ANYC_TEST_PLAIN(test_race__nobody_wins_without_an_answer)
{
    static struct program_result result;
    struct program program;

    program_start(&program, "race", "0", "0", NULL);
    program_wait(&program, &result);
    ck_assert_str_eq(result.out, "replica 1 does not answer\nreplica 2 does not answer\n");
    ck_assert_int_eq(result.code, 1);
}
