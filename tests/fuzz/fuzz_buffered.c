/* SPDX-License-Identifier: MIT */
/*
 * fuzz_buffered.c - anyc_buffered_receive_until finds what a plain search over all bytes finds,
 * however the bytes arrive; and any calls in any order take the bytes out as they came, and an error
 * takes none.
 *
 * An input is: one byte for the delimiter's length and which calls are made (0 in its high bits:
 * only the search), one for the largest chunk, the delimiter, and the bytes that the peer sends.
 */
#include "fuzz.h"

#include <anyc/buffered_stream.h>
#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/stream.h>

#include <stdlib.h>
#include <string.h>

#define FUZZ_MAX 4096 /* bytes that the peer sends */
#define FED_MAX 512   /* bytes that are fed at most */

/* The stream under the buffer: gives the bytes in chunks of changing size. */
struct peer {
    anyc_byte_stream stream;
    const uint8_t *data;
    size_t len;
    size_t largest; /* chunk */
    size_t next;    /* chunk's size */
};

struct input {
    struct peer peer;
    uint32_t random; /* 0: only the search */
    const uint8_t *delimiter;
    size_t delimiter_len;
};

static struct peer *peer_of(anyc_byte_stream *stream)
{
    return (struct peer *)stream;
}

static ssize_t peer_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes)
{
    struct peer *peer = peer_of(stream);
    size_t len = peer->next < peer->len ? peer->next : peer->len;

    if (peer->len == 0)
        return ANYC_EOF;
    if (len > max_bytes)
        len = max_bytes;
    memcpy(buf, peer->data, len);
    peer->data += len;
    peer->len -= len;
    peer->next = peer->next % peer->largest + 1;
    return (ssize_t)len;
}

static int peer_close(anyc_resource *resource, bool forcefully)
{
    (void)resource;
    (void)forcefully;
    return 0;
}

static void peer_destroy(anyc_resource *resource)
{
    (void)resource; /* the caller's */
}

static const anyc_byte_stream_ops peer_ops = {
    .resource = {.type = "peer",
                 .close = peer_close,
                 .destroy = peer_destroy,
                 .extra = anyc_no_attributes},
    .receive = peer_receive,
    .send = anyc_no_send,
    .sendv = anyc_no_sendv,
    .send_some = anyc_no_send_some,
    .send_eof = anyc_no_send_eof,
};

/* The loop under test against memmem(). */
static void compare(anyc_buffered_stream *stream, const struct input *input, const uint8_t *data,
                    size_t len)
{
    uint8_t *found = malloc(FUZZ_MAX);
    const uint8_t *end;

    if (found == NULL)
        abort();
    while ((end = memmem(data, len, input->delimiter, input->delimiter_len)) != NULL) {
        size_t wanted = (size_t)(end - data);
        ssize_t got = anyc_buffered_receive_until(stream, input->delimiter, input->delimiter_len,
                                                  FUZZ_MAX, found, FUZZ_MAX);

        if (got != (ssize_t)wanted || memcmp(found, data, wanted) != 0)
            abort();
        data += wanted + input->delimiter_len;
        len -= wanted + input->delimiter_len;
    }
    if (anyc_buffered_receive_until(stream, input->delimiter, input->delimiter_len, 2 * FUZZ_MAX,
                                    found, FUZZ_MAX) != ANYC_EINCOMPLETE)
        abort();
    free(found);
}

