/* SPDX-License-Identifier: MIT */
/*
 * tls_default.c - the context of clients that name none, one for each run.
 *
 * Reading the system's certificates takes some milliseconds, so a worker thread does it. Tasks that
 * ask meanwhile wait for it; if it fails, the next of them tries again.
 */
#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"
#include "streams/tls_config.h"
#include "threads/worker_pool.h"

#include <anyc/lock.h>

struct tls_default {
    anyc_lock making;
    anyc_tls_context *context; /* NULL: not made yet */
};

/* Makes the context, in a worker thread, whose last error is not the task's. */
struct tls_default_job {
    struct worker_job job;
    anyc_tls_context *context;
    anyc_error error;
    char *message; /* NULL: there was no memory for it */
};

static int default_make_fn(struct worker_job *job)
{
    struct tls_default_job *making = ANYC__CONTAINER(job, struct tls_default_job, job);
    int rc = anyc_tls_context_create(NULL, &making->context);

    if (rc < 0) {
        making->error = *anyc_last_error();
        making->message = anyc__strdup(making->error.message);
    }
    return rc;
}

static int default_make(anyc_task *task, struct tls_default *self)
{
    struct tls_default_job making = {.job = {.fn = default_make_fn, .kind = WORKER_FILES}};
    int rc = anyc__worker_run(task, &making.job);

    if (rc < 0)
        return rc;
    rc = making.job.result;
    if (rc < 0)
        anyc__fail_tls(rc, making.error.os_error, &making.error.tls,
                       "the default TLS context of clients: %s",
                       making.message != NULL ? making.message : anyc_strerror(rc));
    anyc__free(making.message);
    self->context = making.context;
    return rc;
}

static void default_end(anyc_loop *loop, void *local)
{
    struct tls_default *self = local;

    (void)loop;
    anyc_tls_context_destroy(self->context);
    anyc__free(self);
}

/* Of this run, made when it is asked for first; NULL without memory. */
static struct tls_default *default_of(anyc_loop *loop)
{
    struct tls_default *self = loop->locals[LOOP_LOCAL_TLS];

    if (self == NULL) {
        self = anyc__zalloc(sizeof *self);
        if (self != NULL)
            anyc__loop_set_local(loop, LOOP_LOCAL_TLS, self, default_end);
    }
    return self;
}

int anyc__tls_default_context(anyc_task *task, anyc_tls_context **out_context)
{
    struct tls_default *self = default_of(task->loop);
    int rc;

    if (self == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    if (self->context == NULL) {
        rc = anyc_lock_acquire(&self->making);
        if (rc < 0)
            return rc;
        if (self->context == NULL)
            rc = default_make(task, self);
        (void)anyc_lock_release(&self->making); /* this task holds it */
        if (rc < 0)
            return rc;
    }
    *out_context = self->context;
    return 0;
}
