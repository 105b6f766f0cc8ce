/* SPDX-License-Identifier: MIT */
/*
 * steps.h - note in which order things happen: one letter for each, compared as a string.
 */
#ifndef ANYC_TESTS_SUPPORT_STEPS_H
#define ANYC_TESTS_SUPPORT_STEPS_H

#include <check.h>

#include <string.h>

struct steps {
    char text[64];
};

static inline void steps_add(struct steps *steps, char letter)
{
    size_t len = strlen(steps->text);

    ck_assert_uint_lt(len + 1, sizeof steps->text);
    steps->text[len] = letter;
    steps->text[len + 1] = '\0';
}

#define ck_assert_steps(steps, expected) ck_assert_str_eq((steps)->text, (expected))

/* A call that must succeed with 0. */
#define ck_assert_ok(call) ck_assert_int_eq((call), 0)

#endif
