/* SPDX-License-Identifier: MIT */
/*
 * capacity_limiter.c - tokens that know their borrowers. AnyIO: anyio.CapacityLimiter.
 *
 * A token set free is booked on a waiter in the same call. Invariants: borrowed < total_tokens
 * implies that the borrower of every waiter holds a token; and while anybody waits there is room
 * among the borrowers for all who may be let in, so letting them in cannot fail.
 *
 * The second one holds because a task waits only when all tokens are borrowed, and the room that
 * those took is never given back; set_total_tokens makes the room that a higher total needs.
 */
#include <anyc/capacity_limiter.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "sync/borrowers.h"
#include "sync/waiters.h"

/* A task that waits, on its stack. */
struct limiter_waiter {
    struct task_wait wait;
    anyc_borrower borrower;
};

static const struct wait_type limiter_wait = {.what = "capacity limiter"};

static anyc_borrower limiter_object(const void *borrower)
{
    return (anyc_borrower){.object = borrower};
}

static anyc_borrower limiter_task(const anyc_task *task)
{
    return (anyc_borrower){.task_id = task->id};
}

static bool limiter_has_free_token(const anyc_capacity_limiter *limiter)
{
    return (double)limiter->borrowed < limiter->total_tokens;
}

static int limiter_check_total(double total_tokens)
{
    const double all_whole = 9007199254740992.0; /* from 2^53 on no double has a fraction */

    if (total_tokens >= all_whole)
        return 0;
    if (total_tokens >= 0 && total_tokens == (double)(uint64_t)total_tokens)
        return 0;
    return anyc__fail(ANYC_EINVAL, 0, "capacity limiter: %g is not a number of tokens",
                      total_tokens);
}

static int limiter_check_object(const void *borrower)
{
    if (borrower != NULL)
        return 0;
    return anyc__fail(ANYC_EINVAL, 0, "capacity limiter: the borrower is NULL");
}

static int limiter_take(anyc_capacity_limiter *limiter, anyc_borrower borrower)
{
    int rc;

    if (anyc__borrowers_has(limiter, borrower))
        return anyc__fail(ANYC_ESTATE, 0,
                          "this borrower holds a token of the capacity limiter "
                          "already");
    if (!limiter_has_free_token(limiter))
        return anyc__fail_plain(ANYC_EWOULDBLOCK);
    rc = anyc__borrowers_reserve(limiter, limiter->borrowed + 1);
    if (rc == 0)
        anyc__borrowers_add(limiter, borrower);
    return rc;
}

static int limiter_acquire(anyc_capacity_limiter *limiter, anyc_task *task, anyc_borrower borrower)
{
    struct limiter_waiter waiter = {.borrower = borrower};
    int rc;

    rc = limiter_take(limiter, borrower);
    if (rc == 0)
        anyc__yield(task);
    if (rc != ANYC_EWOULDBLOCK)
        return rc;
    anyc__list_push(&limiter->waiters, &waiter.wait.link);
    return anyc__wait(&waiter.wait, &limiter_wait, limiter);
}

/* Book free tokens on waiters, in order, leaving out those whose borrower holds one. */
static void limiter_let_in(anyc_capacity_limiter *limiter)
{
    anyc_list *node = anyc__list_first(&limiter->waiters);

    while (node != NULL && limiter_has_free_token(limiter)) {
        struct limiter_waiter *waiter = ANYC__CONTAINER(node, struct limiter_waiter, wait.link);

        node = anyc__list_after(&limiter->waiters, node);
        if (!anyc__borrowers_has(limiter, waiter->borrower)) {
            anyc__borrowers_add(limiter, waiter->borrower);
            anyc__wake(&waiter->wait, 0);
        }
    }
}

static int limiter_release(anyc_capacity_limiter *limiter, anyc_borrower borrower)
{
    if (!anyc__borrowers_remove(limiter, borrower))
        return anyc__fail(ANYC_ESTATE, 0, "this borrower holds no token of the capacity limiter");
    limiter_let_in(limiter);
    return 0;
}

