/* SPDX-License-Identifier: MIT */
/*
 * future.c - one result that several tasks wait for. AnyIO: anyio.Future.
 *
 * What a waiter takes home is copied into its node when the future is done, so that it need not
 * look at the future again. Invariants: state != ANYC_FUTURE_PENDING implies that the queue is
 * empty, and never changes again; state == ANYC_FUTURE_FAILED iff error < 0.
 */
#include <anyc/future.h>

#include <stdio.h>

#include "core/error.h"
#include "sync/waiters.h"

/* A task that waits, on its stack. */
struct future_waiter {
    struct task_wait wait;
    void *value;
    int error;
};

static const struct wait_type future_wait = {.what = "future"};

static const char *future_name(const char *name)
{
    return name != NULL ? name : "unnamed";
}

static int future_fail(int code, const char *name, int error)
{
    if (code == ANYC_EFUTUREFAILED)
        return anyc__fail(code, 0, "future \"%s\" failed: %s", future_name(name),
                          anyc_strerror(error));
    return anyc__fail(code, 0, "future \"%s\" was cancelled", future_name(name));
}

/* 0, or the code about the future that its state stands for. */
static int future_outcome(const anyc_future *future)
{
    if (future->state == ANYC_FUTURE_PENDING)
        return ANYC_EPENDING;
    if (future->state == ANYC_FUTURE_FAILED)
        return ANYC_EFUTUREFAILED;
    return future->state == ANYC_FUTURE_CANCELLED ? ANYC_EFUTURECANCELLED : 0;
}

static void future_settle(anyc_future *future, anyc_future_state state)
{
    struct task_wait *wait = anyc__waiters_first(&future->waiters);

    future->state = state;
    while (wait != NULL) {
        struct future_waiter *waiter = ANYC__CONTAINER(wait, struct future_waiter, wait);

        waiter->value = future->value;
        waiter->error = future->error;
        anyc__wake(wait, future_outcome(future));
        wait = anyc__waiters_first(&future->waiters);
    }
}

/* Answers 0 if a result or an error may be set. */
static int future_check_pending(const anyc_future *future)
{
    if (future->state == ANYC_FUTURE_PENDING)
        return 0;
    if (future->state == ANYC_FUTURE_CANCELLED)
        return future_fail(ANYC_EFUTURECANCELLED, future->name, 0);
    return anyc__fail(ANYC_ESTATE, 0, "future \"%s\" is done already", future_name(future->name));
}

int anyc_future_set_result(anyc_future *future, void *value)
{
    int rc = future_check_pending(future);

    if (rc < 0)
        return rc;
    future->value = value;
    future_settle(future, ANYC_FUTURE_FINISHED);
    return 0;
}

int anyc_future_set_error(anyc_future *future, int error)
{
    int rc = future_check_pending(future);

    if (rc < 0)
        return rc;
    if (error >= 0)
        return anyc__fail(ANYC_EINVAL, 0, "future \"%s\": %d is no error",
                          future_name(future->name), error);
    future->error = error;
    future_settle(future, ANYC_FUTURE_FAILED);
    return 0;
}

void anyc_future_cancel(anyc_future *future)
{
    if (future->state == ANYC_FUTURE_PENDING)
        future_settle(future, ANYC_FUTURE_CANCELLED);
}

int anyc_future_wait(anyc_future *future, void **out_value)
{
    struct future_waiter waiter = {0};
    const char *name = future->name;
    anyc_task *task;
    int rc;

    rc = anyc__enter(&task);
    if (rc < 0)
        return rc;
    rc = future_outcome(future);
    waiter.value = future->value;
    waiter.error = future->error;
    if (rc == ANYC_EPENDING) {
        anyc__list_push(&future->waiters, &waiter.wait.link);
        rc = anyc__wait(&waiter.wait, &future_wait, future);
    }
    if (rc == ANYC_ECANCELLED)
        return rc;
    if (out_value == NULL)
        return 0;
    if (rc < 0)
        return future_fail(rc, name, waiter.error);
    *out_value = waiter.value;
    return 0;
}

bool anyc_future_done(const anyc_future *future)
{
    return future->state != ANYC_FUTURE_PENDING;
}

anyc_future_state anyc_future_status(const anyc_future *future)
{
    return future->state;
}

int anyc_future_result(const anyc_future *future, void **out_value)
{
    int rc = future_outcome(future);

    if (rc == ANYC_EPENDING)
        return anyc__fail_plain(rc);
    if (rc < 0)
        return future_fail(rc, future->name, future->error);
    *out_value = future->value;
    return 0;
}

int anyc_future_error(const anyc_future *future, int *out_error)
{
    int rc = future_outcome(future);

    if (rc == ANYC_EPENDING)
        return anyc__fail_plain(rc);
    if (rc == ANYC_EFUTURECANCELLED)
        return future_fail(rc, future->name, 0);
    *out_error = future->error;
    return 0;
}

int anyc_future_format(const anyc_future *future, char *text, size_t size)
{
    static const char *const states[] = {
        [ANYC_FUTURE_PENDING] = "is pending",
        [ANYC_FUTURE_FINISHED] = "is finished",
        [ANYC_FUTURE_FAILED] = "failed",
        [ANYC_FUTURE_CANCELLED] = "was cancelled",
    };
    const char *error = future->error < 0 ? anyc_error_name(future->error) : "";

    if (text == NULL || size == 0)
        return anyc__fail(ANYC_EINVAL, 0, "no room for the text of a future");
    return snprintf(text, size, "future \"%s\" %s%s%s", future_name(future->name),
                    states[future->state], future->error < 0 ? ": " : "", error);
}
