/* SPDX-License-Identifier: MIT */
/*
 * descriptor_stream.c - a byte stream over one descriptor, whatever it is.
 */
#include "streams/descriptor_stream.h"

#include <errno.h>
#include <limits.h>

#include "core/descriptor.h"
#include "core/error.h"
#include "core/task.h"
#include "streams/descriptor_io.h"

/* What is left to be sent: `rest` of a piece, then `count` pieces from `next` on. */
struct outgoing {
    struct iovec rest;
    const struct iovec *next;
    int count;
};

/* The connection failed: tell the first reason, also when the kernel has forgotten it. */
static int descriptor_broken(struct descriptor_stream *stream, int error)
{
    struct stream_peer peer = {""};

    /* EPIPE alone does not spoil receiving: the peer may have ended its sending in good order. */
    if (stream->error == 0 && error != EPIPE)
        stream->error = error;
    if (stream->error != 0)
        error = stream->error;
    (void)anyc__stream_extra_inner(&stream->resource, &anyc__stream_peer, &peer);
    return anyc__fail(ANYC_EBROKEN, error, "the connection with %s failed: %s",
                      peer.name[0] == '\0' ? "an unnamed peer" : peer.name, anyc_strerror(-error));
}

int anyc__descriptor_stream_fail(struct descriptor_stream *stream, int rc)
{
    if (rc == ANYC_ECANCELLED)
        return rc;
    if (stream->watch == NULL || rc == ANYC_ECLOSED)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (rc == ANYC_EBUSY) /* somebody waits for the raw descriptor */
        return anyc__fail_plain(rc);
    if (rc == -ENOMEM || rc == -ENOBUFS) /* the connection is well, the machine is not */
        return anyc__fail_errno(-rc, "descriptor %d", stream->watch->fd);
    return descriptor_broken(stream, -rc);
}

int anyc__descriptor_stream_eof(struct descriptor_stream *stream)
{
    if (stream->error != 0) /* a reset that was told to a sender reads as an end of file */
        return descriptor_broken(stream, stream->error);
    return anyc__fail_plain(ANYC_EOF);
}

