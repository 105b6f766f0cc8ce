/* SPDX-License-Identifier: MIT */
/*
 * error.h - set what anyc_last_error() answers, where a failure is found.
 */
#ifndef ANYC_CORE_ERROR_H
#define ANYC_CORE_ERROR_H

#include <anyc/error.h>

struct group_failures;

/* Keep a failure of the running task (outside a task: of the thread) and answer `code`. os_error is
 * the errno behind it or 0; the message names the things involved. Without memory for the message
 * the code's own text stands. */
int anyc__fail(int code, int os_error, const char *format, ...) ANYC_PRINTF(3, 4);

/* The same for a failure of TLS, with its details. */
int anyc__fail_tls(int code, int os_error, const anyc_error_tls *tls, const char *format, ...)
    ANYC_PRINTF(4, 5);

/* As anyc__fail with the code's own text: cheap, for the everyday codes (end of stream ...). In place
 * of ANYC_ENOLOOP a thread gets ANYC_ESTATE if it ran a loop when it forked this process. */
int anyc__fail_plain(int code);

/* -errno_value with a message of the form "what: text of the errno". */
int anyc__fail_errno(int errno_value, const char *format, ...) ANYC_PRINTF(2, 3);

/* The errno in a code, or 0 for codes of anyc's own. */
static inline int anyc__errno_of(int code)
{
    return code < 0 && code > -20000 ? -code : 0;
}

/* One line to the log handler. */
void anyc__log(int code, const char *format, ...) ANYC_PRINTF(2, 3);

/* For tasks and threads at their end. */
struct task_failure;
void anyc__failure_free(struct task_failure *failure);
const char *anyc__failure_message(const struct task_failure *failure, int code);

/* To hand a failure to another task or thread. Take the details of the caller's last failure, if it
 * has this code and there are any; else NULL. */
struct task_failure *anyc__failure_take(int code);

/* Forget the last one of the task or the thread: what it does next is somebody else's business. */
void anyc__failure_forget(void);

/* As anyc__fail with the details of such a failure, which stays as it is; NULL: none. */
int anyc__fail_as(const struct task_failure *failure, int code);

#endif
