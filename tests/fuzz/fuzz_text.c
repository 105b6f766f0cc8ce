/* SPDX-License-Identifier: MIT */
/*
 * fuzz_text.c - a text stream gives the same text however the bytes arrive, all of it UTF-8, and
 * sends the same bytes however that text is cut.
 *
 * An input is: one byte for the encoding and the error mode (its highest bit: one of the further
 * encodings, of which this system may lack some), one for the largest chunk, and the bytes that the
 * peer sends.
 */
#include "fuzz.h"

#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/stream.h>
#include <anyc/text_stream.h>

#include <stdlib.h>
#include <string.h>

#define FUZZ_MAX 4096 /* bytes that the peer sends */

static const char *const encodings[] = {"UTF-8",  "UTF-8-SIG", "UTF-16",   "UTF-16LE",
                                        "UTF-32", "Latin-1",   "US-ASCII", "Shift-JIS"};

/* In some of these what a text becomes depends on how it is cut: each text begins in the initial
 * shift state, and two characters of one text may have a form together. */
static const char *const further[] = {"EUC-JP",      "GB18030", "UCS-2LE", "BIG5-HKSCS",
                                      "ISO-2022-JP", "UTF-7",   "UCS-4",   "ISO-2022-KR"};
#define FURTHER_CUT_ANYWHERE 3

struct bytes {
    uint8_t *data;
    size_t len;
};

/* The stream under the text: gives the bytes in chunks of changing size, and keeps what is sent. */
struct peer {
    anyc_byte_stream stream;
    const uint8_t *data;
    size_t len;
    size_t largest; /* chunk */
    size_t next;    /* chunk's size */
    struct bytes sent;
};

struct input {
    anyc_text_stream_options options;
    bool cut_anywhere; /* makes no difference to what is sent */
    const uint8_t *data;
    size_t len;
    size_t largest;
};

static struct peer *peer_of(anyc_byte_stream *stream)
{
    return (struct peer *)stream;
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void bytes_append(struct bytes *bytes, const void *data, size_t len)
{
    bytes->data = realloc(bytes->data, bytes->len + len + 1);
    require(bytes->data != NULL);
    memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
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

static int peer_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    if (len > 0)
        bytes_append(&peer_of(stream)->sent, buf, len);
    return 0;
}

static int peer_send_eof(anyc_byte_stream *stream)
{
    (void)stream;
    return 0;
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
    .send = peer_send,
    .sendv = anyc_sendv_by_send,
    .send_some = anyc_send_some_by_send,
    .send_eof = peer_send_eof,
};

static anyc_text_stream *text_over(struct peer *peer, const anyc_text_stream_options *options)
{
    anyc_text_stream *stream;

    require(anyc_byte_stream_init(&peer->stream, &peer_ops) == 0);
    require(anyc_text_stream_create(&peer->stream, options, &stream) == 0);
    return stream;
}

/* All text of some bytes, with 0xFF for each strict error. */
static struct bytes decode(const anyc_text_stream_options *options, const uint8_t *data, size_t len,
                           size_t largest)
{
    struct peer peer = {.data = data, .len = len, .largest = largest, .next = largest};
    anyc_text_stream *stream = text_over(&peer, options);
    struct bytes text = {NULL, 0};
    char buf[256];
    ssize_t n;

    while ((n = anyc_receive(&stream->stream, buf, sizeof buf)) != ANYC_EOF) {
        require(n > 0 || (n == ANYC_EDECODE && options->errors == ANYC_TEXT_STRICT));
        bytes_append(&text, n > 0 ? buf : "\xFF", n > 0 ? (size_t)n : 1);
    }
    anyc_aclose_forcefully(stream);
    return text;
}

/* All bytes of some text, sent `step` bytes at a time; strict errors are passed over. */
static struct bytes encode(const anyc_text_stream_options *options, const struct bytes *text,
                           size_t step)
{
    struct peer peer = {.largest = 1};
    anyc_text_stream *stream = text_over(&peer, options);
    size_t n;

    for (size_t at = 0; at < text->len; at += n) {
        n = text->len - at < step ? text->len - at : step;
        require(anyc_send(&stream->stream, text->data + at, n) == 0);
    }
    require(anyc_send_eof(&stream->stream) == 0);
    anyc_aclose_forcefully(stream);
    return peer.sent;
}

static bool is_known(const anyc_text_stream_options *options)
{
    struct peer peer = {.largest = 1};
    anyc_text_stream *stream;

    require(anyc_byte_stream_init(&peer.stream, &peer_ops) == 0);
    if (anyc_text_stream_create(&peer.stream, options, &stream) < 0)
        return false;
    anyc_aclose_forcefully(stream);
    return true;
}

static void same(struct bytes *a, struct bytes *b)
{
    require(a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0));
    free(b->data);
}

static int main_task(void *arg)
{
    const struct input *input = arg;
    const anyc_text_stream_options strict = {.encoding = "UTF-8"};
    struct bytes text;
    struct bytes cut;
    struct bytes sent;

    if (!is_known(&input->options))
        return 0;
    text = decode(&input->options, input->data, input->len, FUZZ_MAX);
    cut = decode(&input->options, input->data, input->len, input->largest);
    same(&text, &cut);
    if (input->options.errors != ANYC_TEXT_STRICT) {
        cut = decode(&strict, text.data, text.len, input->largest); /* is it UTF-8? */
        same(&text, &cut);
        sent = encode(&input->options, &text, FUZZ_MAX * 8);
        cut = encode(&input->options, &text, input->largest);
        if (!input->cut_anywhere)
            free(cut.data);
        else
            same(&sent, &cut);
        free(sent.data);
    }
    free(text.data);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input;

    if (size < 2 || size - 2 > FUZZ_MAX)
        return 0;
    input.options.encoding = (data[0] & 0x80U ? further : encodings)[data[0] % 8];
    input.cut_anywhere = data[0] < 0x80 || data[0] % 8 < FURTHER_CUT_ANYWHERE;
    input.options.errors = (anyc_text_errors)(data[0] / 8 % 4);
    input.largest = data[1] + 1U;
    input.data = data + 2;
    input.len = size - 2;
    require(anyc_run_with(main_task, &input, NULL) == 0);
    return 0;
}
