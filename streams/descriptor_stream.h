/* SPDX-License-Identifier: MIT */
/*
 * descriptor_stream.h - a byte stream over one non-blocking descriptor: what connected sockets and
 * pipes have in common. Their own tables name the functions below and add what differs.
 *
 * One task may receive while another sends; each direction has a guard of its own. A task that is
 * at work holds the memory, so that the stream may be closed and freed meanwhile: it finds `watch`
 * NULL when it comes back. Invariants: watch == NULL iff closed; life.users == receiving + sending.
 */
#ifndef ANYC_STREAMS_DESCRIPTOR_STREAM_H
#define ANYC_STREAMS_DESCRIPTOR_STREAM_H

#include <anyc/stream.h>

#include "core/watch.h"
#include "streams/stream.h"

/* The first member of the stream that is made of it; the block is freed by anyc__free. */
struct descriptor_stream {
    union {
        anyc_resource resource;
        anyc_byte_stream stream;
    };
    anyc_watch *watch; /* NULL: closed. It and its descriptor are the stream's */
    struct stream_life life;
    bool receiving; /* a task is in receive */
    bool sending;   /* a task is in send, sendv or send_eof */
    bool eof_sent;
    int error; /* errno of the first failure: the kernel tells it only once */
};

/* -- slots of the table; the stream's own `extra` tells anyc__stream_peer, for messages -- */

ssize_t anyc__descriptor_stream_receive(anyc_byte_stream *base, void *buf, size_t max_bytes);
int anyc__descriptor_stream_send(anyc_byte_stream *base, const void *buf, size_t len);
int anyc__descriptor_stream_sendv(anyc_byte_stream *base, const struct iovec *pieces, int count);
ssize_t anyc__descriptor_stream_send_some(anyc_byte_stream *base, const void *buf, size_t len);
int anyc__descriptor_stream_close(anyc_resource *resource, bool forcefully);
void anyc__descriptor_stream_destroy(anyc_resource *resource);

/* -- for further operations on such streams -- */

static inline struct descriptor_stream *anyc__descriptor_stream_of(anyc_byte_stream *stream)
{
    return ANYC__CONTAINER(stream, struct descriptor_stream, stream);
}

/* The frame of every operation. direction: &stream->receiving or &stream->sending. begin answers 0,
 * ANYC_EBUSY, or as anyc__enter; only after 0 comes end, and then the stream may be gone. */
static inline int anyc__descriptor_stream_begin(struct descriptor_stream *stream, bool *direction)
{
    return anyc__stream_begin(&stream->life, direction, stream);
}

static inline void anyc__descriptor_stream_end(struct descriptor_stream *stream, bool *direction)
{
    anyc__stream_end(&stream->life, direction, stream);
}

/* What the caller is told when a system call or a wait answered rc < 0. */
int anyc__descriptor_stream_fail(struct descriptor_stream *stream, int rc);

/* What the caller is told when there is nothing more to read. */
int anyc__descriptor_stream_eof(struct descriptor_stream *stream);

/* Send all the pieces. before: bytes of the same message that have gone already. */
int anyc__descriptor_stream_write(struct descriptor_stream *stream, const struct iovec *pieces,
                                  int count, size_t before);

#endif
