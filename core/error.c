/* SPDX-License-Identifier: MIT */
/*
 * error.c - codes in words, and the last failure of each task and thread.
 *
 * A task (or thread) keeps the code of its last failure, and a block with the details of the last
 * failure that had any. The block counts only while its code is still the last one.
 */
#include "core/error.h"

#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <anyc/log.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/fork.h"
#include "core/task.h"

struct task_failure {
    anyc_error error; /* message points to text */
    char text[];
};

/* clang-format off */
#define ERROR_ENTRY(symbol, number, text) {.code = symbol, .message = text},
static const anyc_error plain_errors[] = {
    ANYC_ERROR_MAP(ERROR_ENTRY)
    {.code = ANYC_ETIMEDOUT, .os_error = ETIMEDOUT, .message = "timed out"},
    {.code = ANYC_EINVAL, .os_error = EINVAL, .message = "invalid argument"},
    {.code = ANYC_ENOMEM, .os_error = ENOMEM, .message = "out of memory"},
    {.message = ""},
};

#define ERROR_NAME(code, number, text) {code, #code},
static const struct {
    int code;
    const char *name;
} error_names[] = {
    ANYC_ERROR_MAP(ERROR_NAME)
    {ANYC_EAI(EAI_AGAIN), "EAI_AGAIN"},
    {ANYC_EAI(EAI_BADFLAGS), "EAI_BADFLAGS"},
    {ANYC_EAI(EAI_FAIL), "EAI_FAIL"},
    {ANYC_EAI(EAI_FAMILY), "EAI_FAMILY"},
    {ANYC_EAI(EAI_MEMORY), "EAI_MEMORY"},
    {ANYC_EAI(EAI_NONAME), "EAI_NONAME"},
    {ANYC_EAI(EAI_OVERFLOW), "EAI_OVERFLOW"},
    {ANYC_EAI(EAI_SERVICE), "EAI_SERVICE"},
    {ANYC_EAI(EAI_SOCKTYPE), "EAI_SOCKTYPE"},
    {ANYC_EAI(EAI_SYSTEM), "EAI_SYSTEM"},
#ifdef EAI_NODATA
    {ANYC_EAI(EAI_NODATA), "EAI_NODATA"},
    {ANYC_EAI(EAI_ADDRFAMILY), "EAI_ADDRFAMILY"},
#endif
};
/* clang-format on */

/* Of code outside tasks. */
static _Thread_local struct task_failure *thread_failure;
static _Thread_local int thread_last_code;
static _Thread_local anyc_error thread_plain; /* for codes that have no entry above */

static pthread_once_t thread_key_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;

static anyc_log_fn log_handler;
static void *log_arg;

static void thread_failure_end(void *failure)
{
    anyc__free(failure);
}

static void thread_key_create(void)
{
    (void)pthread_key_create(&thread_key, thread_failure_end); /* failing, a thread leaks a block */
}

static bool is_eai(int rc)
{
    return rc <= -21000 && rc > -22000;
}

const char *anyc_strerror(int rc)
{
    size_t i;

    if (rc >= 0)
        return "success";
    if (is_eai(rc))
        return gai_strerror(EAI_NONAME < 0 ? rc + 21000 : -21000 - rc);
    for (i = 0; plain_errors[i].code != 0; i++) {
        if (plain_errors[i].code == rc)
            return plain_errors[i].message;
    }
    return anyc__errno_of(rc) > 0 ? strerror(anyc__errno_of(rc)) : "unknown error";
}

const char *anyc_error_name(int rc)
{
    const char *name = NULL;
    size_t i;

    if (rc >= 0)
        return "OK";
    for (i = 0; i < sizeof error_names / sizeof error_names[0]; i++) {
        if (error_names[i].code == rc)
            return error_names[i].name;
    }
#if defined(__GLIBC__)
    if (anyc__errno_of(rc) > 0)
        name = strerrorname_np(anyc__errno_of(rc));
#endif
    return name != NULL ? name : "UNKNOWN";
}

static const anyc_error *plain_error(int code)
{
    size_t i;

    for (i = 0; plain_errors[i].code != code && plain_errors[i].code != 0; i++)
        continue;
    if (code == 0 || plain_errors[i].code != 0)
        return &plain_errors[i];
    thread_plain = (anyc_error){
        .code = code, .os_error = anyc__errno_of(code), .message = anyc_strerror(code)};
    return &thread_plain;
}

