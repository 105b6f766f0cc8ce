/* SPDX-License-Identifier: MIT */
/*
 * worker.h - what the tests of worker processes share: functions that run in a worker, and a gate by
 * which such a function says that it is under way, and waits.
 */
#ifndef ANYC_TESTS_UNIT_OS_WORKER_H
#define ANYC_TESTS_UNIT_OS_WORKER_H

#include <check.h>

#include <anyc/anyc.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/steps.h"

/* -- in the worker -- */

/* Answers with the process's number. */
static inline int worker_tell_pid(const void *input, size_t input_size, anyc_bytes *output)
{
    pid_t pid = getpid();

    (void)input;
    (void)input_size;
    return anyc_bytes_init(output, &pid, sizeof pid);
}

/* -- calls -- */

/* A call that must succeed, of a function that answers with some value. */
static inline void worker_get(anyc_process_fn fn, const void *input, size_t input_size, void *value,
                              size_t size)
{
    anyc_bytes output = {NULL, 0};
    int rc = anyc_to_process_run_sync(fn, input, input_size, NULL, &output);

    ck_assert_msg(rc == 0, "%s", anyc_last_error()->message);
    ck_assert_uint_eq(output.len, size);
    memcpy(value, output.data, size);
    anyc_bytes_deinit(&output);
}

/* The process that the next call runs in. */
static inline pid_t worker_pid(void)
{
    pid_t pid = 0;

    worker_get(worker_tell_pid, NULL, 0, &pid, sizeof pid);
    return pid;
}

/* A call that breaks its worker, and what is said of that. */
static inline void worker_breaks(anyc_process_fn fn, const char *message)
{
    ck_assert_int_eq(anyc_to_process_run_sync(fn, NULL, 0, NULL, NULL), ANYC_EWORKER);
    ck_assert_msg(strstr(anyc_last_error()->message, message) != NULL, "%s",
                  anyc_last_error()->message);
}

/* Is there such a process, a zombie included? */
static inline bool worker_exists(pid_t pid)
{
    return kill(pid, 0) == 0 || errno != ESRCH;
}

/* -- the gate -- */

/* Two pipes with names, so that it can be the input of a function. */
struct gate {
    char folder[32];
    char told[48]; /* the function writes its process's number */
    char go[48];   /* and reads a byte */
    int told_fd;   /* these are the test's */
    int go_fd;
};

static inline void gate_make(struct gate *gate)
{
    *gate = (struct gate){.folder = "/tmp/anyc-worker-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(gate->folder));
    snprintf(gate->told, sizeof gate->told, "%s/told", gate->folder);
    snprintf(gate->go, sizeof gate->go, "%s/go", gate->folder);
    ck_assert_ok(mkfifo(gate->told, 0600));
    ck_assert_ok(mkfifo(gate->go, 0600));
    gate->told_fd = open(gate->told, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    gate->go_fd = open(gate->go, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ck_assert(gate->told_fd >= 0 && gate->go_fd >= 0);
}

static inline void gate_remove(struct gate *gate)
{
    close(gate->told_fd);
    close(gate->go_fd);
    unlink(gate->told);
    unlink(gate->go);
    rmdir(gate->folder);
}

/* In the test: wait until a function is at the gate; its process. */
static inline pid_t gate_await(const struct gate *gate)
{
    pid_t pid = 0;
    ssize_t n = -1;

    while (n < 0) {
        ck_assert_ok(anyc_wait_readable(gate->told_fd));
        n = read(gate->told_fd, &pid, sizeof pid);
        ck_assert(n == sizeof pid || errno == EAGAIN);
    }
    return pid;
}

/* In the test: let one function through. */
static inline void gate_open(const struct gate *gate)
{
    ck_assert_int_eq(write(gate->go_fd, "x", 1), 1);
}

/* In the worker: arrive, and wait. */
static inline int gate_pass(const struct gate *gate)
{
    int told = open(gate->told, O_WRONLY);
    int go = open(gate->go, O_RDONLY);
    pid_t pid = getpid();
    char byte;
    bool passed = write(told, &pid, sizeof pid) == sizeof pid && read(go, &byte, 1) == 1;

    close(told);
    close(go);
    return passed ? 0 : -EIO;
}

/* A function: wait at the gate which is its input, answer with the process's number. */
static inline int worker_wait(const void *input, size_t input_size, anyc_bytes *output)
{
    int rc = gate_pass(input);

    return rc < 0 ? rc : worker_tell_pid(input, input_size, output);
}

/* -- tasks -- */

/* A call in a task of its own. */
struct worker_call {
    anyc_process_fn fn;
    const void *input;
    size_t input_size;
    anyc_to_process_run_sync_options options;
    int rc;         /* what it answered; 1: nothing yet */
    pid_t pid;      /* if that is what the function put out */
    bool cancelled; /* the next checkpoint was */
};

static inline int worker_call_task(void *arg)
{
    struct worker_call *call = arg;
    anyc_bytes output = {NULL, 0};

    call->rc = 1;
    call->rc =
        anyc_to_process_run_sync(call->fn, call->input, call->input_size, &call->options, &output);
    if (output.len == sizeof call->pid)
        memcpy(&call->pid, output.data, sizeof call->pid);
    anyc_bytes_deinit(&output);
    call->cancelled = anyc_is_cancelled(anyc_checkpoint());
    return call->rc == ANYC_ECANCELLED ? call->rc : 0;
}

/* One that waits at a gate. */
static inline struct worker_call worker_call_at(const struct gate *gate)
{
    return (struct worker_call){.fn = worker_wait, .input = gate, .input_size = sizeof *gate};
}

#endif
