/* SPDX-License-Identifier: MIT */
/*
 * scarce.h - an allocator for anyc that gives out a given number of blocks.
 *
 * For ANYC_TEST_PLAIN only: all that was allocated by it is freed before the test ends, so that the
 * harness's own count of blocks stays right.
 */
#ifndef ANYC_TESTS_STREAMS_SCARCE_H
#define ANYC_TESTS_STREAMS_SCARCE_H

#include <limits.h>

#define SCARCE_PLENTY INT_MAX

/* Install the allocator. The next `count` allocations succeed, all others fail. */
void scarce_allow(int count);

/* Blocks given out and not given back. */
int scarce_live(void);

#endif
