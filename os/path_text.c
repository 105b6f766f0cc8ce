/* SPDX-License-Identifier: MIT */
/*
 * path_text.c - whole contents of files as text. AnyIO: Path.read_text, write_text.
 *
 * The encodings are those of text streams (streams/text_encoding.h); here all of a text is decoded,
 * or encoded, at once.
 */
#include <anyc/path.h>

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/path_call.h"
#include "streams/text_decoder.h"
#include "streams/text_encoder.h"

#include <string.h>

/* -- line ends -- */

/* CR LF and CR become LF, in place. */
static size_t text_unify_lines(char *text, size_t len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\r')
            text[out++] = text[i];
        else if (i + 1 == len || text[i + 1] != '\n')
            text[out++] = '\n';
    }
    text[out] = '\0';
    return out;
}

/* The text with each LF replaced; a copy in any case. NULL without memory. */
static char *text_end_lines(const char *text, size_t len, const char *newline, size_t *out_len)
{
    size_t end_len = strlen(newline);
    size_t count = 0;
    char *out;
    char *at;

    for (size_t i = 0; i < len; i++)
        count += text[i] == '\n';
    out = anyc__alloc(len + count * end_len + 1);
    if (out == NULL)
        return NULL;
    at = out;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n') {
            *at++ = text[i];
            continue;
        }
        memcpy(at, newline, end_len);
        at += end_len;
    }
    *at = '\0';
    *out_len = (size_t)(at - out);
    return out;
}

static int text_check(const anyc_path_text_options *options)
{
    const char *newline = options == NULL ? NULL : options->newline;

    if (newline == NULL || strcmp(newline, "") == 0 || strcmp(newline, "\n") == 0 ||
        strcmp(newline, "\r") == 0 || strcmp(newline, "\r\n") == 0)
        return 0;
    return anyc__fail(ANYC_EINVAL, 0, "path: no such form of line ends");
}

/* other: the encoding; third: the form of line ends; flags: what to do with errors. */
static struct path_args text_args(const anyc_path_text_options *options)
{
    struct path_args args = {.other = NULL};

    if (options != NULL) {
        args.other = options->encoding;
        args.third = options->newline;
        args.flags = options->errors;
    }
    return args;
}

/* -- encodings -- */

/* Keeps what anyc__fail said in this thread, for the task. */
static int text_fail(int rc, struct path_answer *answer)
{
    answer->failure = anyc__failure_take(rc);
    return rc;
}

/* All that was read goes through the decoder. On success the decoder's text is all, ended by NUL. */
static int text_decode_all(struct text_decoder *decoder)
{
    struct byte_buffer *text = &decoder->text;
    int rc = 0;

    do { /* an error is told by a run that adds nothing to the text: that is the next one */
        rc = anyc__text_decoder_run(decoder, true);
    } while (rc == 0 && anyc__byte_buffer_len(&decoder->raw) > 0);
    return rc < 0 ? rc : anyc__text_append(text, "", 1);
}

/* Replaces the contents of a file by their text. */
static int text_decode(const struct path_args *args, struct path_answer *answer, char **data,
                       size_t *len)
{
    struct text_decoder decoder;
    int rc = anyc__text_decoder_init(&decoder, args->other, (anyc_text_errors)args->flags);

    if (rc < 0)
        return text_fail(rc, answer);
    if (!decoder.encoding.utf8 || decoder.mark_due ||
        anyc__utf8_valid((const uint8_t *)*data, *len) < *len) {
        decoder.raw = (struct byte_buffer){.data = *data, .end = *len, .capacity = *len};
        *data = NULL; /* the decoder's now */
        rc = text_decode_all(&decoder);
        if (rc >= 0) {
            *data = decoder.text.data;
            *len = anyc__byte_buffer_len(&decoder.text) - 1;
            decoder.text.data = NULL;
        }
    }
    anyc__text_decoder_deinit(&decoder);
    return rc < 0 ? text_fail(rc, answer) : 0;
}

/* The text as it is to be written, in the encoder's `out`; a mark also where there is no text. */
static int text_encode(struct text_encoder *encoder, const char *text, size_t len)
{
    int rc = anyc__text_encoder_put(encoder, text, len);

    if (rc == 0)
        rc = anyc__text_encoder_finish(encoder);
    if (rc == 0 && encoder->state.mark_due) {
        const struct text_mark *mark = anyc__text_encoding_marks(&encoder->encoding);

        rc = anyc__text_append(&encoder->out, mark->bytes, mark->len);
    }
    return rc;
}

/* -- the calls -- */

static int read_text_fn(const struct path_args *args, struct path_answer *answer)
{
    char *data = NULL;
    size_t len = 0;
    int rc = anyc__path_read_all(args->text, &data, &len);

    if (rc == 0)
        rc = text_decode(args, answer, &data, &len);
    if (rc < 0) {
        anyc__free(data);
        return rc;
    }
    answer->text = data;
    answer->len = args->third == NULL ? text_unify_lines(data, len) : len;
    return 0;
}

int anyc_path_read_text(const anyc_path *path, const anyc_path_text_options *options,
                        char **out_text, size_t *out_len)
{
    struct path_args args = text_args(options);
    struct path_answer answer = {.text = NULL};
    int rc = text_check(options);

    if (rc == 0)
        rc = anyc__path_ask(path, "reading text of", read_text_fn, &args, &answer);
    if (rc < 0)
        return rc;
    *out_text = answer.text;
    if (out_len != NULL)
        *out_len = answer.len;
    return 0;
}

static int write_text_fn(const struct path_args *args, struct path_answer *answer)
{
    const char *text = args->data;
    size_t len = args->data_len;
    bool keeps_lines = args->third == NULL || args->third[0] == '\0' || args->third[0] == '\n';
    char *ended = keeps_lines ? NULL : text_end_lines(text, len, args->third, &len);
    struct text_encoder encoder;
    int rc = keeps_lines || ended != NULL ? 0 : ANYC_ENOMEM;

    if (rc < 0)
        return rc;
    text = ended != NULL ? ended : text;
    rc = anyc__text_encoder_init(&encoder, args->other, (anyc_text_errors)args->flags);
    if (rc < 0) {
        anyc__free(ended);
        return text_fail(rc, answer);
    }
    if (anyc__text_encoder_is_plain(&encoder, text, len)) {
        rc = anyc__path_write_all(args->text, text, len);
    } else {
        rc = text_encode(&encoder, text, len);
        if (rc < 0)
            rc = text_fail(rc, answer);
        else
            rc = anyc__path_write_all(args->text, encoder.out.data + encoder.out.start,
                                      anyc__byte_buffer_len(&encoder.out));
    }
    anyc__text_encoder_deinit(&encoder);
    anyc__free(ended);
    return rc;
}

int anyc_path_write_text(const anyc_path *path, const char *text, size_t len,
                         const anyc_path_text_options *options)
{
    struct path_args args = text_args(options);
    struct path_answer answer = {.text = NULL};
    int rc = text_check(options);

    if (rc < 0)
        return rc;
    args.data = text;
    args.data_len = len;
    return anyc__path_do(path, "writing text to", write_text_fn, &args, &answer);
}
