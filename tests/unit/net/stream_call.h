/* SPDX-License-Identifier: MIT */
/*
 * stream_call.h - tasks that receive or send once.
 */
#ifndef ANYC_TESTS_UNIT_NET_STREAM_CALL_H
#define ANYC_TESTS_UNIT_NET_STREAM_CALL_H

#include <anyc/error.h>
#include <anyc/stream.h>

/* An argument and the outcome of a task. */
struct stream_call {
    anyc_byte_stream *stream;
    char *buf;
    size_t len;
    ssize_t rc;
    bool done;
};

static inline int stream_call_receive(void *arg)
{
    struct stream_call *call = arg;

    call->rc = anyc_receive(call->stream, call->buf, call->len);
    call->done = true;
    return call->rc == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

static inline int stream_call_send(void *arg)
{
    struct stream_call *call = arg;

    call->rc = anyc_send(call->stream, call->buf, call->len);
    call->done = true;
    return call->rc == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

#endif
