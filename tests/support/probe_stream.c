/* SPDX-License-Identifier: MIT */
/*
 * probe_stream.c - a byte stream that passes on to another one, and can be told to misbehave.
 */
#include "probe_stream.h"

#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>

#include <check.h>

#include <string.h>

static struct probe_stream *probe_of(anyc_resource *resource)
{
    return (struct probe_stream *)resource;
}

/* What every call does first. */
static int probe_begin(struct probe_stream *probe)
{
    int call = ++probe->calls;

    ck_assert(!probe->destroyed);
    if (call == probe->cancel_at)
        anyc_cancel_scope_cancel(probe->scope, NULL);
    if (probe->fail_from > 0 && call >= probe->fail_from &&
        (probe->fail_to == 0 || call <= probe->fail_to))
        return probe->fail_rc;
    return call == probe->stall_at ? anyc_sleep_forever() : 0;
}

/* A call has done its part. Its task may run only after others. */
static void probe_end(const struct probe_stream *probe, int call)
{
    int rc = 0;

    while (call == probe->outlive_at && !probe->destroyed && rc >= 0)
        rc = anyc_cancel_shielded_checkpoint();
}

static size_t probe_limit(const struct probe_stream *probe, size_t len)
{
    return probe->step > 0 && len > probe->step ? probe->step : len;
}

static int probe_close(anyc_resource *resource, bool forcefully)
{
    struct probe_stream *probe = probe_of(resource);

    if (!probe->closed)
        probe->forcefully = forcefully;
    probe->closed = true;
    return probe->inner->resource.ops->close(&probe->inner->resource, forcefully);
}

static void probe_destroy(anyc_resource *resource)
{
    struct probe_stream *probe = probe_of(resource);

    probe->destroyed = true;
    anyc_aclose_forcefully(probe->inner);
}

static int probe_extra(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out)
{
    struct probe_stream *probe = probe_of(resource);

    return probe->inner->resource.ops->extra(&probe->inner->resource, attribute, out);
}

static ssize_t probe_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes)
{
    struct probe_stream *probe = probe_of(&stream->resource);
    size_t limit = probe_limit(probe, max_bytes);
    ssize_t n = probe_begin(probe);
    int call = probe->calls;

    if (n < 0)
        return n;
    if (probe->ends && limit > probe->ends_after - probe->received)
        limit = probe->ends_after - probe->received;
    n = limit > 0 ? anyc_receive(probe->inner, buf, limit) : ANYC_EOF;
    if (n > 0) {
        if (probe->flip_at > probe->received && probe->flip_at <= probe->received + (size_t)n)
            ((char *)buf)[probe->flip_at - probe->received - 1] ^= 1;
        probe->received += (size_t)n;
    }
    probe_end(probe, call);
    return n;
}

static int probe_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    struct probe_stream *probe = probe_of(&stream->resource);
    int rc = probe_begin(probe);

    if (rc >= 0)
        rc = anyc_send(probe->inner, buf, len);
    probe->sent += rc >= 0 ? len : 0;
    return rc;
}

static ssize_t probe_send_some(anyc_byte_stream *stream, const void *buf, size_t len)
{
    struct probe_stream *probe = probe_of(&stream->resource);
    ssize_t n = probe_begin(probe);
    int call = probe->calls;

    if (n >= 0)
        n = anyc_send_some(probe->inner, buf, probe_limit(probe, len));
    probe->sent += n > 0 ? (size_t)n : 0;
    probe_end(probe, call);
    return n;
}

static const anyc_byte_stream_ops probe_ops = {
    .resource = {"probe", probe_close, probe_destroy, probe_extra},
    .receive = probe_receive,
    .send = probe_send,
    .sendv = anyc_sendv_by_send,
    .send_some = probe_send_some,
    .send_eof = anyc_no_send_eof,
};

anyc_byte_stream *probe_init(struct probe_stream *probe, anyc_byte_stream *inner)
{
    memset(probe, 0, sizeof *probe);
    ck_assert_int_eq(anyc_byte_stream_init(&probe->stream, &probe_ops), 0);
    probe->inner = inner;
    return &probe->stream;
}
