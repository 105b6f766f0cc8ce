/* SPDX-License-Identifier: MIT */
/*
 * dummy_stream.c - streams for tests.
 */
#include "dummy_stream.h"

#include <anyc/error.h>
#include <anyc/lowlevel.h>

#include <check.h>

#include <string.h>

ANYC_TYPED_ATTRIBUTE(DUMMY_COLOUR, int);
ANYC_TYPED_ATTRIBUTE(DUMMY_FAILING, int);
const anyc_typed_attribute DUMMY_OTHER_COLOUR = {"DUMMY_COLOUR", sizeof(int)};

static int dummy_close(struct dummy_state *state, bool forcefully)
{
    if (!state->closed)
        state->forcefully = forcefully;
    state->closed = true;
    state->closes++;
    return state->close_rc;
}

static int dummy_extra(const struct dummy_state *state, const anyc_typed_attribute *attribute,
                       void *out)
{
    if (attribute == &DUMMY_FAILING)
        return DUMMY_GETTER_ERROR;
    if (attribute != &DUMMY_COLOUR || state->colour == 0)
        return ANYC_EATTRIBUTE;
    *(int *)out = state->colour;
    return 0;
}

/* What every call does first. */
static int dummy_begin(struct dummy_state *state)
{
    int rc = anyc_checkpoint_if_cancelled();

    state->calls++;
    if (rc < 0)
        return rc;
    return state->closed ? ANYC_ECLOSED : state->error;
}

/* -- bytes -- */

static struct dummy_bytes *dummy_bytes_of(anyc_resource *resource)
{
    return (struct dummy_bytes *)resource;
}

static int dummy_bytes_close(anyc_resource *resource, bool forcefully)
{
    return dummy_close(&dummy_bytes_of(resource)->state, forcefully);
}

static void dummy_bytes_destroy(anyc_resource *resource)
{
    dummy_bytes_of(resource)->state.destroys++;
}

static int dummy_bytes_extra(anyc_resource *resource, const anyc_typed_attribute *attribute,
                             void *out)
{
    return dummy_extra(&dummy_bytes_of(resource)->state, attribute, out);
}

static ssize_t dummy_bytes_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes)
{
    struct dummy_bytes *dummy = dummy_bytes_of(&stream->resource);
    int rc = dummy_begin(&dummy->state);
    size_t n = dummy->data_len < max_bytes ? dummy->data_len : max_bytes;

    dummy->asked = max_bytes;
    if (rc < 0)
        return rc;
    if (n == 0)
        return ANYC_EOF;
    if (dummy->step > 0 && n > dummy->step)
        n = dummy->step;
    memcpy(buf, dummy->data, n);
    dummy->data += n;
    dummy->data_len -= n;
    return (ssize_t)n;
}

static int dummy_bytes_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    struct dummy_bytes *dummy = dummy_bytes_of(&stream->resource);
    int rc = dummy_begin(&dummy->state);

    if (rc < 0)
        return rc;
    ck_assert_uint_le(len, sizeof dummy->sent - dummy->sent_len);
    if (len > 0)
        memcpy(dummy->sent + dummy->sent_len, buf, len);
    dummy->sent_len += len;
    return 0;
}

static const anyc_byte_stream_ops dummy_bytes_ops = {
    .resource = {"dummy byte stream", dummy_bytes_close, dummy_bytes_destroy, dummy_bytes_extra},
    .receive = dummy_bytes_receive,
    .send = dummy_bytes_send,
    .sendv = anyc_sendv_by_send,
    .send_some = anyc_send_some_by_send,
    .send_eof = anyc_no_send_eof,
};

void dummy_bytes_init(struct dummy_bytes *dummy, const char *data)
{
    memset(dummy, 0, sizeof *dummy);
    ck_assert_int_eq(anyc_byte_stream_init(&dummy->stream, &dummy_bytes_ops), 0);
    dummy->data = data;
    dummy->data_len = strlen(data);
}

/* -- objects -- */

static struct dummy_objects *dummy_objects_of(anyc_resource *resource)
{
    return (struct dummy_objects *)resource;
}

static int dummy_objects_close(anyc_resource *resource, bool forcefully)
{
    return dummy_close(&dummy_objects_of(resource)->state, forcefully);
}

static void dummy_objects_destroy(anyc_resource *resource)
{
    dummy_objects_of(resource)->state.destroys++;
}

static int dummy_objects_extra(anyc_resource *resource, const anyc_typed_attribute *attribute,
                               void *out)
{
    return dummy_extra(&dummy_objects_of(resource)->state, attribute, out);
}

static int dummy_objects_receive(anyc_object_stream *stream, void *item)
{
    struct dummy_objects *dummy = dummy_objects_of(&stream->resource);
    int rc = dummy_begin(&dummy->state);

    if (rc < 0)
        return rc;
    if (dummy->count == 0)
        return ANYC_EOF;
    *(int *)item = *dummy->items++;
    dummy->count--;
    return 0;
}

static int dummy_objects_store(struct dummy_objects *dummy, const void *item)
{
    ck_assert_uint_lt(dummy->sent_count, sizeof dummy->sent / sizeof dummy->sent[0]);
    dummy->sent[dummy->sent_count++] = *(const int *)item;
    return 0;
}

static int dummy_objects_send(anyc_object_stream *stream, const void *item)
{
    struct dummy_objects *dummy = dummy_objects_of(&stream->resource);
    int rc = dummy_begin(&dummy->state);

    return rc < 0 ? rc : dummy_objects_store(dummy, item);
}

static int dummy_objects_send_nowait(anyc_object_stream *stream, const void *item)
{
    struct dummy_objects *dummy = dummy_objects_of(&stream->resource);

    if (dummy->state.closed)
        return ANYC_ECLOSED;
    return dummy->nowait_error < 0 ? dummy->nowait_error : dummy_objects_store(dummy, item);
}

static const anyc_object_stream_ops dummy_objects_ops = {
    .resource = {"dummy object stream", dummy_objects_close, dummy_objects_destroy,
                 dummy_objects_extra},
    .receive = dummy_objects_receive,
    .send = dummy_objects_send,
    .send_nowait = anyc_no_object_send_nowait,
    .send_eof = anyc_no_object_send_eof,
};

static const anyc_object_stream_ops dummy_objects_nowait_ops = {
    .resource = {"dummy object stream", dummy_objects_close, dummy_objects_destroy,
                 dummy_objects_extra},
    .receive = dummy_objects_receive,
    .send = dummy_objects_send,
    .send_nowait = dummy_objects_send_nowait,
    .send_eof = anyc_no_object_send_eof,
};

void dummy_objects_init(struct dummy_objects *dummy, const int *items, size_t count, bool nowait)
{
    memset(dummy, 0, sizeof *dummy);
    ck_assert_int_eq(anyc_object_stream_init(
                         &dummy->stream, nowait ? &dummy_objects_nowait_ops : &dummy_objects_ops,
                         sizeof(int), true),
                     0);
    dummy->items = items;
    dummy->count = count;
}
