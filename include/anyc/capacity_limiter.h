/* SPDX-License-Identifier: MIT */
/*
 * capacity_limiter.h - so many borrowers at a time, each with one token.
 *
 *     anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(10);
 *
 *     rc = anyc_capacity_limiter_acquire(&limiter);
 *     if (rc == 0) {
 *         rc = call_the_database();
 *         anyc_capacity_limiter_release(&limiter);
 *     }
 *     ...
 *     anyc_capacity_limiter_deinit(&limiter);
 *
 * Unlike a semaphore it knows its borrowers, and its total can change at any time; lowering it
 * below what is borrowed takes no token away, but nobody gets in until enough came back. A borrower
 * is the calling task, or an address that the caller chooses. Waiters are served in the order in
 * which they came; one whose borrower holds a token by then keeps its place and lets others by.
 *
 * Up to eight borrowers are kept in the struct itself. More need memory, which a limiter keeps
 * until anyc_capacity_limiter_deinit; one that never had more does not need that call.
 */
#ifndef ANYC_CAPACITY_LIMITER_H
#define ANYC_CAPACITY_LIMITER_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Who holds a token: a task, or what a caller acted on behalf of. */
typedef struct anyc_borrower {
    const void *object; /* NULL: a task */
    uint64_t task_id;   /* 0: an object */
} anyc_borrower;

/** A limiter. All fields are private; initialise with ANYC_CAPACITY_LIMITER_INIT or _init. */
typedef struct anyc_capacity_limiter {
    double total_tokens; /* whole, >= 0; INFINITY: unlimited */
    anyc_list waiters;
    size_t borrowed;     /* entries of the list of borrowers */
    size_t capacity;     /* of `many`, a power of two; 0: `few` is the list */
    anyc_borrower *many; /* and the slots of its index behind it */
    anyc_borrower few[8];
} anyc_capacity_limiter;

/** The initial value of a limiter with so many tokens: a whole number >= 0, or INFINITY. */
#define ANYC_CAPACITY_LIMITER_INIT(total_tokens)          \
    {                                                     \
        (double)(total_tokens), {NULL, NULL}, 0, 0, NULL, \
        {                                                 \
            {                                             \
                NULL, (uint64_t)0                         \
            }                                             \
        }                                                 \
    }

/** What can be known of a limiter. */
typedef struct anyc_capacity_limiter_stats {
    size_t borrowed_tokens;
    double total_tokens;            /* INFINITY: unlimited */
    const anyc_borrower *borrowers; /* `borrowed_tokens` entries, in no order */
    size_t tasks_waiting;
} anyc_capacity_limiter_stats;

/**
 * Initialise a limiter.
 *
 * @param limiter       storage for it, not in use; unchanged on error
 * @param total_tokens  how many; INFINITY: no limit
 *
 * Returns: 0, or ANYC_EINVAL for a number below 0 or with a fraction, or for none at all.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   CapacityLimiter(total_tokens).
 */
ANYC_API int anyc_capacity_limiter_init(anyc_capacity_limiter *limiter, double total_tokens);

/**
 * End a limiter and free what it keeps. Tasks may not wait for it any more.
 *
 * @param limiter  the limiter; NULL does nothing
 *
 * Owns:    the storage is the caller's again; tokens that are still borrowed are forgotten.
 * Cancel:  never suspends.
 * Threads: the limiter's loop only, or after its run.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_capacity_limiter_deinit(anyc_capacity_limiter *limiter);

/**
 * Take a token for the calling task, waiting until it is its turn. Lets others run once after
 * taking a free token.
 *
 * @param limiter  the limiter
 *
 * Returns: 0, or
 *   ANYC_ECANCELLED the enclosing scope was cancelled; nothing was taken
 *   ANYC_ESTATE     this borrower holds a token already
 *   ANYC_ENOMEM     no memory to remember one more borrower; nothing was taken
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    the borrower holds the token until it is released.
 * Cancel:  checkpoint. Once a token was handed over, the result is 0.
 * Threads: tasks of one loop.
 * AnyIO:   CapacityLimiter.acquire, CapacityLimiter.__aenter__.
 */
ANYC_MUST_USE ANYC_API int anyc_capacity_limiter_acquire(anyc_capacity_limiter *limiter);

/**
 * Take a token for the calling task if one is free.
 *
 * @param limiter  the limiter
 *
 * Returns: 0, or
 *   ANYC_EWOULDBLOCK no token is free
 *   ANYC_ESTATE, ANYC_ENOMEM, ANYC_ENOLOOP as anyc_capacity_limiter_acquire
 * Owns:    as anyc_capacity_limiter_acquire.
 * Cancel:  never suspends, and does not look for a cancellation.
 * Threads: tasks of one loop.
 * AnyIO:   CapacityLimiter.acquire_nowait.
 */
ANYC_MUST_USE ANYC_API int anyc_capacity_limiter_acquire_nowait(anyc_capacity_limiter *limiter);