const anyc_error *anyc_last_error(void)
{
    const anyc_task *task = anyc__task();
    const struct task_failure *failure = task != NULL ? task->failure : thread_failure;
    int code = task != NULL ? task->last_code : thread_last_code;

    if (failure != NULL && failure->error.code == code)
        return &failure->error;
    return plain_error(code);
}

/* The failure that comes now replaces the last one. */
static void failure_begin(int code)
{
    anyc_task *task = anyc__task();
    struct task_failure **slot = task != NULL ? &task->failure : &thread_failure;

    if (*slot != NULL) {
        anyc__free(*slot);
        *slot = NULL;
        if (task == NULL)
            (void)pthread_setspecific(thread_key, NULL);
    }
    *(task != NULL ? &task->last_code : &thread_last_code) = code;
}

int anyc__fail_plain(int code)
{
    if (UNLIKELY(code == ANYC_ENOLOOP) && anyc__fork_inside())
        return anyc__fail_forked();
    failure_begin(code);
    return code;
}

static struct task_failure *failure_create(int code, int os_error, const char *format, va_list args)
{
    struct task_failure *failure;
    va_list again;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        return NULL;
    failure = anyc__alloc(sizeof *failure + (size_t)len + 1);
    if (failure == NULL)
        return NULL;
    failure->error = (anyc_error){.code = code, .os_error = os_error, .message = failure->text};
    (void)vsnprintf(failure->text, (size_t)len + 1, format, args);
    return failure;
}

static int fail_v(int code, int os_error, const anyc_error_tls *tls, const char *format,
                  va_list args)
{
    anyc_task *task = anyc__task();
    /* made first: its text may quote the failure that it replaces */
    struct task_failure *failure = failure_create(code, os_error, format, args);

    if (failure != NULL && tls != NULL)
        failure->error.tls = *tls;
    failure_begin(code);
    if (task != NULL) {
        task->failure = failure;
    } else {
        thread_failure = failure;
        (void)pthread_once(&thread_key_once, thread_key_create);
        (void)pthread_setspecific(thread_key, failure);
    }
    return code;
}

int anyc__fail(int code, int os_error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_v(code, os_error, NULL, format, args);
    va_end(args);
    return code;
}

int anyc__fail_tls(int code, int os_error, const anyc_error_tls *tls, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_v(code, os_error, tls, format, args);
    va_end(args);
    return code;
}

int anyc__fail_errno(int errno_value, const char *format, ...)
{
    char what[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return anyc__fail(-errno_value, errno_value, "%s: %s", what, strerror(errno_value));
}

void anyc__failure_free(struct task_failure *failure)
{
    anyc__free(failure);
}

const char *anyc__failure_message(const struct task_failure *failure, int code)
{
    return failure != NULL && failure->error.code == code ? failure->text : anyc_strerror(code);
}

struct task_failure *anyc__failure_take(int code)
{
    anyc_task *task = anyc__task();
    struct task_failure **slot = task != NULL ? &task->failure : &thread_failure;
    struct task_failure *failure = *slot;

    if (failure == NULL || failure->error.code != code)
        return NULL;
    *slot = NULL;
    if (task == NULL)
        (void)pthread_setspecific(thread_key, NULL);
    return failure;
}

void anyc__failure_forget(void)
{
    failure_begin(0);
}

int anyc__fail_as(const struct task_failure *failure, int code)
{
    if (failure == NULL)
        return anyc__fail_plain(code);
    return anyc__fail_tls(code, failure->error.os_error, &failure->error.tls, "%s", failure->text);
}

void anyc_set_log_handler(anyc_log_fn handler, void *arg)
{
    log_handler = handler;
    log_arg = arg;
}

void anyc__log(int code, const char *format, ...)
{
    char line[512];
    va_list args;

    if (log_handler == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log_handler(code, line, log_arg);
}

_Noreturn void anyc__abort(const char *format, ...)
{
    const anyc_task *task = anyc__task();
    va_list args;

    if (task != NULL)
        fprintf(stderr, "anyc: in task %llu \"%s\" (%s): ", (unsigned long long)task->id,
                anyc__task_name(task), anyc__task_place(task));
    else
        fputs("anyc: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}
