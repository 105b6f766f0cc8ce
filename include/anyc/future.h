/* SPDX-License-Identifier: MIT */
/*
 * future.h - one result that some task will set and any number of tasks wait for.
 *
 *     anyc_future answer = ANYC_FUTURE_INIT("answer");
 *
 *     anyc_future_set_result(&answer, &forty_two);    // in one task
 *     rc = anyc_future_wait(&answer, &value);         // in others: 0, and value == &forty_two
 *
 * A future is set once: with a result, an error, or by cancelling it. "Cancelled" and "failed" are
 * codes about the future, other than a waiting task's own ANYC_ECANCELLED. It needs no end and may
 * be made before a loop runs; all zero is a pending future without a name. Whoever was woken by it
 * does not touch it again, so a waiter may own its memory.
 */
#ifndef ANYC_FUTURE_H
#define ANYC_FUTURE_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What became of a future. */
typedef enum anyc_future_state {
    ANYC_FUTURE_PENDING = 0,
    ANYC_FUTURE_FINISHED, /* has a result */
    ANYC_FUTURE_FAILED,   /* has an error */
    ANYC_FUTURE_CANCELLED
} anyc_future_state;

/** A result to come. All fields are private; initialise with ANYC_FUTURE_INIT. */
typedef struct anyc_future {
    anyc_list waiters; /* empty unless pending */
    const char *name;
    void *value; /* if finished */
    int error;   /* if failed: < 0 */
    anyc_future_state state;
} anyc_future;

/** The initial value of a future; `name` is for messages, borrowed as long as somebody waits. */
#define ANYC_FUTURE_INIT(name)                             \
    {                                                      \
        {NULL, NULL}, (name), NULL, 0, ANYC_FUTURE_PENDING \
    }

/**
 * Set the result and wake all who wait.
 *
 * @param future  pending
 * @param value   handed to each waiter
 *
 * Returns: 0, or
 *   ANYC_EFUTURECANCELLED it was cancelled; it stays so
 *   ANYC_ESTATE           it has a result or an error already
 * Owns:    what the value points to stays whose it is; allocates nothing.
 * Cancel:  never suspends; the waiters run later.
 * Threads: the waiters' loop only (any task, or a callback of the loop).
 * AnyIO:   Future.set_result.
 */
ANYC_API int anyc_future_set_result(anyc_future *future, void *value);

/**
 * Set the error and wake all who wait.
 *
 * @param future  pending
 * @param error   a negative code
 *
 * Returns: as anyc_future_set_result; ANYC_EINVAL if the code is not negative.
 * Owns:    nothing; allocates nothing.
 * Cancel:  never suspends; the waiters run later.
 * Threads: the waiters' loop only (any task, or a callback of the loop).
 * AnyIO:   Future.set_exception.
 */
ANYC_API int anyc_future_set_error(anyc_future *future, int error);

/**
 * Cancel a pending future and wake all who wait. One that is done stays as it is. The tasks that
 * wait are not cancelled.
 *
 * @param future  the future
 *
 * Owns:    nothing; allocates nothing.
 * Cancel:  never suspends; the waiters run later.
 * Threads: the waiters' loop only (any task, or a callback of the loop).
 * AnyIO:   Future.cancel.
 */
ANYC_API void anyc_future_cancel(anyc_future *future);

/**
 * Wait until the future is done. Cancelling the waiter cancels neither the future nor other
 * waiters.
 *
 * @param future     the future; borrowed until it is done or the wait is cancelled
 * @param out_value  its result; NULL: only wait for its end, whatever that is
 *
 * Returns: 0, or
 *   ANYC_EFUTUREFAILED    (out_value given) it has an error; see anyc_future_error
 *   ANYC_EFUTURECANCELLED (out_value given) it was cancelled
 *   ANYC_ECANCELLED       this task was cancelled
 *   ANYC_ENOLOOP          not called from a task
 * Owns:    what the value points to stays whose it is.
 * Cancel:  checkpoint, also if the future is done already.
 * Threads: tasks of one loop.
 * AnyIO:   await Future, Future.wait.
 */
ANYC_API int anyc_future_wait(anyc_future *future, void **out_value);

/**
 * Is the future done: finished, failed or cancelled?
 *
 * @param future  the future
 *
 * Returns: true if it is not pending.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the future's loop only.
 * AnyIO:   Future.done.
 */
ANYC_API bool anyc_future_done(const anyc_future *future);

/**
 * What has become of the future.
 *
 * @param future  the future
 *
 * Returns: its state.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the future's loop only.
 * AnyIO:   Future.status.
 */
ANYC_API anyc_future_state anyc_future_status(const anyc_future *future);

/**
 * The result, without waiting.
 *
 * @param future     the future
 * @param out_value  its result
 *
 * Returns: 0, ANYC_EPENDING, ANYC_EFUTUREFAILED or ANYC_EFUTURECANCELLED.
 * Owns:    what the value points to stays whose it is.
 * Cancel:  never suspends.
 * Threads: the future's loop only.
 * AnyIO:   Future.return_value.
 */
ANYC_API int anyc_future_result(const anyc_future *future, void **out_value);

/**
 * The error, without waiting.
 *
 * @param future     the future
 * @param out_error  its negative code, or 0 if it has a result
 *
 * Returns: 0, ANYC_EPENDING or ANYC_EFUTURECANCELLED.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the future's loop only.
 * AnyIO:   Future.exception.
 */
ANYC_API int anyc_future_error(const anyc_future *future, int *out_error);

/**
 * A text for people: future "answer" is pending.
 *
 * @param future  the future
 * @param text    where the text goes, cut to fit, always ended
 * @param size    room at `text`, bytes, at least 1
 *
 * Returns: the length of the whole text, as snprintf; or ANYC_EINVAL without room.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the future's loop only.
 * AnyIO:   repr(Future).
 */
ANYC_API int anyc_future_format(const anyc_future *future, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
