/* SPDX-License-Identifier: MIT */
/*
 * byte_listener.c - a listener whose connections are made in memory.
 */
#include "support/byte_listener.h"

#include <check.h>

#include <anyc/error.h>
#include <anyc/memory_stream.h>

#include <stdlib.h>

#include "support/byte_pair.h"

#define CHUNKS 16 /* that wait in each direction of a connection */

/* Its memory is the test's own, so that tests without memory of anyc need not think of it. */
struct byte_listener {
    anyc_listener listener;
    anyc_memory_send_stream *arrivals; /* of anyc_byte_stream * */
    anyc_memory_receive_stream *queue;
};

ANYC_TYPED_ATTRIBUTE(BYTE_LISTENER_NUMBER, int);

static struct byte_listener *byte_listener_of(anyc_resource *resource)
{
    return (struct byte_listener *)resource;
}

static int byte_listener_close(anyc_resource *resource, bool forcefully)
{
    (void)forcefully;
    anyc_memory_receive_stream_close(byte_listener_of(resource)->queue);
    return 0;
}

static void byte_listener_destroy(anyc_resource *resource)
{
    struct byte_listener *self = byte_listener_of(resource);

    anyc_listener_deinit(&self->listener);
    anyc_aclose_forcefully(self->arrivals);
    anyc_aclose_forcefully(self->queue);
    free(self);
}

static int byte_listener_extra(anyc_resource *resource, const anyc_typed_attribute *attribute,
                               void *out)
{
    if (attribute != &BYTE_LISTENER_NUMBER)
        return anyc_no_attributes(resource, attribute, out);
    *(int *)out = 7;
    return 0;
}

static int byte_listener_accept(anyc_listener *listener, anyc_byte_stream **out_stream)
{
    return anyc_memory_receive_stream_receive(byte_listener_of(&listener->resource)->queue,
                                              out_stream);
}

static const anyc_listener_ops byte_listener_ops = {
    .resource = {"listener in memory", byte_listener_close, byte_listener_destroy,
                 byte_listener_extra},
    .accept = byte_listener_accept,
    .serve = anyc_listener_serve_by_accept,
};

static void byte_listener_drop(void *item, void *arg)
{
    (void)arg;
    anyc_aclose_forcefully(*(anyc_byte_stream **)item);
}

anyc_listener *byte_listener_create(void)
{
    const anyc_memory_object_stream_options options = {.destroy_item = byte_listener_drop};
    struct byte_listener *self = calloc(1, sizeof *self);

    ck_assert_ptr_nonnull(self);
    ck_assert_int_eq(anyc_listener_init(&self->listener, &byte_listener_ops), 0);
    ck_assert_int_eq(anyc_create_memory_object_stream_with(SIZE_MAX, sizeof(anyc_byte_stream *),
                                                           &options, &self->arrivals, &self->queue),
                     0);
    return &self->listener;
}

anyc_byte_stream *byte_listener_connect(anyc_listener *listener)
{
    const struct byte_listener *self = byte_listener_of(&listener->resource);
    struct byte_pair pair;

    byte_pair_from_objects(&pair, CHUNKS);
    ck_assert_int_eq(anyc_memory_send_stream_send_nowait(self->arrivals, &pair.b), 0);
    return pair.a;
}
