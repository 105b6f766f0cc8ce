/* SPDX-License-Identifier: MIT */
/*
 * cycles.h - the processor's counter of constant rate, which costs less to read than a clock.
 *
 * It bridges the moments between two readings of the clock (core/clock.c), where it was measured
 * against them; processors whose rates or offsets differ can spoil no more than that.
 */
#ifndef ANYC_CORE_CYCLES_H
#define ANYC_CORE_CYCLES_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <cpuid.h>

static inline uint64_t anyc__cycles(void)
{
    return __builtin_ia32_rdtsc();
}

/* Does the counter go on at one rate, whatever the processor does? Intel SDM 18.17.1. */
static inline bool anyc__cycles_constant(void)
{
    unsigned eax, ebx, ecx, edx;

    return __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) != 0 && (edx & (1U << 8)) != 0;
}

#elif defined(__aarch64__)

static inline uint64_t anyc__cycles(void)
{
    uint64_t count;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
}

static inline bool anyc__cycles_constant(void)
{
    return true;
}

#else

static inline uint64_t anyc__cycles(void)
{
    return 0;
}

static inline bool anyc__cycles_constant(void)
{
    return false;
}

#endif

#endif
