/* SPDX-License-Identifier: MIT */
/*
 * micro_st.h - what the files of micro_st share.
 */
#ifndef ANYC_BENCH_MICRO_ST_H
#define ANYC_BENCH_MICRO_ST_H

#include "../micro/measure.h"

/* micro_st_start.c: start the library; more than once does no harm. 0 or -1. */
int library_start(void);

int bench_run_empty(struct bench *bench);
int bench_run_first(struct bench *bench);

#endif
