/* SPDX-License-Identifier: MIT */
/*
 * test_text_codecs.c - text streams against Python's codecs: random text, right and broken, cut at
 * random places, in every error mode. Skipped where there is no python3.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/testing.h>
#include <anyc/text_stream.h>

#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/valgrind.h"

#define CODECS_SEED 20261122U
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CODECS_SIZE (64 << 10)
#else
#define CODECS_SIZE (1 << 20)
#endif
#define CODECS_SIZE_VALGRIND (16 << 10)
#define CODECS_SIZE_LESS (CODECS_SIZE / 4) /* for those that are much like another */

/* Bytes that were read from a file, or sent. */
struct data {
    char *bytes;
    size_t len;
    size_t capacity;
};

/* A stream that gives `in` in pieces of random size, and collects in `out`. */
struct cutter {
    anyc_byte_stream stream;
    struct data in;
    size_t given;
    struct data out;
};

struct run {
    const char *encoding;
    bool shifts; /* bytes change what those behind them are */
    int size;
    char folder[64];
    uint32_t random;
};

static size_t next_random(struct run *run, size_t below)
{
    run->random = run->random * 1664525U + 1013904223U;
    return (run->random >> 8) % below;
}

static struct run the_run; /* of this test, which is a process of its own */

/* Short as a rule. */
static size_t next_cut(void)
{
    return 1 + next_random(&the_run, next_random(&the_run, 8) == 0 ? 6000 : 20);
}

static void data_append(struct data *data, const void *bytes, size_t len)
{
    if (data->capacity - data->len < len) {
        data->capacity = 2 * (data->capacity + len);
        data->bytes = realloc(data->bytes, data->capacity);
        ck_assert_ptr_nonnull(data->bytes);
    }
    if (len > 0)
        memcpy(data->bytes + data->len, bytes, len);
    data->len += len;
}

static ssize_t cutter_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes)
{
    struct cutter *cutter = (struct cutter *)stream;
    size_t left = cutter->in.len - cutter->given;
    size_t n = next_cut();

    if (left == 0)
        return ANYC_EOF;
    n = n < left ? n : left;
    n = n < max_bytes ? n : max_bytes;
    memcpy(buf, cutter->in.bytes + cutter->given, n);
    cutter->given += n;
    return (ssize_t)n;
}

static int cutter_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    data_append(&((struct cutter *)stream)->out, buf, len);
    return 0;
}

static int cutter_close(anyc_resource *resource, bool forcefully)
{
    (void)resource;
    (void)forcefully;
    return 0;
}

static void cutter_destroy(anyc_resource *resource)
{
    (void)resource; /* the caller's */
}

static const anyc_byte_stream_ops cutter_ops = {
    .resource = {"cutter", cutter_close, cutter_destroy, anyc_no_attributes},
    .receive = cutter_receive,
    .send = cutter_send,
    .sendv = anyc_sendv_by_send,
    .send_some = anyc_send_some_by_send,
    .send_eof = anyc_no_send_eof,
};

static FILE *run_open(const char *name, const char *mode)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", the_run.folder, name);
    file = fopen(path, mode);
    ck_assert_msg(file != NULL, "%s", path);
    return file;
}

static struct data run_read(const char *first, const char *second)
{
    char name[64];
    char block[4096];
    struct data data = {NULL, 0, 0};
    FILE *file;
    size_t n;

    snprintf(name, sizeof name, "%s.%s", first, second);
    file = run_open(name, "rb");
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        data_append(&data, block, n);
    fclose(file);
    return data;
}

static void check_same(const char *what, const struct data *got, const struct data *expected)
{
    size_t at = 0;

    while (at < got->len && at < expected->len && got->bytes[at] == expected->bytes[at])
        at++;
    ck_assert_msg(at == got->len && at == expected->len,
                  "%s %s: %zu bytes for %zu, other from offset %zu on", the_run.encoding, what,
                  got->len, expected->len, at);
}

