/* SPDX-License-Identifier: MIT */
/*
 * job_token.c - whose token a job works with.
 *
 * The limiter's list of borrowers has the job that works with the token now. Invariants: for each
 * pair, lender->borrower == job iff job->lender == lender; both have the same limiter. A lender has
 * at most one borrower; the next ones wait, and the token is handed to the first of them in the call
 * that gives it back. The lender's service outlasts who waits, but not an abandoned borrower: that
 * one keeps the token when the lender ends.
 */
#include "threads/job_token.h"

#include "core/error.h"
#include "core/loop.h"
#include "sync/borrowers.h"

/* A task that waits until a token comes back to its lender. */
struct job_token_wait {
    struct task_wait wait;
    struct worker_job *job;
};

void anyc__job_service_begin(struct job_service *service, struct worker_job *job)
{
    anyc_list *services = anyc__worker_services(job->pool);

    *service = (struct job_service){.task = anyc__task(), .job = job};
    anyc__list_push_front(services, &service->link);
    anyc__loop_release(anyc__loop); /* the worker waits: it is not by it that a task is woken */
}

void anyc__job_service_end(struct job_service *service)
{
    anyc__loop_hold(anyc__loop);
    anyc__list_remove(&service->link);
}

/* The innermost job on whose behalf the task runs, of this limiter; NULL: any. */
static struct worker_job *job_served(const anyc_task *task, struct worker_pool *pool,
                                     const anyc_capacity_limiter *limiter)
{
    const anyc_list *services = anyc__worker_services(pool);

    while (task != NULL && !anyc__list_empty(services)) {
        for (anyc_list *node = anyc__list_first(services); node != NULL;
             node = anyc__list_after(services, node)) {
            const struct job_service *service = ANYC__CONTAINER(node, struct job_service, link);

            if (service->task == task && (limiter == NULL || service->job->limiter == limiter))
                return service->job;
        }
        task = task->group != NULL ? task->group->host : NULL;
    }
    return NULL;
}

bool anyc__job_is_nested(const anyc_task *task, const struct worker_job *job)
{
    return job_served(task, job->pool, NULL) != NULL;
}

static void job_token_hand_over(struct worker_job *from, struct worker_job *to)
{
    (void)anyc__borrowers_remove(from->limiter, (anyc_borrower){.object = from});
    anyc__borrowers_add(from->limiter, (anyc_borrower){.object = to}); /* in the same place */
}

static void job_token_lend(struct worker_job *lender, struct worker_job *job)
{
    lender->borrower = job;
    job->lender = lender;
}

static int job_token_borrow(struct worker_job *lender, struct worker_job *job)
{
    static const struct wait_type type = {.what = "the token of the worker that it runs for"};
    struct job_token_wait waiter = {.job = job};

    if (lender->borrower != NULL) {
        anyc__list_push(&lender->lent_waiters, &waiter.wait.link);
        return anyc__wait(&waiter.wait, &type, lender);
    }
    job_token_hand_over(lender, job);
    job_token_lend(lender, job);
    return 0;
}

int anyc__job_token_take(anyc_task *task, struct worker_job *job)
{
    int rc = anyc_capacity_limiter_acquire_on_behalf_of_nowait(job->limiter, job);

    if (rc == ANYC_EWOULDBLOCK) {
        struct worker_job *lender = job_served(task, job->pool, job->limiter);

        if (lender != NULL)
            rc = job_token_borrow(lender, job);
        else
            rc = anyc_capacity_limiter_acquire_on_behalf_of(job->limiter, job);
    }
    if (rc < 0)
        return rc;
    rc = anyc__check_cancelled(task);
    if (rc < 0)
        anyc__job_token_give_back(job);
    return rc;
}

/* To the lender, or to the first that waits for it. */
static void job_token_return(struct worker_job *job, struct worker_job *lender)
{
    anyc_list *node = anyc__list_first(&lender->lent_waiters);
    struct job_token_wait *next;

    lender->borrower = NULL;
    if (node == NULL) {
        job_token_hand_over(job, lender);
        return;
    }
    next = ANYC__CONTAINER(node, struct job_token_wait, wait.link);
    job_token_hand_over(job, next->job);
    job_token_lend(lender, next->job);
    anyc__wake(&next->wait, 0);
}

void anyc__job_token_give_back(struct worker_job *job)
{
    ANYC_ASSERT(anyc__list_empty(&job->lent_waiters));
    if (job->borrower != NULL) { /* abandoned, and still at work: it answers for the token */
        job->borrower->lender = job->lender;
        if (job->lender != NULL)
            job->lender->borrower = job->borrower;
    } else if (job->lender != NULL) {
        job_token_return(job, job->lender);
    } else {
        /* Fails only if the user ended the limiter meanwhile, and then there is nothing to give. */
        (void)anyc_capacity_limiter_release_on_behalf_of(job->limiter, job);
    }
    job->lender = NULL;
    job->borrower = NULL;
}
