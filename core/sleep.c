/* SPDX-License-Identifier: MIT */
/*
 * sleep.c - sleeping and checkpoints. AnyIO: anyio.sleep, anyio.lowlevel.
 */
#include <anyc/lowlevel.h>

#include <math.h>

#include <anyc/loop.h>

#include "core/error.h"
#include "core/suspend.h"

static const struct wait_type sleep_wait = {"sleep", NULL, NULL};
static const struct wait_type forever_wait = {"cancellation", NULL, NULL};

static int sleep_until_ns(anyc_task *task, int64_t deadline_ns)
{
    struct task_wait wait = {.rc = 0};
    int last_code = task->last_code;
    int rc;

    if (deadline_ns == ANYC__NO_DEADLINE)
        return anyc__wait(&wait, &forever_wait, NULL);
    if (deadline_ns <= task->loop->now_ns) {
        anyc__yield(task);
        return anyc__check_cancelled(task);
    }
    task->asleep = true;
    rc = anyc__wait_until(&wait, &sleep_wait, NULL, deadline_ns);
    task->asleep = false;
    if (rc != ANYC_ETIMEDOUT)
        return rc;
    task->last_code = last_code; /* what it slept for is no failure */
    return 0;
}

int anyc_sleep(double seconds)
{
    anyc_task *task;
    int rc;

    if (seconds <= 0.0)
        return anyc_checkpoint();
    rc = anyc__enter(&task);
    if (rc < 0)
        return rc;
    if (isnan(seconds))
        return anyc__fail_plain(ANYC_EINVAL);
    return sleep_until_ns(task, anyc__deadline_after(task->loop, seconds));
}

int anyc_sleep_forever(void)
{
    return anyc_sleep(INFINITY);
}

int anyc_sleep_until(double deadline)
{
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    if (isnan(deadline))
        return anyc__fail_plain(ANYC_EINVAL);
    (void)anyc__now(task->loop);
    return sleep_until_ns(task, anyc__ns_from_seconds(deadline));
}

double anyc_current_time(void)
{
    return anyc__loop != NULL ? anyc__seconds_from_ns(anyc__now(anyc__loop)) : NAN;
}

int anyc_checkpoint(void)
{
    anyc_task *task = anyc__task();
    int rc;

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    rc = anyc__check_cancelled(task);
    if (rc < 0)
        return rc;
    anyc__yield_inlined(task);
    return anyc__check_cancelled(task);
}

int anyc_checkpoint_if_cancelled(void)
{
    anyc_task *task = anyc__task();

    return task != NULL ? anyc__check_cancelled(task) : anyc__fail_plain(ANYC_ENOLOOP);
}

int anyc_cancel_shielded_checkpoint(void)
{
    anyc_task *task = anyc__task();

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    anyc__yield(task);
    return 0;
}
