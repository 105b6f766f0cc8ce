/* SPDX-License-Identifier: MIT */
/*
 * overflow.h - a task that overflows its stack ends the program with a message that names it.
 */
#ifndef ANYC_CORE_OVERFLOW_H
#define ANYC_CORE_OVERFLOW_H

/* Watch the calling thread while it runs a loop. */
void anyc__overflow_watch(void);
void anyc__overflow_unwatch(void);

#endif
