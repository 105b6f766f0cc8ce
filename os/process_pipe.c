/* SPDX-License-Identifier: MIT */
/*
 * process_pipe.c - the byte streams at our end of a process's standard streams. AnyIO: the
 * StreamReaderWrapper and StreamWriterWrapper of its backends.
 */
#include "os/process_pipe.h"

#include <poll.h>
#include <stdio.h>

#include "core/descriptor.h"
#include "core/error.h"
#include "streams/descriptor_stream.h"

struct process_pipe {
    struct descriptor_stream base;
    int number;
    pid_t pid;
};

static struct process_pipe *pipe_of(anyc_byte_stream *stream)
{
    return ANYC__CONTAINER(stream, struct process_pipe, base.stream);
}

static int pipe_end(struct descriptor_stream *stream)
{
    if (stream->eof_sent)
        return 0;
    if (stream->watch == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    stream->eof_sent = true;
    return anyc__descriptor_stream_close(&stream->resource, true);
}

/* The end of a pipe is told by closing it. */
static int pipe_send_eof(anyc_byte_stream *base)
{
    struct descriptor_stream *stream = anyc__descriptor_stream_of(base);
    int rc = anyc__descriptor_stream_begin(stream, &stream->sending);

    if (rc < 0)
        return rc;
    rc = pipe_end(stream);
    anyc__descriptor_stream_end(stream, &stream->sending);
    return rc;
}

static int pipe_close(anyc_resource *resource, bool forcefully)
{
    struct descriptor_stream *stream =
        ANYC__CONTAINER(resource, struct descriptor_stream, resource);

    stream->eof_sent = false; /* from now on it is closed, not only ended */
    return anyc__descriptor_stream_close(resource, forcefully);
}

/* The memory is the process's. */
static void pipe_destroy(anyc_resource *resource)
{
    (void)resource;
}

static int pipe_extra(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out)
{
    static const char *const names[] = {"standard input", "standard output", "standard error"};
    const struct process_pipe *pipe = ANYC__CONTAINER(resource, struct process_pipe, base.resource);
    struct stream_peer *peer = out;

    if (attribute != &anyc__stream_peer)
        return anyc__fail_plain(ANYC_EATTRIBUTE);
    (void)snprintf(peer->name, sizeof peer->name, "the %s of process %ld", names[pipe->number],
                   (long)pipe->pid);
    return 0;
}

static const anyc_byte_stream_ops pipe_input_ops = {
    .resource =
        {
            .type = "process's standard input",
            .close = pipe_close,
            .destroy = pipe_destroy,
            .extra = pipe_extra,
        },
    .receive = anyc_no_receive,
    .send = anyc__descriptor_stream_send,
    .sendv = anyc__descriptor_stream_sendv,
    .send_some = anyc__descriptor_stream_send_some,
    .send_eof = pipe_send_eof,
};

static const anyc_byte_stream_ops pipe_output_ops = {
    .resource =
        {
            .type = "process's output",
            .close = pipe_close,
            .destroy = pipe_destroy,
            .extra = pipe_extra,
        },
    .receive = anyc__descriptor_stream_receive,
    .send = anyc_no_send,
    .sendv = anyc_no_sendv,
    .send_some = anyc_no_send_some,
    .send_eof = anyc_no_send_eof,
};

static int pipe_open(anyc_loop *loop, int fd, struct process_pipe *pipe)
{
    int rc = anyc_byte_stream_init(&pipe->base.stream,
                                   pipe->number == 0 ? &pipe_input_ops : &pipe_output_ops);

    if (rc == 0)
        rc = anyc__watch_open(loop, fd, &pipe->base.watch);
    if (rc == 0)
        pipe->base.watch->no_socket = true;
    return rc;
}

int anyc__process_pipe_create(anyc_loop *loop, int fd, int number, anyc_byte_stream **out_stream)
{
    struct process_pipe *pipe = anyc__zalloc(sizeof *pipe);
    int rc;

    if (pipe == NULL) {
        anyc__descriptor_close(fd);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    pipe->number = number;
    rc = pipe_open(loop, fd, pipe);
    if (rc < 0) {
        anyc__free(pipe);
        anyc__descriptor_close(fd);
        return rc;
    }
    *out_stream = &pipe->base.stream;
    return 0;
}

void anyc__process_pipe_set_pid(anyc_byte_stream *stream, pid_t pid)
{
    pipe_of(stream)->pid = pid;
}

bool anyc__process_pipe_has_reader(anyc_byte_stream *stream)
{
    struct pollfd end = {.fd = pipe_of(stream)->base.watch->fd};

    return poll(&end, 1, 0) <= 0 || (end.revents & POLLERR) == 0;
}

void anyc__process_pipe_close(anyc_byte_stream *stream)
{
    (void)pipe_close(&stream->resource, true); /* cannot fail */
}

void anyc__process_pipe_destroy(anyc_byte_stream *stream)
{
    anyc__descriptor_stream_destroy(&stream->resource);
}
