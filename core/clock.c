/* SPDX-License-Identifier: MIT */
/*
 * clock.c - the clock of a run. The one place where seconds become nanoseconds.
 */
#include <math.h>
#include <stdatomic.h>

#include "core/cycles.h"
#include "core/loop.h"

#define NS 1000000000.0
#define CYCLES_MEASURE_NS 1000000 /* over so long the counter's rate is measured */
#define CYCLES_TRUST_NS 50000     /* for so long it stands for the clock */

int64_t anyc__ns_from_seconds(double seconds)
{
    double ns = seconds * NS;
    int64_t whole;

    if (ns >= 9.2e18)
        return ANYC__NO_DEADLINE;
    if (ns <= -9.2e18)
        return INT64_MIN + 1; /* the past; INT64_MIN means cancelled */
    whole = (int64_t)ns;
    return (double)whole < ns ? whole + 1 : whole;
}

double anyc__seconds_from_ns(int64_t ns)
{
    if (ns == ANYC__NO_DEADLINE)
        return INFINITY;
    if (ns <= INT64_MIN + 1)
        return -INFINITY;
    return (double)ns / NS;
}

/* Once a process: asking may take long in a virtual machine. */
static bool cycles_usable(void)
{
    static _Atomic int known; /* 1: yes, -1: no */
    int usable = atomic_load_explicit(&known, memory_order_relaxed);

    if (usable == 0) {
        usable = anyc__cycles_constant() ? 1 : -1;
        atomic_store_explicit(&known, usable, memory_order_relaxed);
    }
    return usable > 0;
}

/* The clock and the counter were read together. */
static void cycles_measure(struct cycle_clock *clock, int64_t now_ns, uint64_t count)
{
    int64_t taken_ns = now_ns - clock->measured_ns;
    uint64_t cycles = count - clock->measured;

    clock->last = count;
    if (taken_ns < CYCLES_MEASURE_NS)
        return;
    if (clock->measured != 0 && taken_ns < INT32_MAX && cycles > 0 && cycles < INT32_MAX) {
        clock->ns_per_cycle = ((uint64_t)taken_ns << 32) / cycles;
        clock->trusted = cycles * CYCLES_TRUST_NS / (uint64_t)taken_ns;
    }
    clock->measured = cycles_usable() ? count : 0;
    clock->measured_ns = now_ns;
}

int64_t anyc__now(anyc_loop *loop)
{
    if (loop->virtual_ns >= 0) {
        loop->now_ns = loop->virtual_ns;
    } else {
        loop->now_ns = loop->backend->current_time(loop);
        cycles_measure(&loop->cycles, loop->now_ns, anyc__cycles());
    }
    return loop->now_ns;
}

int64_t anyc__now_near(anyc_loop *loop)
{
    const struct cycle_clock *clock = &loop->cycles;
    uint64_t passed;

    if (clock->trusted == 0)
        return anyc__now(loop);
    passed = anyc__cycles() - clock->last;
    if (passed >= clock->trusted)
        return anyc__now(loop);
    return loop->now_ns + (int64_t)(passed * clock->ns_per_cycle >> 32);
}

int64_t anyc__deadline_after(anyc_loop *loop, double delay)
{
    int64_t delay_ns = anyc__ns_from_seconds(delay);
    int64_t now_ns, deadline_ns;

    if (delay_ns == ANYC__NO_DEADLINE)
        return delay_ns;
    now_ns = delay_ns > 0 ? anyc__now_near(loop) : anyc__now(loop);
    if (__builtin_add_overflow(now_ns, delay_ns, &deadline_ns))
        return delay_ns > 0 ? ANYC__NO_DEADLINE : INT64_MIN + 1;
    return deadline_ns;
}
