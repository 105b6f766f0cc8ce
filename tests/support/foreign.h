/* SPDX-License-Identifier: MIT */
/*
 * foreign.h - programs that are not ours, beside a test that runs in a loop.
 */
#ifndef ANYC_TESTS_SUPPORT_FOREIGN_H
#define ANYC_TESTS_SUPPORT_FOREIGN_H

#include <check.h>

#include <anyc/testing.h>
#include <anyc/thread.h>

#include <stdio.h>

#include "support/program.h"

/* Skip the test, loudly, where there is no such program. */
static inline void foreign_need(const char *name)
{
    if (program_exists(name))
        return;
    fprintf(stderr, "SKIPPED: there is no %s on this machine\n", name);
    ANYC_TEST_SKIP("a program is missing");
}

struct foreign_wait {
    struct program *program;
    struct program_result *result;
};

static inline int foreign_wait_in_thread(void *arg)
{
    struct foreign_wait *wait = arg;

    program_wait(wait->program, wait->result);
    return 0;
}

/* Wait for a program's success while the loop goes on; what it printed. */
static inline const char *foreign_output(struct program *program)
{
    static struct program_result result;
    struct foreign_wait wait = {program, &result};

    ck_assert_int_eq(anyc_to_thread_run_sync(foreign_wait_in_thread, &wait, NULL, NULL), 0);
    ck_assert_msg(result.code == 0, "%s", result.err);
    return result.out;
}

#endif
