/* SPDX-License-Identifier: MIT */
/*
 * ended_loop.h - what a watch that outlives its run has in place of its loop.
 *
 * A program may keep a stream when its run is over, by mistake or to close it in the end. Whatever is
 * called on it answers ANYC_ECLOSED then, and closing it does what it always does.
 */
#ifndef ANYC_CORE_ENDED_LOOP_H
#define ANYC_CORE_ENDED_LOOP_H

#include "core/loop.h"

extern anyc_loop anyc__ended_loop;

#endif
