/* SPDX-License-Identifier: MIT */
/*
 * fixed.h - programs in which nothing is left to chance: random numbers of the system (getrandom)
 * come in the same order each time, and time(2) stands still. Whoever links fixed.c gets that, the
 * libraries of the program included. So a TLS handshake can be repeated byte for byte.
 */
#ifndef ANYC_TESTS_SUPPORT_FIXED_H
#define ANYC_TESTS_SUPPORT_FIXED_H

#define FIXED_TIME 1767225600 /* 2026-01-01, UTC */

/* The random numbers of this thread begin anew. */
void fixed_restart(void);

#endif