/**
 * As anyc_capacity_limiter_acquire, on behalf of something else than the calling task. Several
 * tasks may wait on behalf of the same borrower: each gets a token when the one before gave its
 * token back.
 *
 * @param limiter   the limiter
 * @param borrower  any address, told apart by its value; borrowed until the release
 *
 * Returns: as anyc_capacity_limiter_acquire; ANYC_EINVAL for NULL.
 * Owns:    the borrower holds the token until it is released.
 * Cancel:  checkpoint. Once a token was handed over, the result is 0.
 * Threads: tasks of one loop.
 * AnyIO:   CapacityLimiter.acquire_on_behalf_of.
 */
ANYC_MUST_USE ANYC_API int
anyc_capacity_limiter_acquire_on_behalf_of(anyc_capacity_limiter *limiter, const void *borrower);

/**
 * As anyc_capacity_limiter_acquire_nowait, on behalf of something else than the calling task.
 *
 * @param limiter   the limiter
 * @param borrower  any address, told apart by its value; borrowed until the release
 *
 * Returns: as anyc_capacity_limiter_acquire_nowait, but ANYC_ENOLOOP; ANYC_EINVAL for NULL.
 * Owns:    the borrower holds the token until it is released.
 * Cancel:  never suspends, and does not look for a cancellation.
 * Threads: the limiter's loop only (any task, or a callback of the loop).
 * AnyIO:   CapacityLimiter.acquire_on_behalf_of_nowait.
 */
ANYC_MUST_USE ANYC_API int
anyc_capacity_limiter_acquire_on_behalf_of_nowait(anyc_capacity_limiter *limiter,
                                                  const void *borrower);

/**
 * Give the calling task's token to the first waiter, or make it free.
 *
 * @param limiter  the limiter
 *
 * Returns: 0, or
 *   ANYC_ESTATE  this borrower holds no token
 *   ANYC_ENOLOOP not called from a task
 * Owns:    nothing; allocates nothing.
 * Cancel:  never suspends; the waiter runs later.
 * Threads: tasks of one loop.
 * AnyIO:   CapacityLimiter.release, CapacityLimiter.__aexit__.
 */
ANYC_API int anyc_capacity_limiter_release(anyc_capacity_limiter *limiter);

/**
 * Give another borrower's token to the first waiter, or make it free.
 *
 * @param limiter   the limiter
 * @param borrower  as given to the acquire
 *
 * Returns: 0, ANYC_ESTATE if this borrower holds no token, or ANYC_EINVAL for NULL.
 * Owns:    nothing; allocates nothing.
 * Cancel:  never suspends; the waiter runs later.
 * Threads: the limiter's loop only (any task, or a callback of the loop).
 * AnyIO:   CapacityLimiter.release_on_behalf_of.
 */
ANYC_API int anyc_capacity_limiter_release_on_behalf_of(anyc_capacity_limiter *limiter,
                                                        const void *borrower);

/**
 * The number of tokens there are.
 *
 * @param limiter  the limiter
 *
 * Returns: a whole number, or INFINITY.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the limiter's loop only.
 * AnyIO:   CapacityLimiter.total_tokens.
 */
ANYC_API double anyc_capacity_limiter_total_tokens(const anyc_capacity_limiter *limiter);

/**
 * Change the number of tokens. Raising it lets in as many waiters as there are tokens free now.
 *
 * @param limiter       the limiter; unchanged on error
 * @param total_tokens  how many; INFINITY: no limit
 *
 * Returns: 0, or
 *   ANYC_EINVAL a number below 0 or with a fraction, or none at all
 *   ANYC_ENOMEM no memory to remember the borrowers that it would let in
 * Owns:    nothing.
 * Cancel:  never suspends; the waiters run later.
 * Threads: the limiter's loop only (any task, or a callback of the loop).
 * AnyIO:   CapacityLimiter.total_tokens (set).
 */
ANYC_API int anyc_capacity_limiter_set_total_tokens(anyc_capacity_limiter *limiter,
                                                    double total_tokens);

/**
 * The number of tokens that are borrowed.
 *
 * @param limiter  the limiter
 *
 * Returns: that number.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the limiter's loop only.
 * AnyIO:   CapacityLimiter.borrowed_tokens.
 */
ANYC_API size_t anyc_capacity_limiter_borrowed_tokens(const anyc_capacity_limiter *limiter);

/**
 * The number of tokens that are free: the total less those borrowed.
 *
 * @param limiter  the limiter
 *
 * Returns: a whole number, INFINITY, or one below 0 after the total was lowered.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the limiter's loop only.
 * AnyIO:   CapacityLimiter.available_tokens.
 */
ANYC_API double anyc_capacity_limiter_available_tokens(const anyc_capacity_limiter *limiter);

/**
 * Who holds tokens and how many tasks wait. Takes time in proportion to those that wait.
 *
 * @param limiter    the limiter
 * @param out_stats  filled in
 *
 * Owns:    the list of borrowers is borrowed, valid until a token is next taken or given back.
 * Cancel:  never suspends.
 * Threads: the limiter's loop only.
 * AnyIO:   CapacityLimiter.statistics.
 */
ANYC_API void anyc_capacity_limiter_statistics(const anyc_capacity_limiter *limiter,
                                               anyc_capacity_limiter_stats *out_stats);

#ifdef __cplusplus
}
#endif

#endif
