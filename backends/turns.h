/* SPDX-License-Identifier: MIT */
/*
 * turns.h - what adapters have in common about turns.
 */
#ifndef ANYC_BACKENDS_TURNS_H
#define ANYC_BACKENDS_TURNS_H

/* Callbacks of watches after which the tasks get a turn, if the loop has still more. */
#define ANYC__EVENTS_A_TURN 128

#endif
