/* SPDX-License-Identifier: MIT */
/*
 * stream.h - what the implementations of streams share.
 *
 * A stream may be freed while a task is inside one of its calls: it has waited, or let others run
 * at its checkpoint. A call that looks at the stream again after that holds its memory meanwhile.
 */
#ifndef ANYC_STREAMS_STREAM_H
#define ANYC_STREAMS_STREAM_H

#include <anyc/resource.h>
#include <anyc/stream.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/task.h"

/* Embed it in the stream. The memory may go iff users == 0 && destroyed. */
struct stream_life {
    unsigned users; /* calls inside */
    bool destroyed; /* its owner has let go of it */
};

/* A call begins that will look at the stream after it suspended. */
static inline void anyc__stream_hold(struct stream_life *life)
{
    life->users++;
}

/* Such a call is done with it: true if the caller must free the stream now. */
static inline bool anyc__stream_release(struct stream_life *life)
{
    ANYC_ASSERT(life->users > 0);
    return --life->users == 0 && life->destroyed;
}

/* For the destroy slot: true if the memory can go at once. */
static inline bool anyc__stream_destroy(struct stream_life *life)
{
    life->destroyed = true;
    return life->users == 0;
}

/* The frame of an operation of which only one may be under way: `*at_work` says whether one is,
 * `object` is what holds both and is freed by anyc__free. begin answers 0, ANYC_EBUSY, or as
 * anyc__enter; only after 0 comes end, and then the object may be gone. */
static inline void anyc__stream_end(struct stream_life *life, bool *at_work, void *object)
{
    *at_work = false;
    if (anyc__stream_release(life))
        anyc__free(object);
}

static inline int anyc__stream_begin(struct stream_life *life, bool *at_work, void *object)
{
    anyc_task *task;
    int rc;

    if (*at_work)
        return anyc__fail_plain(ANYC_EBUSY);
    *at_work = true;
    anyc__stream_hold(life);
    rc = anyc__enter(&task);
    if (rc < 0)
        anyc__stream_end(life, at_work, object);
    return rc;
}

/* Close what a wrapper holds, as the wrapper itself is being closed; the memory stays. */
static inline int anyc__stream_close_inner(anyc_resource *inner, bool forcefully)
{
    return inner->ops->close(inner, forcefully);
}

/* Ask what a wrapper holds for an attribute. */
static inline int anyc__stream_extra_inner(anyc_resource *inner,
                                           const anyc_typed_attribute *attribute, void *out)
{
    return (anyc_extra)(inner, attribute, attribute->size, out);
}

/* Close a stream by force because of `rc`, and free it: what is known of that failure stays the last
 * error. Answers rc. */
int anyc__stream_discard(anyc_byte_stream *stream, int rc);

/* For messages: who is at the other end of a stream, "192.0.2.1:80"; "" for one without a name. What
 * knows it provides it as an attribute, wrappers pass it on. */
struct stream_peer {
    char name[128];
};
extern const anyc_typed_attribute anyc__stream_peer;

/* Are all slots of a resource there? */
static inline bool anyc__stream_resource_complete(const anyc_resource_ops *ops)
{
    return ops->type != NULL && ops->close != NULL && ops->destroy != NULL && ops->extra != NULL;
}

#endif
