/* SPDX-License-Identifier: MIT */
/*
 * portal_task.c - tasks that threads start through a portal, with futures. AnyIO: BlockingPortal's
 * start_task and start_task_soon.
 *
 * To wait for the started signal is the work of a task that a call starts in the loop: it calls
 * anyc_task_group_start there.
 */
#include "threads/portal.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "threads/thread_future.h"

struct portal_task {
    anyc_thread_future future; /* first: freed with it */
    anyc_task_fn fn;           /* one of the two */
    anyc_start_fn start_fn;
    void *arg;

    /* until it has been started */
    struct post post;
    struct portal *portal; /* one reference while `post` is on its way */
    const char *origin;
    char *name; /* or NULL */
};

static int portal_task_check(const struct portal *portal, bool has_fn)
{
    if (!has_fn)
        return anyc__fail(ANYC_EINVAL, 0, "blocking portal: no function");
    return anyc__portal_check(portal);
}

/* NULL without memory. */
static struct portal_task *portal_task_create(struct portal *portal, const char *name)
{
    struct portal_task *task = anyc__zalloc(sizeof *task);

    if (task != NULL && name != NULL) {
        task->name = anyc__strdup(name);
        if (task->name == NULL) {
            anyc__free(task);
            task = NULL;
        }
    }
    if (task == NULL) {
        (void)anyc__fail_plain(ANYC_ENOMEM); /* NULL says it */
        return NULL;
    }
    anyc__thread_future_init(&task->future, portal->token);
    task->portal = portal;
    return task;
}

/* The task has its own copy of the name. */
static void portal_task_started(struct portal_task *task)
{
    anyc__free(task->name);
    task->name = NULL;
}

static int portal_task_run(struct portal_task *task, anyc_task_status *status)
{
    anyc_cancel_scope scope;
    int rc;

    anyc__thread_future_begin(&task->future, &scope);
    rc = task->fn != NULL ? task->fn(task->arg) : task->start_fn(task->arg, status);
    anyc__thread_future_end(&task->future, rc);
    return 0;
}

static int portal_task_main(void *arg)
{
    return portal_task_run(arg, NULL);
}

static int portal_task_main_start(void *arg, anyc_task_status *status)
{
    return portal_task_run(arg, status);
}

static void portal_task_received(struct post *post)
{
    struct portal_task *task = ANYC__CONTAINER(post, struct portal_task, post);
    struct portal *portal = task->portal;
    int rc = anyc__portal_start(portal, task->origin, portal_task_main, task, task->name);

    portal_task_started(task);
    if (rc < 0)
        anyc__thread_future_complete(&task->future, rc);
    anyc__portal_unref(portal);
}

/* Hands the task to the loop. If the run is over, it has both references again. */
static int portal_task_post(struct portal_task *task)
{
    anyc_token *token = task->future.token;
    anyc_loop *loop = anyc__run_token_enter(token);

    if (loop == NULL)
        return anyc__fail(ANYC_ESTATE, 0, "the blocking portal is not running");
    anyc__portal_ref(task->portal);
    anyc__post(loop, &task->post);
    anyc__run_token_leave(token);
    return 0;
}

/* It has not begun, or is done. */
static void portal_task_discard(struct portal_task *task)
{
    portal_task_started(task);
    if (!anyc_thread_future_done(&task->future))
        anyc_thread_future_unref(&task->future); /* the reference of its task */
    anyc_thread_future_unref(&task->future);
}

static void portal_task_hand_out(struct portal_task *task, anyc_thread_future **out_future)
{
    if (out_future != NULL)
        *out_future = &task->future;
    else
        anyc_thread_future_unref(&task->future);
}

int anyc_blocking_portal_start_task_soon_from(const char *origin, anyc_blocking_portal *portal,
                                              anyc_task_fn fn, void *arg, const char *name,
                                              anyc_thread_future **out_future)
{
    struct portal *self = anyc__portal_of(portal);
    int rc = portal_task_check(self, fn != NULL);
    struct portal_task *task;

    if (rc < 0)
        return rc;
    task = portal_task_create(self, name);
    if (task == NULL)
        return ANYC_ENOMEM;
    task->fn = fn;
    task->arg = arg;
    task->origin = origin;
    task->post.fn = portal_task_received;
    rc = portal_task_post(task);
    if (rc < 0)
        portal_task_discard(task);
    else
        portal_task_hand_out(task, out_future);
    return rc;
}

int(anyc_blocking_portal_start_task_soon)(anyc_blocking_portal *portal, anyc_task_fn fn, void *arg,
                                          const char *name, anyc_thread_future **out_future)
{
    return anyc_blocking_portal_start_task_soon_from(NULL, portal, fn, arg, name, out_future);
}

struct portal_start {
    struct portal_task *task;
    void *value;
};

/* In a task of the portal. The new one's own task function never fails, so that its failure is not
 * the group's; what it came to is in the future. */
static int portal_start_here(void *arg)
{
    struct portal_start *start = arg;
    struct portal_task *task = start->task;
    int rc = anyc_task_group_start_from(task->origin, &task->portal->group, portal_task_main_start,
                                        task, task->name, &start->value, NULL);

    if (rc == ANYC_ENOTSTARTED && task->future.rc < 0)
        return anyc__fail_as(task->future.failure, task->future.rc);
    return rc;
}

int anyc_blocking_portal_start_task_from(const char *origin, anyc_blocking_portal *portal,
                                         anyc_start_fn fn, void *arg, const char *name,
                                         void **out_value, anyc_thread_future **out_future)
{
    struct portal *self = anyc__portal_of(portal);
    struct portal_start start = {.value = NULL};
    int rc = portal_task_check(self, fn != NULL);
    struct portal_task *task;

    if (rc < 0)
        return rc;
    task = portal_task_create(self, name);
    if (task == NULL)
        return ANYC_ENOMEM;
    task->start_fn = fn;
    task->arg = arg;
    task->origin = origin;
    start.task = task;
    rc = anyc_blocking_portal_call(portal, portal_start_here, &start, NULL);
    if (rc < 0) {
        portal_task_discard(task);
        return rc;
    }
    portal_task_started(task);
    if (out_value != NULL)
        *out_value = start.value;
    portal_task_hand_out(task, out_future);
    return 0;
}

int(anyc_blocking_portal_start_task)(anyc_blocking_portal *portal, anyc_start_fn fn, void *arg,
                                     const char *name, void **out_value,
                                     anyc_thread_future **out_future)
{
    return anyc_blocking_portal_start_task_from(NULL, portal, fn, arg, name, out_value, out_future);
}
