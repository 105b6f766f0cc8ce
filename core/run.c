/* SPDX-License-Identifier: MIT */
/*
 * run.c - set up a loop, run its main task, and take everything down. AnyIO: anyio.run.
 */
#include <anyc/loop.h>

#include <sched.h>
#include <stdatomic.h>

#include "backends/registry.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/fork.h"
#include "core/group.h"
#include "core/instruments.h"
#include "core/loop.h"
#include "core/overflow.h"
#include "core/scope.h"
#include "core/task.h"
#include "core/tools.h"
#include "core/watch.h"

#define STACK_SIZE_DEFAULT 262144
#define FIRST_BATCH 16

static atomic_uint_fast64_t run_count;

void anyc__loop_set_local(anyc_loop *loop, enum loop_local which, void *local,
                          void (*end)(anyc_loop *loop, void *local))
{
    loop->locals[which] = local;
    loop->local_ends[which] = end;
}

void anyc__loop_close_door(anyc_loop *loop)
{
    if (atomic_fetch_sub_explicit(&loop->doors, 1, memory_order_relaxed) == 1)
        loop->backend->wake(loop); /* it may be deadlocked from now on */
}

void *anyc_backend_state(anyc_loop *loop)
{
    size_t align = _Alignof(max_align_t);

    return (char *)loop + (sizeof *loop + align - 1) / align * align;
}

const char *anyc_current_backend(void)
{
    return anyc__loop != NULL ? anyc__loop->backend->name : NULL;
}

static anyc_loop *loop_create(const anyc_backend *backend, const anyc_run_options *options)
{
    anyc_loop *loop = anyc__zalloc(sizeof *loop + _Alignof(max_align_t) + backend->loop_size);

    if (loop == NULL)
        return NULL;
    loop->backend = backend;
    loop->ready_tail = &loop->ready_head;
    loop->armed_ns = ANYC__NO_DEADLINE;
    loop->batch = FIRST_BATCH;
    loop->stack_size = options->stack_size > 0 ? options->stack_size : STACK_SIZE_DEFAULT;
    loop->virtual_ns = options->clock == ANYC_CLOCK_VIRTUAL ? 0 : -1;
    loop->run_id = 1 + atomic_fetch_add_explicit(&run_count, 1, memory_order_relaxed);
    loop->forks = anyc__forks;
    loop->tool = anyc__tools_fiber_current();
    return loop;
}

static int main_run(void *arg)
{
    anyc_loop *loop = arg;
    int rc = loop->main_fn(loop->main_arg);

    loop->closing = true;
    anyc__group_drain(&loop->root_group);
    return rc;
}

/* The main task, with the loop's root group around it. */
static int main_create(anyc_loop *loop, const char *origin, anyc_task_fn func, void *arg,
                       const anyc_run_options *options)
{
    anyc_task *task = anyc__task_create(loop, origin, options->name, NULL, 0);

    if (task == NULL)
        return ANYC_ENOMEM;
    loop->main_fn = func;
    loop->main_arg = arg;
    task->fn.plain = main_run;
    task->arg = loop;
    task->pool = anyc__stack_pool_find(&loop->pools, loop->stack_size);
    if (task->pool == NULL) {
        anyc__task_destroy(task);
        return ANYC_ENOMEM;
    }
    anyc__group_open(&loop->root_group, task, NULL);
    loop->main_task = task;
    loop->in_turn = true; /* the backend is about to run a turn, it need not be told */
    anyc__task_ready(task);
    loop->in_turn = false;
    return 0;
}

static void locals_end(anyc_loop *loop)
{
    size_t i;

    for (i = 0; i < LOOP_LOCAL_COUNT; i++) {
        if (loop->local_ends[i] != NULL)
            loop->local_ends[i](loop, loop->locals[i]);
    }
    while (atomic_load_explicit(&loop->posts.posting, memory_order_acquire) > 0)
        (void)sched_yield(); /* a thread is in the middle of a post: a few instructions more */
    anyc__post_run(loop);
}

