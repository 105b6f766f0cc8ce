/* SPDX-License-Identifier: MIT */
/*
 * sync.h - what lets the tasks of one loop wait for each other.
 *
 *     anyc_event             one thing happened
 *     anyc_lock              one task at a time
 *     anyc_condition         a lock, and waiting for news under it
 *     anyc_semaphore         so many at a time
 *     anyc_capacity_limiter  so many at a time, knows who holds a token, can be resized
 *     anyc_resource_guard    refuses a second user
 *
 * All are placed by the caller and belong to one loop. Waiting allocates nothing. Waiters are
 * served in the order in which they came, and a cancelled one leaves the queue at the cancel.
 */
#ifndef ANYC_SYNC_H
#define ANYC_SYNC_H

#include <anyc/capacity_limiter.h>
#include <anyc/condition.h>
#include <anyc/event.h>
#include <anyc/lock.h>
#include <anyc/resource_guard.h>
#include <anyc/semaphore.h>

#endif
