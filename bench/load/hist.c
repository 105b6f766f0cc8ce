/* SPDX-License-Identifier: MIT */
/*
 * hist.c - a histogram of durations with constant relative precision.
 *
 * Values below HIST_SUB_COUNT have a bucket each. Above, the leading bit chooses a group and the
 * next HIST_SUB_BITS bits a bucket in it.
 */
#include "hist.h"

#include <math.h>
#include <string.h>

static unsigned bucket_of(uint64_t value)
{
    unsigned shift;

    if (value < HIST_SUB_COUNT)
        return (unsigned)value;
    if (value >> HIST_MAX_BITS != 0)
        return HIST_BUCKETS - 1;
    shift = 63U - (unsigned)__builtin_clzll(value) - HIST_SUB_BITS;
    return (shift + 1) * HIST_SUB_COUNT + (unsigned)(value >> shift) - HIST_SUB_COUNT;
}

/* The middle of a bucket. */
static double bucket_value(unsigned bucket)
{
    unsigned shift;
    double low;

    if (bucket < HIST_SUB_COUNT)
        return bucket;
    shift = bucket / HIST_SUB_COUNT - 1;
    low = ldexp(HIST_SUB_COUNT + bucket % HIST_SUB_COUNT, (int)shift);
    return low + (ldexp(1.0, (int)shift) - 1.0) / 2.0;
}

void hist_clear(struct hist *hist)
{
    memset(hist, 0, sizeof *hist);
}

void hist_add(struct hist *hist, int64_t duration_ns)
{
    if (duration_ns < 0)
        duration_ns = 0;
    if (duration_ns > hist->max_ns)
        hist->max_ns = duration_ns;
    hist->counts[bucket_of((uint64_t)duration_ns)]++;
    hist->total++;
}

double hist_quantile_us(const struct hist *hist, double quantile)
{
    double wanted = ceil(quantile * (double)hist->total);
    double max_us = (double)hist->max_ns / 1000.0;
    uint64_t seen = 0;

    if (hist->total == 0)
        return 0.0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += hist->counts[i];
        if ((double)seen >= wanted)
            return fmin(bucket_value(i) / 1000.0, max_us);
    }
    return max_us;
}