/* -- tables for python -- */

static void write_answer(FILE *file, iconv_t cd, const void *bytes, size_t len)
{
    char out[64];
    char *in_at = (char *)(uintptr_t)bytes; /* iconv only reads it */
    char *out_at = out;
    size_t left = sizeof out;

    iconv(cd, NULL, NULL, NULL, NULL);
    if (iconv(cd, &in_at, &len, &out_at, &left) != 0 || len > 0 ||
        iconv(cd, NULL, NULL, &out_at, &left) != 0) {
        fputc(255, file);
        return;
    }
    fputc((int)(sizeof out - left), file);
    fwrite(out, 1, sizeof out - left, file);
}

/* What iconv itself makes of all bytes, pairs of bytes and characters. */
static void write_tables(const char *name)
{
    iconv_t from = iconv_open("UTF-8", name);
    iconv_t to = iconv_open(name, "UTF-8");
    FILE *decode = run_open("decode.table", "wb");
    FILE *encode = run_open("encode.table", "wb");
    unsigned char bytes[3];

    for (unsigned i = 0; i < 256 + 65536; i++) {
        bytes[0] = (unsigned char)(i < 256 ? i : (i - 256) >> 8);
        bytes[1] = (unsigned char)i;
        write_answer(decode, from, bytes, i < 256 ? 1 : 2);
    }
    for (unsigned i = 0; i < 65536; i++) {
        size_t len = i < 0x80 ? 1 : i < 0x800 ? 2 : 3;

        bytes[0] = (unsigned char)(len == 1 ? i : len == 2 ? 0xC0 | i >> 6 : 0xE0 | i >> 12);
        bytes[len - 1] = (unsigned char)(len == 1 ? i : 0x80 | (i & 0x3F));
        if (len == 3)
            bytes[1] = (unsigned char)(0x80 | (i >> 6 & 0x3F));
        write_answer(encode, to, bytes, len);
    }
    fclose(decode);
    fclose(encode);
    iconv_close(from);
    iconv_close(to);
}

/* -- decoding -- */

static anyc_text_stream *text_open(struct cutter *cutter, const char *kind, anyc_text_errors errors)
{
    const anyc_text_stream_options options = {.encoding = the_run.encoding, .errors = errors};
    anyc_text_stream *stream = NULL;

    *cutter = (struct cutter){.in = run_read(kind, "in")};
    ck_assert_int_eq(anyc_byte_stream_init(&cutter->stream, &cutter_ops), 0);
    ck_assert_int_eq(anyc_text_stream_create(&cutter->stream, &options, &stream), 0);
    return stream;
}

static void text_end(struct cutter *cutter, anyc_text_stream *stream)
{
    ck_assert_int_eq(anyc_aclose(stream), 0);
    free(cutter->in.bytes);
    free(cutter->out.bytes);
}

/* A strict error: the next one that python has noted? */
static void check_error(const char **errors, const char *end)
{
    const char *at = strstr(anyc_last_error()->message, "at offset ");
    char *next;

    ck_assert_ptr_nonnull(at);
    ck_assert_msg(*errors < end, "more errors than python has: %s", at);
    ck_assert_msg(strtoull(at + 10, NULL, 10) == strtoull(*errors, &next, 10), "%s, not %.20s", at,
                  *errors);
    *errors = strchr(next, '\n') + 1;
}

