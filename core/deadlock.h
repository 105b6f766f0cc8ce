/* SPDX-License-Identifier: MIT */
/*
 * deadlock.h - every task waits, and nothing can wake one.
 */
#ifndef ANYC_CORE_DEADLOCK_H
#define ANYC_CORE_DEADLOCK_H

#include <anyc/base.h>

/* Keep a list of who waits for what as the failure of the run, and cancel all tasks, so that they
 * clean up and the run ends. When that does not help, shielded waits are cancelled too. */
void anyc__deadlock(anyc_loop *loop);

#endif