int anyc_capacity_limiter_init(anyc_capacity_limiter *limiter, double total_tokens)
{
    int rc = limiter_check_total(total_tokens);

    if (rc == 0)
        *limiter = (anyc_capacity_limiter){.total_tokens = total_tokens};
    return rc;
}

void anyc_capacity_limiter_deinit(anyc_capacity_limiter *limiter)
{
    if (limiter == NULL)
        return;
    if (!anyc__list_empty(&limiter->waiters))
        anyc__abort("a capacity limiter ends while tasks wait for it");
    anyc__free(limiter->many);
    *limiter = (anyc_capacity_limiter){0};
}

int anyc_capacity_limiter_acquire(anyc_capacity_limiter *limiter)
{
    anyc_task *task;
    int rc;

    rc = anyc__enter(&task);
    if (rc == 0)
        rc = limiter_acquire(limiter, task, limiter_task(task));
    return rc;
}

int anyc_capacity_limiter_acquire_nowait(anyc_capacity_limiter *limiter)
{
    const anyc_task *task = anyc__task();

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    return limiter_take(limiter, limiter_task(task));
}

int anyc_capacity_limiter_acquire_on_behalf_of(anyc_capacity_limiter *limiter, const void *borrower)
{
    anyc_task *task;
    int rc;

    rc = anyc__enter(&task);
    if (rc == 0)
        rc = limiter_check_object(borrower);
    if (rc == 0)
        rc = limiter_acquire(limiter, task, limiter_object(borrower));
    return rc;
}

int anyc_capacity_limiter_acquire_on_behalf_of_nowait(anyc_capacity_limiter *limiter,
                                                      const void *borrower)
{
    int rc = limiter_check_object(borrower);

    if (rc == 0)
        rc = limiter_take(limiter, limiter_object(borrower));
    return rc;
}

int anyc_capacity_limiter_release(anyc_capacity_limiter *limiter)
{
    const anyc_task *task = anyc__task();

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    return limiter_release(limiter, limiter_task(task));
}

int anyc_capacity_limiter_release_on_behalf_of(anyc_capacity_limiter *limiter, const void *borrower)
{
    int rc = limiter_check_object(borrower);

    if (rc == 0)
        rc = limiter_release(limiter, limiter_object(borrower));
    return rc;
}

double anyc_capacity_limiter_total_tokens(const anyc_capacity_limiter *limiter)
{
    return limiter->total_tokens;
}

int anyc_capacity_limiter_set_total_tokens(anyc_capacity_limiter *limiter, double total_tokens)
{
    size_t wanted = limiter->borrowed + anyc__waiters_count(&limiter->waiters);
    int rc;

    rc = limiter_check_total(total_tokens);
    if (rc < 0)
        return rc;
    if ((double)wanted > total_tokens) /* the rest goes on waiting */
        wanted = (size_t)total_tokens;
    if (wanted > limiter->borrowed)
        rc = anyc__borrowers_reserve(limiter, wanted);
    if (rc < 0)
        return rc;
    limiter->total_tokens = total_tokens;
    limiter_let_in(limiter);
    return 0;
}

size_t anyc_capacity_limiter_borrowed_tokens(const anyc_capacity_limiter *limiter)
{
    return limiter->borrowed;
}

double anyc_capacity_limiter_available_tokens(const anyc_capacity_limiter *limiter)
{
    return limiter->total_tokens - (double)limiter->borrowed;
}

void anyc_capacity_limiter_statistics(const anyc_capacity_limiter *limiter,
                                      anyc_capacity_limiter_stats *out_stats)
{
    *out_stats = (anyc_capacity_limiter_stats){
        .borrowed_tokens = limiter->borrowed,
        .total_tokens = limiter->total_tokens,
        .borrowers = anyc__borrowers_list(limiter),
        .tasks_waiting = anyc__waiters_count(&limiter->waiters),
    };
}