/* Receive all, as text or as lines. */
static void check_decode(anyc_text_errors mode, const char *name, bool lines)
{
    struct data expected = run_read("decode", name);
    struct data noted = run_read("decode", "errors");
    struct data got = {NULL, 0, 0};
    struct cutter cutter;
    anyc_text_stream *stream = text_open(&cutter, "decode", mode);
    const char *errors = noted.bytes;
    size_t size = cutter.in.len + 1;
    char *buf = malloc(8 * size);
    ssize_t n = 0;

    ck_assert_ptr_nonnull(buf);
    while (n != ANYC_EOF) {
        n = lines ? anyc_text_receive_line(stream, buf, 8 * size)
                  : anyc_receive(&stream->stream, buf, next_cut());
        if (n == ANYC_EDECODE && mode == ANYC_TEXT_STRICT)
            check_error(&errors, noted.bytes + noted.len);
        else if (n > 0)
            data_append(&got, buf, (size_t)n);
        else
            ck_assert_int_eq(n, ANYC_EOF);
    }
    check_same(name, &got, &expected);
    if (mode == ANYC_TEXT_STRICT)
        ck_assert_ptr_eq(errors, noted.bytes + noted.len);
    text_end(&cutter, stream);
    free(buf);
    free(got.bytes);
    free(noted.bytes);
    free(expected.bytes);
}

/* -- encoding -- */

/* The length of the character; the text is right. */
static size_t character_len(const char *text)
{
    unsigned char lead = (unsigned char)*text;

    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* Send all, cut anywhere; when strict, one character at a time, so that only one fails. Each text
 * begins in the initial shift state, so where there are such it is sent as one. */
static void check_encode(anyc_text_errors mode, const char *name)
{
    struct data expected = run_read("encode", name);
    struct cutter cutter;
    anyc_text_stream *stream = text_open(&cutter, "encode", mode);
    const char *text = cutter.in.bytes;
    size_t left = cutter.in.len;
    size_t n;

    for (; left > 0; text += n, left -= n) {
        n = mode == ANYC_TEXT_STRICT ? character_len(text) : the_run.shifts ? left : next_cut();
        n = n < left ? n : left;
        if (anyc_send(&stream->stream, text, n) != 0)
            ck_assert_msg(mode == ANYC_TEXT_STRICT && anyc_last_error()->code == ANYC_EENCODE, "%s",
                          anyc_last_error()->message);
    }
    check_same(name, &cutter.out, &expected);
    text_end(&cutter, stream);
    free(expected.bytes);
}

/* -- the tests -- */

/* Ask python; false if there is none. */
static bool run_python(void)
{
    char command[512];
    int rc;

    snprintf(command, sizeof command, "'%s' '%s/unit/streams/text_codecs.py' %s %u %d '%s'",
             ANYC_PYTHON, ANYC_TESTS_DIR, the_run.encoding, CODECS_SEED,
             RUNNING_ON_VALGRIND ? CODECS_SIZE_VALGRIND : the_run.size, the_run.folder);
    if (access(ANYC_PYTHON, X_OK) != 0)
        return false;
    rc = system(command);
    ck_assert_msg(rc == 0, "%s", command);
    return true;
}

static void run_remove(void)
{
    static const char *const names[] = {"decode.table",
                                        "encode.table",
                                        "decode.in",
                                        "decode.errors",
                                        "encode.in",
                                        "decode.ignore",
                                        "encode.ignore",
                                        "decode.replace",
                                        "encode.replace",
                                        "decode.backslashreplace",
                                        "encode.backslashreplace"};
    char path[128];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", the_run.folder, names[i]);
        unlink(path); /* some are not there */
    }
    ck_assert_int_eq(rmdir(the_run.folder), 0);
}

/* `table`: iconv's name of an encoding with tables that may differ; or NULL. */
static void check_codec(const char *encoding, const char *table, int size)
{
    the_run = (struct run){.encoding = encoding, .folder = "/tmp/anyc-text-XXXXXX"};
    the_run.random = CODECS_SEED;
    the_run.size = size;
    the_run.shifts = strncmp(encoding, "iso2022", 7) == 0;
    ck_assert_ptr_nonnull(mkdtemp(the_run.folder));
    if (table != NULL)
        write_tables(table);
    if (!run_python()) {
        run_remove();
        fprintf(stderr, "SKIPPED: no python3, text streams are not compared with its codecs\n");
        ANYC_TEST_SKIP("no python3");
    }
    check_decode(ANYC_TEXT_STRICT, "ignore", false);
    check_decode(ANYC_TEXT_STRICT, "ignore", true);
    check_decode(ANYC_TEXT_IGNORE, "ignore", false);
    check_decode(ANYC_TEXT_REPLACE, "replace", false);
    check_decode(ANYC_TEXT_REPLACE, "replace", true);
    check_decode(ANYC_TEXT_BACKSLASHREPLACE, "backslashreplace", false);
    if (!the_run.shifts)
        check_encode(ANYC_TEXT_STRICT, "ignore");
    check_encode(ANYC_TEXT_IGNORE, "ignore");
    check_encode(ANYC_TEXT_REPLACE, "replace");
    check_encode(ANYC_TEXT_BACKSLASHREPLACE, "backslashreplace");
    run_remove();
}