static ssize_t descriptor_read(struct descriptor_stream *stream, void *buf, size_t max_bytes)
{
    anyc_watch *watch = stream->watch;
    int rc = 0;
    ssize_t n;

    if (watch == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (watch->drained && anyc__backend_reads_when_ready(watch))
        rc = anyc__watch_wait(watch, ANYC_READABLE);
    if (rc < 0)
        return anyc__descriptor_stream_fail(stream, rc);
    n = anyc__backend_receive(watch, buf, max_bytes);
    if (n < 0)
        return anyc__descriptor_stream_fail(stream, (int)n);
    watch->drained = n > 0 && (size_t)n < max_bytes;
    return n > 0 ? n : anyc__descriptor_stream_eof(stream);
}

ssize_t anyc__descriptor_stream_receive(anyc_byte_stream *base, void *buf, size_t max_bytes)
{
    struct descriptor_stream *stream = anyc__descriptor_stream_of(base);
    ssize_t n = anyc__descriptor_stream_begin(stream, &stream->receiving);

    if (n < 0)
        return n;
    n = descriptor_read(stream, buf, max_bytes);
    anyc__descriptor_stream_end(stream, &stream->receiving);
    return n;
}

/* Take `n` bytes off the front. */
static void outgoing_advance(struct outgoing *out, size_t n)
{
    for (;;) {
        if (n < out->rest.iov_len) {
            out->rest.iov_base = (char *)out->rest.iov_base + n;
            out->rest.iov_len -= n;
            return;
        }
        n -= out->rest.iov_len;
        out->rest.iov_len = 0;
        if (n == 0)
            return;
        out->rest = *out->next++;
        out->count--;
    }
}

/* Send the rest of a piece, or as many whole pieces as one call takes. */
static ssize_t outgoing_send(const struct outgoing *out, anyc_watch *watch)
{
    if (out->rest.iov_len > 0)
        return anyc__backend_send(watch, &out->rest, 1);
    return anyc__backend_send(watch, out->next, out->count < IOV_MAX ? out->count : IOV_MAX);
}

static bool outgoing_is_empty(struct outgoing *out)
{
    if (out->rest.iov_len > 0)
        return false;
    while (out->count > 0 && out->next->iov_len == 0) {
        out->next++;
        out->count--;
    }
    return out->count == 0;
}

/* before: bytes that had gone before these pieces; sent: all that have gone. */
static int descriptor_cut_short(const struct iovec *pieces, int count, size_t before, size_t sent)
{
    size_t total = before;

    for (int i = 0; i < count; i++)
        total += pieces[i].iov_len;
    return anyc__fail(ANYC_ECANCELLED, 0, "%zu of %zu bytes were sent", sent, total);
}

int anyc__descriptor_stream_write(struct descriptor_stream *stream, const struct iovec *pieces,
                                  int count, size_t before)
{
    struct outgoing out = {.next = pieces, .count = count};
    size_t sent = before;
    ssize_t n = 0;

    if (stream->watch == NULL || stream->eof_sent)
        return anyc__fail_plain(ANYC_ECLOSED);
    while (n >= 0 && !outgoing_is_empty(&out)) {
        n = stream->watch == NULL ? ANYC_ECLOSED : outgoing_send(&out, stream->watch);
        if (n > 0) {
            sent += (size_t)n;
            outgoing_advance(&out, (size_t)n);
        }
    }
    if (n == ANYC_ECANCELLED)
        return descriptor_cut_short(pieces, count, before, sent);
    return n < 0 ? anyc__descriptor_stream_fail(stream, (int)n) : 0;
}

int anyc__descriptor_stream_sendv(anyc_byte_stream *base, const struct iovec *pieces, int count)
{
    struct descriptor_stream *stream = anyc__descriptor_stream_of(base);
    int rc = anyc__descriptor_stream_begin(stream, &stream->sending);

    if (rc < 0)
        return rc;
    rc = anyc__descriptor_stream_write(stream, pieces, count, 0);
    anyc__descriptor_stream_end(stream, &stream->sending);
    return rc;
}

int anyc__descriptor_stream_send(anyc_byte_stream *base, const void *buf, size_t len)
{
    const struct iovec piece = {.iov_base = (void *)buf, .iov_len = len};

    return anyc__descriptor_stream_sendv(base, &piece, 1);
}

static ssize_t descriptor_write_some(struct descriptor_stream *stream, const void *buf, size_t len)
{
    const struct iovec piece = {.iov_base = (void *)buf, .iov_len = len};
    ssize_t n;

    if (stream->watch == NULL || stream->eof_sent)
        return anyc__fail_plain(ANYC_ECLOSED);
    n = anyc__backend_send(stream->watch, &piece, 1);
    return n < 0 ? anyc__descriptor_stream_fail(stream, (int)n) : n;
}

ssize_t anyc__descriptor_stream_send_some(anyc_byte_stream *base, const void *buf, size_t len)
{
    struct descriptor_stream *stream = anyc__descriptor_stream_of(base);
    ssize_t n = anyc__descriptor_stream_begin(stream, &stream->sending);

    if (n < 0)
        return n;
    n = descriptor_write_some(stream, buf, len);
    anyc__descriptor_stream_end(stream, &stream->sending);
    return n;
}

int anyc__descriptor_stream_close(anyc_resource *resource, bool forcefully)
{
    struct descriptor_stream *stream =
        ANYC__CONTAINER(resource, struct descriptor_stream, resource);
    anyc_watch *watch = stream->watch;
    int fd;

    (void)forcefully; /* what the kernel holds goes out by itself */
    if (watch == NULL)
        return 0;
    stream->watch = NULL;
    fd = watch->fd;
    anyc__watch_close(watch, ANYC_ECLOSED);
    anyc__descriptor_close(fd);
    return 0;
}

void anyc__descriptor_stream_destroy(anyc_resource *resource)
{
    struct descriptor_stream *stream =
        ANYC__CONTAINER(resource, struct descriptor_stream, resource);

    if (anyc__stream_destroy(&stream->life))
        anyc__free(stream);
}
