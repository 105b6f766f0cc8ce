/* SPDX-License-Identifier: MIT */
/*
 * byte_pair.c - two byte streams that are the ends of one connection.
 */
#include "byte_pair.h"

#include <anyc/buffered_stream.h>
#include <anyc/from_fd.h>
#include <anyc/memory_stream.h>
#include <anyc/stapled_stream.h>

#include <check.h>

#include <sys/socket.h>

/* One direction: a memory stream of chunks. */
struct pipe {
    anyc_object_stream *in;
    anyc_object_stream *out;
};

static void pipe_open(struct pipe *pipe, size_t chunks)
{
    const anyc_memory_object_stream_options options = {.destroy_item = anyc_bytes_destroy_item};
    anyc_memory_send_stream *send = NULL;
    anyc_memory_receive_stream *receive = NULL;

    ck_assert_int_eq(anyc_create_memory_object_stream_with(chunks, sizeof(anyc_bytes), &options,
                                                           &send, &receive),
                     0);
    pipe->in = &send->stream;
    pipe->out = &receive->stream;
}

static anyc_byte_stream *bytes_of(anyc_object_stream *objects)
{
    anyc_byte_stream *stream = NULL;

    ck_assert_int_eq(anyc_byte_stream_from_object_stream(objects, &stream), 0);
    return stream;
}

/* The objects are stapled, the bytes stand on top. */
static anyc_byte_stream *end_from_objects(const struct pipe *to, const struct pipe *from)
{
    anyc_object_stream *both = NULL;

    ck_assert_int_eq(anyc_stapled_object_stream_create(to->in, from->out, &both), 0);
    return bytes_of(both);
}

/* The bytes are stapled. */
static anyc_byte_stream *end_from_bytes(const struct pipe *to, const struct pipe *from)
{
    anyc_byte_stream *both = NULL;

    ck_assert_int_eq(anyc_stapled_byte_stream_create(bytes_of(to->in), bytes_of(from->out), &both),
                     0);
    return both;
}

void byte_pair_from_objects(struct byte_pair *pair, size_t chunks)
{
    struct pipe there;
    struct pipe back;

    pipe_open(&there, chunks);
    pipe_open(&back, chunks);
    pair->a = end_from_objects(&there, &back);
    pair->b = end_from_objects(&back, &there);
}

void byte_pair_stapled(struct byte_pair *pair, size_t chunks)
{
    struct pipe there;
    struct pipe back;

    pipe_open(&there, chunks);
    pipe_open(&back, chunks);
    pair->a = end_from_bytes(&there, &back);
    pair->b = end_from_bytes(&back, &there);
}

static void pair_adopt(struct byte_pair *pair, const int fds[2])
{
    ck_assert_int_eq(anyc_unix_socket_stream_from_fd(fds[0], &pair->a), 0);
    ck_assert_int_eq(anyc_unix_socket_stream_from_fd(fds[1], &pair->b), 0);
}

void byte_pair_unix(struct byte_pair *pair)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    pair_adopt(pair, fds);
}

void byte_pair_unix_narrow(struct byte_pair *pair)
{
    const int least = 1; /* the system makes it a few thousand */
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
        ck_assert_int_eq(setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &least, sizeof least), 0);
    }
    pair_adopt(pair, fds);
}

static anyc_byte_stream *buffered(anyc_byte_stream *inner)
{
    anyc_buffered_stream *stream = NULL;

    ck_assert_int_eq(anyc_buffered_stream_create(inner, &stream), 0);
    return &stream->stream;
}

void byte_pair_buffer(struct byte_pair *pair)
{
    pair->a = buffered(pair->a);
    pair->b = buffered(pair->b);
}
