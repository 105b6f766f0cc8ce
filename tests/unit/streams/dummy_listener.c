/* SPDX-License-Identifier: MIT */
/*
 * dummy_listener.c - a listener for tests that accepts what the test tells it to.
 */
#include "dummy_listener.h"

#include <anyc/error.h>
#include <anyc/loop.h>

#include <check.h>

#include <string.h>

static struct dummy_listener *dummy_of(anyc_resource *resource)
{
    return (struct dummy_listener *)resource;
}

static int dummy_close(anyc_resource *resource, bool forcefully)
{
    struct dummy_listener *dummy = dummy_of(resource);

    dummy->state.forcefully = forcefully;
    dummy->state.closed = true;
    dummy->state.closes++;
    anyc_memory_receive_stream_close(dummy->next);
    return dummy->state.close_rc;
}

static void dummy_destroy(anyc_resource *resource)
{
    struct dummy_listener *dummy = dummy_of(resource);

    dummy->state.destroys++;
    anyc_listener_deinit(&dummy->listener);
    anyc_aclose_forcefully(dummy->script);
    anyc_aclose_forcefully(dummy->next);
    memset(&dummy->listener, 0xff, sizeof dummy->listener); /* to crash whoever still uses it */
}

static int dummy_extra(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out)
{
    const struct dummy_listener *dummy = dummy_of(resource);

    if (attribute != &DUMMY_COLOUR || dummy->state.colour == 0)
        return ANYC_EATTRIBUTE;
    *(int *)out = dummy->state.colour;
    return 0;
}

static int dummy_accept(anyc_listener *listener, anyc_byte_stream **out_stream)
{
    struct dummy_listener *dummy = dummy_of(&listener->resource);
    int answer = 0;
    int rc;

    ck_assert_int_lt(dummy->state.calls, 8);
    dummy->accept_at[dummy->state.calls++] = anyc_current_time();
    rc = anyc_memory_receive_stream_receive(dummy->next, &answer);
    if (rc < 0 || answer < 0)
        return rc < 0 ? rc : answer;
    ck_assert_int_lt(dummy->accepted, DUMMY_CONNECTIONS);
    dummy_bytes_init(&dummy->connections[dummy->accepted], "");
    *out_stream = &dummy->connections[dummy->accepted++].stream;
    return 0;
}

static const anyc_listener_ops dummy_ops = {
    .resource = {"dummy listener", dummy_close, dummy_destroy, dummy_extra},
    .accept = dummy_accept,
    .serve = anyc_listener_serve_by_accept,
};

void dummy_listener_init(struct dummy_listener *dummy)
{
    memset(dummy, 0, sizeof *dummy);
    ck_assert_int_eq(anyc_listener_init(&dummy->listener, &dummy_ops), 0);
    ck_assert_int_eq(
        anyc_create_memory_object_stream(SIZE_MAX, sizeof(int), &dummy->script, &dummy->next), 0);
}

void dummy_listener_tell(struct dummy_listener *dummy, int answer)
{
    ck_assert_int_eq(anyc_memory_send_stream_send_nowait(dummy->script, &answer), 0);
}