ANYC_TEST_WITH(test_text_codecs__utf_8_is_as_in_python, .timeout = 120)
{
    check_codec("utf-8", NULL, CODECS_SIZE);
}

ANYC_TEST_WITH(test_text_codecs__utf_16_is_as_in_python, .timeout = 120)
{
    check_codec("utf-16", NULL, CODECS_SIZE);
}

ANYC_TEST_WITH(test_text_codecs__utf_16_le_is_as_in_python, .timeout = 120)
{
    check_codec("utf-16-le", NULL, CODECS_SIZE);
}

ANYC_TEST_WITH(test_text_codecs__utf_16_be_is_as_in_python, .timeout = 120)
{
    check_codec("utf-16-be", NULL, CODECS_SIZE);
}

ANYC_TEST_WITH(test_text_codecs__utf_32_is_as_in_python, .timeout = 120)
{
    check_codec("utf-32", NULL, CODECS_SIZE);
}

ANYC_TEST_WITH(test_text_codecs__latin_1_is_as_in_python, .timeout = 120)
{
    check_codec("latin-1", "ISO-8859-1", CODECS_SIZE);
}

ANYC_TEST_WITH(test_text_codecs__ascii_is_as_in_python, .timeout = 120)
{
    check_codec("ascii", "US-ASCII", CODECS_SIZE);
}

ANYC_TEST_WITH(test_text_codecs__shift_jis_is_as_in_python, .timeout = 120)
{
    check_codec("shift_jis", "SHIFT_JIS", CODECS_SIZE);
}

ANYC_TEST_WITH(test_text_codecs__utf_8_sig_is_as_in_python, .timeout = 120)
{
    check_codec("utf-8-sig", NULL, CODECS_SIZE_LESS);
}

ANYC_TEST_WITH(test_text_codecs__cp1252_is_as_in_python, .timeout = 120)
{
    check_codec("cp1252", "CP1252", CODECS_SIZE_LESS);
}

ANYC_TEST_WITH(test_text_codecs__koi8_r_is_as_in_python, .timeout = 120)
{
    check_codec("koi8-r", "KOI8-R", CODECS_SIZE_LESS);
}

ANYC_TEST_WITH(test_text_codecs__euc_jp_is_as_in_python, .timeout = 120)
{
    skip_on_valgrind("glibc's loader reads beyond a string when it loads the library of JIS");
    check_codec("euc_jp", "EUC-JP", CODECS_SIZE_LESS);
}

ANYC_TEST_WITH(test_text_codecs__gb18030_is_as_in_python, .timeout = 120)
{
    check_codec("gb18030", "GB18030", CODECS_SIZE_LESS);
}

ANYC_TEST_WITH(test_text_codecs__big5_is_as_in_python, .timeout = 120)
{
    check_codec("big5", "BIG5", CODECS_SIZE_LESS);
}

ANYC_TEST_WITH(test_text_codecs__iso2022_jp_is_as_in_python, .timeout = 120)
{
    skip_on_valgrind("glibc's loader reads beyond a string when it loads the library of JIS");
    check_codec("iso2022_jp", "ISO-2022-JP", CODECS_SIZE_LESS);
}
