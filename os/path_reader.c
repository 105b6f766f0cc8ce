/* SPDX-License-Identifier: MIT */
/*
 * path_reader.c - handles of listings that worker threads read.
 */
#include "os/path_reader.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"

static void reader_let_go(struct path_reader *reader)
{
    struct path_source *source = reader->source;

    reader->source = NULL;
    if (source != NULL)
        source->destroy(source);
}

static int reader_close(anyc_resource *resource, bool forcefully)
{
    struct path_reader *reader = ANYC__CONTAINER(resource, struct path_reader, resource);

    (void)forcefully;
    reader->closed = true;
    if (!reader->reading)
        reader_let_go(reader);
    return 0;
}

static void reader_destroy(anyc_resource *resource)
{
    struct path_reader *reader = ANYC__CONTAINER(resource, struct path_reader, resource);

    if (anyc__stream_destroy(&reader->life))
        anyc__free(reader);
}

static const anyc_resource_ops reader_ops = {
    .type = "listing of paths",
    .close = reader_close,
    .destroy = reader_destroy,
    .extra = anyc_no_attributes,
};

int anyc__path_reader_create(struct path_source *source, struct path_reader **out_reader)
{
    struct path_reader *reader = anyc__zalloc(sizeof *reader);

    if (reader == NULL) {
        source->destroy(source);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    reader->resource.ops = &reader_ops;
    reader->source = source;
    *out_reader = reader;
    return 0;
}

int anyc__path_reader_begin(struct path_reader *reader)
{
    int rc = anyc__stream_begin(&reader->life, &reader->reading, reader);

    if (rc < 0)
        return rc;
    if (reader->source != NULL && !reader->closed)
        return 0;
    rc = anyc__fail_plain(reader->closed ? ANYC_ECLOSED : ANYC_EBROKEN);
    anyc__path_reader_end(reader);
    return rc;
}

void anyc__path_reader_end(struct path_reader *reader)
{
    if (reader->closed)
        reader_let_go(reader);
    anyc__stream_end(&reader->life, &reader->reading, reader);
}

static int reader_fn(struct worker_job *job)
{
    struct path_source *source = ANYC__CONTAINER(job, struct path_source, job);

    source->began = true;
    return source->read(source);
}

/* The call failed before it began, or it was abandoned and is over now. */
static void reader_dispose(struct worker_job *job)
{
    struct path_source *source = ANYC__CONTAINER(job, struct path_source, job);

    if (source->began)
        source->destroy(source);
    else
        source->reader->kept = true;
}

static int reader_fail(const struct path_source *source, int rc)
{
    const char *where = *source->where != '\0' ? source->where : ".";

    if (anyc__errno_of(rc) == 0)
        return anyc__fail_plain(rc);
    return anyc__fail_errno(anyc__errno_of(rc), "reading directory %s", where);
}

int anyc__path_reader_read(struct path_reader *reader)
{
    struct path_source *source = reader->source;
    int rc;

    source->job.fn = reader_fn;
    source->job.dispose = reader_dispose;
    source->job.kind = WORKER_FILES;
    source->job.limiter = source->limiter;
    source->reader = reader;
    source->began = false;
    reader->kept = false;
    rc = anyc__worker_run(anyc__task(), &source->job);
    if (rc < 0) {
        if (!reader->kept)
            reader->source = NULL;
        return rc;
    }
    rc = source->job.result;
    if (reader->closed)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (rc < 0)
        return reader_fail(source, rc);
    return 0;
}
