/* SPDX-License-Identifier: MIT */
/*
 * process.c - programs that were started: their streams, their end, their close. AnyIO: open_process,
 * abc.Process.
 *
 * The memory goes when the owner has let go of it, no call is inside, and the program has ended: a
 * close by force kills it, and cannot wait for that.
 */
#include <anyc/process.h>

#include <math.h>
#include <signal.h>

#include <anyc/cancel.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/task.h"
#include "os/process_exit.h"
#include "os/process_pipe.h"
#include "os/process_plan.h"
#include "os/process_start.h"
#include "os/process_stdio.h"
#include "streams/stream.h"

struct process {
    anyc_process base;
    struct process_exit exit;
    struct stream_life life;
    anyc_byte_stream *streams[ANYC__STDIO_COUNT]; /* NULL: no pipe */
};

static struct process *process_of(anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct process, base.resource);
}

/* -- the end of its life -- */

static void process_free(struct process *process)
{
    for (int i = 0; i < ANYC__STDIO_COUNT; i++) {
        if (process->streams[i] != NULL)
            anyc__process_pipe_destroy(process->streams[i]);
    }
    anyc__free(process);
}

static void process_release(struct process *process)
{
    if (anyc__stream_release(&process->life) && process->exit.state != PROCESS_RUNNING)
        process_free(process);
}

/* It was closed by force, and has ended now. */
static void process_ended_late(struct process_exit *exit)
{
    struct process *process = ANYC__CONTAINER(exit, struct process, exit);

    if (process->life.users == 0)
        process_free(process);
}

/* Wait for the end whatever comes; a cancellation kills it. */
static int process_wait_or_kill(struct process *process)
{
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc == 0)
        rc = anyc__process_exit_wait(&process->exit);
    if (rc < 0) {
        (void)anyc__process_exit_signal(&process->exit, SIGKILL); /* else it ends by itself */
        anyc__process_exit_wait_shielded(&process->exit);
        rc = anyc__fail_plain(rc);
    }
    return rc;
}

static int process_close(anyc_resource *resource, bool forcefully)
{
    struct process *process = process_of(resource);
    int rc = 0;

    for (int i = 0; i < ANYC__STDIO_COUNT; i++) {
        if (process->streams[i] != NULL)
            anyc__process_pipe_close(process->streams[i]);
    }
    if (anyc__process_exit_is_over(&process->exit))
        return 0;
    if (forcefully || anyc__task() == NULL || process->exit.loop == NULL) {
        (void)anyc__process_exit_signal(&process->exit, SIGKILL); /* nobody hears of a failure */
        return 0;
    }
    anyc__stream_hold(&process->life);
    rc = process_wait_or_kill(process);
    process_release(process);
    return rc;
}

static void process_destroy(anyc_resource *resource)
{
    struct process *process = process_of(resource);
    bool unused = anyc__stream_destroy(&process->life);

    if (!anyc__process_exit_is_over(&process->exit))
        anyc__process_exit_leave(&process->exit, process_ended_late);
    else if (unused)
        process_free(process);
}

static const anyc_resource_ops process_ops = {
    .type = "process",
    .close = process_close,
    .destroy = process_destroy,
    .extra = anyc_no_attributes,
};

/* -- its beginning -- */

static int process_check(const anyc_process_options *options)
{
    if (options->input != NULL || options->input_len > 0 || options->no_check ||
        options->max_output_bytes > 0)
        return anyc__fail(ANYC_EINVAL, 0, "this option is for anyc_run_process only");
    return 0;
}

/* Start it with its descriptors; then these are the process's, or closed. */
static int process_start(struct process *process, anyc_loop *loop, struct process_plan *plan,
                         struct process_stdio *stdio)
{
    struct process_started started;
    int rc;

    for (int i = 0; i < ANYC__STDIO_COUNT; i++)
        plan->std[i] = stdio->theirs[i];
    rc = anyc__process_start(plan, &started);
    if (rc == 0)
        rc = anyc__process_exit_begin(&process->exit, loop, &started);
    if (rc < 0) {
        anyc__process_stdio_undo(stdio);
        return rc;
    }
    anyc__process_stdio_close_theirs(stdio);
    for (int i = 0; i < ANYC__STDIO_COUNT; i++) {
        process->streams[i] = stdio->streams[i];
        if (process->streams[i] != NULL)
            anyc__process_pipe_set_pid(process->streams[i], started.pid);
    }
    return 0;
}

