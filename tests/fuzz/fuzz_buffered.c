/* SPDX-License-Identifier: MIT */
/*
 * fuzz_buffered.c - anyc_buffered_receive_until finds what a plain search over all bytes finds,
 * however the bytes arrive.
 *
 * An input is: one byte for the delimiter's length, one for the largest chunk, the delimiter, and
 * the bytes that the peer sends.
 */
#include "fuzz.h"

#include <anyc/buffered_stream.h>
#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/stream.h>

#include <stdlib.h>
#include <string.h>

#define FUZZ_MAX 4096 /* bytes that the peer sends */

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
    compare(stream, input, data, len);
    return anyc_aclose(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {0};
    size_t delimiter_len;

    if (size < 3)
        return 0;
    delimiter_len = data[0] % 4U + 1;
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