/* All bytes that are still to come, and how many of them are in the buffer. */
struct model {
    uint8_t data[FUZZ_MAX + FED_MAX];
    size_t len;
    size_t fed;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static size_t next_random(struct input *input, size_t below)
{
    input->random = input->random * 1664525U + 1013904223U;
    return (input->random >> 8) % below;
}

/* `got` of the model's bytes came out, the next `skipped` went with them. */
static void model_take(struct model *model, const uint8_t *got, size_t len, size_t skipped)
{
    require(len + skipped <= model->len && memcmp(got, model->data, len) == 0);
    model->len -= len + skipped;
    memmove(model->data, model->data + len + skipped, model->len);
}

static void try_feed(struct input *input, anyc_buffered_stream *stream, struct model *model)
{
    size_t at;
    size_t len = next_random(input, 9);
    const uint8_t *data = input->delimiter; /* some bytes, of which a few are like the others */

    if (len > input->delimiter_len || model->fed + len > FED_MAX)
        return;
    (void)anyc_buffered_buffer(stream, &at); /* only the length matters */
    memmove(model->data + at + len, model->data + at, model->len - at);
    memcpy(model->data + at, data, len);
    model->len += len;
    model->fed += len;
    require(anyc_buffered_feed_data(stream, data, len) == 0);
}

static void try_until(struct input *input, anyc_buffered_stream *stream, struct model *model)
{
    uint8_t got[FUZZ_MAX + FED_MAX];
    const size_t max_bytes = next_random(input, 300);
    const uint8_t *found = memmem(model->data, model->len, input->delimiter, input->delimiter_len);
    ssize_t rc = anyc_buffered_receive_until(stream, input->delimiter, input->delimiter_len,
                                             max_bytes, got, sizeof got);
    size_t len;
    const void *buffer = anyc_buffered_buffer(stream, &len);

    if (rc >= 0) {
        require(found == model->data + rc);
        model_take(model, got, (size_t)rc, input->delimiter_len);
    } else if (rc == ANYC_EDELIMITER) {
        require(len >= max_bytes &&
                (len == 0 || memmem(buffer, len, input->delimiter, input->delimiter_len) == NULL));
    } else {
        require(rc == ANYC_EINCOMPLETE && len == model->len && found == NULL);
    }
}

static void try_exactly(struct input *input, anyc_buffered_stream *stream, struct model *model)
{
    uint8_t got[300];
    size_t len = next_random(input, sizeof got);
    int rc = anyc_buffered_receive_exactly(stream, got, len);

    require(rc == (len <= model->len ? 0 : ANYC_EINCOMPLETE));
    if (rc == 0)
        model_take(model, got, len, 0);
}

static void try_receive(struct input *input, anyc_buffered_stream *stream, struct model *model)
{
    uint8_t got[300];
    ssize_t n = anyc_receive(&stream->stream, got, 1 + next_random(input, sizeof got));

    require(n > 0 || (n == ANYC_EOF && model->len == 0));
    if (n > 0)
        model_take(model, got, (size_t)n, 0);
}

/* Calls of all kinds against the model. */
static void mix(anyc_buffered_stream *stream, struct input *input)
{
    static void (*const calls[])(struct input *, anyc_buffered_stream *,
                                 struct model *) = {try_feed, try_until, try_exactly, try_receive};
    struct model model = {.len = input->peer.len};
    const uint8_t *buffer;
    size_t len;

    memcpy(model.data, input->peer.data, model.len);
    for (int i = 0; i < 100; i++) {
        calls[next_random(input, 4)](input, stream, &model);
        buffer = anyc_buffered_buffer(stream, &len);
        require(len <= model.len && (len == 0 || memcmp(buffer, model.data, len) == 0));
    }
}

static int main_task(void *arg)
{
    struct input *input = arg;
    const uint8_t *data = input->peer.data;
    size_t len = input->peer.len;
    anyc_buffered_stream *stream;

    if (anyc_byte_stream_init(&input->peer.stream, &peer_ops) < 0)
        abort();
    if (anyc_buffered_stream_create(&input->peer.stream, &stream) < 0)
        abort();
    if (input->random == 0)
        compare(stream, input, data, len);
    else
        mix(stream, input);
    return anyc_aclose(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {0};
    size_t delimiter_len;

    if (size < 3)
        return 0;
    delimiter_len = data[0] % 4U + 1;
    input.random = data[0] / 4U;
    if (size < 2 + delimiter_len || size - 2 - delimiter_len > FUZZ_MAX)
        return 0;
    input.delimiter = data + 2;
    input.delimiter_len = delimiter_len;
    input.peer.largest = data[1] + 1U;
    input.peer.next = 1;
    input.peer.data = data + 2 + delimiter_len;
    input.peer.len = size - 2 - delimiter_len;
    if (anyc_run_with(main_task, &input, NULL) < 0)
        abort();
    return 0;
}
