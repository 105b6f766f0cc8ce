/* SPDX-License-Identifier: MIT */
/*
 * hist.h - a histogram of durations with constant relative precision.
 *
 * 128 buckets for each power of two, so a percentile is at most 0.8 % off; adding a sample is a
 * shift and an increment.
 */
#ifndef ANYC_BENCH_HIST_H
#define ANYC_BENCH_HIST_H

#include <stdint.h>

enum {
    HIST_SUB_BITS = 7,
    HIST_SUB_COUNT = 1 << HIST_SUB_BITS,
    HIST_MAX_BITS = 40, /* durations of up to 18 minutes; longer ones count as that */
    HIST_BUCKETS = (HIST_MAX_BITS - HIST_SUB_BITS + 1) * HIST_SUB_COUNT,
};

struct hist {
    uint64_t total;
    int64_t max_ns;
    uint64_t counts[HIST_BUCKETS];
};

void hist_clear(struct hist *hist);
void hist_add(struct hist *hist, int64_t duration_ns);

/* The duration, in microseconds, that the share `quantile` (0..1) of the samples stay within. */
double hist_quantile_us(const struct hist *hist, double quantile);

#endif