static int process_open(anyc_loop *loop, struct process_plan *plan,
                        const anyc_process_options *options, anyc_process **out_process)
{
    struct process_stdio stdio;
    struct process *process;
    int rc = anyc__process_exit_prepare(loop);

    if (rc < 0)
        return rc;
    process = anyc__zalloc(sizeof *process);
    if (process == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    process->base.resource.ops = &process_ops;
    rc = anyc__process_stdio_open(&stdio, loop, options);
    if (rc == 0)
        rc = process_start(process, loop, plan, &stdio);
    if (rc < 0)
        anyc__free(process);
    else
        *out_process = &process->base;
    return rc;
}

int anyc_open_process(const char *const *argv, const anyc_process_options *options,
                      anyc_process **out_process)
{
    static const anyc_process_options defaults;
    struct process_plan plan;
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (options == NULL)
        options = &defaults;
    if (rc == 0)
        rc = process_check(options);
    if (rc == 0)
        rc = anyc__process_plan_init(&plan, argv, options);
    if (rc < 0)
        return rc;
    rc = anyc__process_plan_ids(task, &plan, options);
    if (rc == 0)
        rc = process_open(task->loop, &plan, options, out_process);
    anyc__process_plan_deinit(&plan);
    return rc;
}

/* -- its use -- */

static struct process *process_cast(const anyc_process *process)
{
    return process_of((anyc_resource *)&process->resource);
}

static int process_result(const struct process *process, int *out_returncode)
{
    if (process->exit.state == PROCESS_LOST)
        return anyc__fail(-ECHILD, ECHILD,
                          "the exit code of process %ld was collected by somebody else",
                          (long)process->exit.pid);
    if (out_returncode != NULL)
        *out_returncode = process->exit.returncode;
    return 0;
}

int anyc_process_wait(anyc_process *base, int *out_returncode)
{
    struct process *process = process_cast(base);
    anyc_task *task;
    int rc;

    anyc__stream_hold(&process->life);
    rc = anyc__enter(&task);
    if (rc == 0)
        rc = anyc__process_exit_wait(&process->exit);
    if (rc == 0)
        rc = process_result(process, out_returncode);
    process_release(process);
    return rc;
}

int anyc_process_returncode(anyc_process *base, int *out_returncode)
{
    struct process *process = process_cast(base);

    if (!anyc__process_exit_is_over(&process->exit))
        return anyc__fail_plain(ANYC_EPENDING);
    return process_result(process, out_returncode);
}

int anyc_process_send_signal(anyc_process *process, int signum)
{
    if (signum < 0 || signum > SIGRTMAX)
        return anyc__fail(ANYC_EINVAL, 0, "there is no signal %d", signum);
    return anyc__process_exit_signal(&process_cast(process)->exit, signum);
}

int anyc_process_terminate(anyc_process *process)
{
    return anyc_process_send_signal(process, SIGTERM);
}

int anyc_process_kill(anyc_process *process)
{
    return anyc_process_send_signal(process, SIGKILL);
}

static int process_ask(struct process *process)
{
    int rc = anyc__process_exit_signal(&process->exit, SIGTERM);

    return rc == 0 ? anyc__process_exit_signal(&process->exit, SIGCONT) : rc;
}

/* Answers 0 when it has ended or the time is over. */
static int process_wait_for(struct process *process, double seconds)
{
    anyc_cancel_scope scope;
    int rc = anyc_move_on_after(&scope, seconds, false);

    if (rc < 0)
        return rc;
    rc = anyc__process_exit_wait(&process->exit);
    return anyc_cancel_scope_exit(&scope, rc);
}

static int process_stop(struct process *process, double grace)
{
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc == 0)
        rc = process_ask(process);
    if (rc == 0)
        rc = process_wait_for(process, grace);
    if (rc == 0 && !anyc__process_exit_is_over(&process->exit))
        rc = anyc__process_exit_signal(&process->exit, SIGKILL);
    return rc;
}

int anyc_process_stop(anyc_process *base, double grace, int *out_returncode)
{
    struct process *process = process_cast(base);
    int rc;

    if (isnan(grace) || grace < 0)
        return anyc__fail(ANYC_EINVAL, 0, "%g seconds are no time that a program could have",
                          grace);
    if (anyc__task() == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    anyc__stream_hold(&process->life);
    rc = process_stop(process, grace);
    if (rc == 0 || rc == ANYC_ECANCELLED) {
        int waited = process_wait_or_kill(process);

        rc = rc == 0 ? waited : anyc__fail_plain(rc);
    }
    if (rc == 0)
        rc = process_result(process, out_returncode);
    process_release(process);
    return rc;
}

pid_t anyc_process_pid(const anyc_process *process)
{
    return process_cast(process)->exit.pid;
}

anyc_byte_stream *anyc_process_stdin(const anyc_process *process)
{
    return process_cast(process)->streams[0];
}

anyc_byte_stream *anyc_process_stdout(const anyc_process *process)
{
    return process_cast(process)->streams[1];
}

anyc_byte_stream *anyc_process_stderr(const anyc_process *process)
{
    return process_cast(process)->streams[2];
}