static void loop_destroy(anyc_loop *loop)
{
    if (loop->zombie_stack != NULL)
        anyc__stack_release(loop->zombie_pool, loop->zombie_stack);
    anyc__tools_fiber_destroy(loop->zombie_tool);
    anyc__stack_pools_destroy(loop->pools);
    anyc__task_slabs_destroy(loop);
    anyc__instruments_free(loop);
    anyc__free(loop->watches);
    anyc__free(loop);
}

static int loop_drive(anyc_loop *loop)
{
    int rc;

    anyc__loop_set(loop);
    rc = loop->backend->run(loop);
    if (loop->main_task == NULL)
        rc = loop->main_rc;
    else
        anyc__abort("the \"%s\" loop broke while tasks were running: %s", loop->backend->name,
                    anyc_strerror(rc));
    locals_end(loop);
    anyc__watches_end(loop);
    loop->backend->close(loop);
    anyc__loop_set(NULL);
    return rc;
}

/* The failure of the main task becomes the thread's, unless the run has one of its own. */
static int run_result(anyc_loop *loop, int rc)
{
    if (loop->deadlocked)
        rc = ANYC_EDEADLOCK;
    else if (rc < 0)
        anyc__fail(rc, 0, "%s", anyc__failure_message(loop->main_failure, rc));
    anyc__failure_free(loop->main_failure);
    return rc;
}

static int open_loop(anyc_loop *loop, const anyc_run_options *options)
{
    const anyc_backend *backend = loop->backend;
    int rc;

    if (options->loop != NULL && (backend->features & ANYC_BACKEND_ADOPTS_LOOP) == 0)
        return anyc__fail(ANYC_EINVAL, 0, "backend \"%s\" cannot run on a loop of the caller's",
                          backend->name);
    loop->adopted = options->loop != NULL;
    rc = backend->open(loop, options);
    if (rc == ANYC_EINVAL)
        return anyc__fail(rc, 0, "backend \"%s\" does not know one of the options of the run",
                          backend->name);
    if (rc < 0)
        return anyc__fail(rc, anyc__errno_of(rc), "cannot open a \"%s\" loop: %s", backend->name,
                          anyc_strerror(rc));
    loop->timers.now_ns = anyc__now(loop);
    return 0;
}

int anyc_run_from(const char *origin, anyc_task_fn func, void *arg, const anyc_run_options *options)
{
    static const anyc_run_options defaults;
    const anyc_backend *backend = NULL;
    anyc_loop *loop;
    int rc;

    if (options == NULL)
        options = &defaults;
    if (anyc__loop != NULL)
        return anyc__fail_plain(ANYC_ERUNNING);
    if (anyc__fork_inside())
        return anyc__fail_forked();
    if (func == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a run needs a function");
    if (options->loop != NULL && options->backend == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a run on a host's loop needs its backend's name");
    rc = options->stack_size > 0 ? anyc__stack_check_size(options->stack_size) : 0;
    if (rc == 0)
        rc = anyc__backend_find(options->backend, &backend);
    if (rc < 0)
        return rc;
    ANYC_ASSERT(backend != NULL);
    loop = loop_create(backend, options);
    if (loop == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = open_loop(loop, options);
    if (rc < 0) {
        anyc__free(loop);
        return rc;
    }
    rc = main_create(loop, origin, func, arg, options);
    if (rc == 0) {
        anyc__fork_watch();
        anyc__overflow_watch();
        rc = run_result(loop, loop_drive(loop));
        anyc__overflow_unwatch();
    } else {
        backend->close(loop);
        rc = anyc__fail_plain(rc);
    }
    loop_destroy(loop);
    return rc;
}

int anyc_run_named(const char *origin, anyc_task_fn func, const char *backend)
{
    return anyc_run_from(origin, func, NULL, &(anyc_run_options){.backend = backend});
}

int(anyc_run_with)(anyc_task_fn func, void *arg, const anyc_run_options *options)
{
    return anyc_run_from(NULL, func, arg, options);
}

int(anyc_run)(anyc_task_fn func, const char *backend)
{
    return anyc_run_named(NULL, func, backend);
}
