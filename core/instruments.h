/* SPDX-License-Identifier: MIT */
/*
 * instruments.h - the hook points of the scheduler. Call them only while loop->instruments != NULL.
 */
#ifndef ANYC_CORE_INSTRUMENTS_H
#define ANYC_CORE_INSTRUMENTS_H

#include <anyc/base.h>

void anyc__instruments_spawned(const anyc_task *task);
void anyc__instruments_ready(const anyc_task *task);
void anyc__instruments_exited(const anyc_task *task, int rc);
void anyc__instruments_step(anyc_loop *loop, uint64_t id, bool before);
/* Before a poll with this timeout; a negative one: after it. */
void anyc__instruments_poll(anyc_loop *loop, double timeout);
void anyc__instruments_free(anyc_loop *loop);

#endif
