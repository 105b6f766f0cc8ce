/* SPDX-License-Identifier: MIT */
/*
 * descriptor_io.h - receive and send on a descriptor by the backend of its watch's loop: one inline
 * dispatcher for each slot.
 *
 * Their contracts stand in anyc/backend.h. After ANYC_ECLOSED or ANYC_ECANCELLED the watch may be
 * gone: the caller asks its own object, not the watch.
 */
#ifndef ANYC_STREAMS_DESCRIPTOR_IO_H
#define ANYC_STREAMS_DESCRIPTOR_IO_H

#include "core/loop.h"

static inline ssize_t anyc__backend_receive(anyc_watch *watch, void *buf, size_t max_bytes)
{
    return watch->loop->backend->receive(watch, buf, max_bytes);
}

static inline ssize_t anyc__backend_send(anyc_watch *watch, const struct iovec *pieces, int count)
{
    return watch->loop->backend->send(watch, pieces, count);
}

/* Does the loop report readiness, so that waiting before a read can save a read in vain? */
static inline bool anyc__backend_reads_when_ready(const anyc_watch *watch)
{
    return watch->loop->backend->receive == anyc_backend_default_receive;
}

#endif
