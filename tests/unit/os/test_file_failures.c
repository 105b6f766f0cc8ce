/* SPDX-License-Identifier: MIT */
/*
 * test_file_failures.c - files and file streams, with each of their system calls failing in each way
 * (see support/failing.h). No byte is lost or doubled without a failure that is told.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/failing.h"

#define BIG 20000 /* bytes, more than the buffers hold */

/* Lines of ten bytes; `at` < BIG. */
static const char *big_from(size_t at)
{
    static char text[BIG + 1];

    if (text[0] == '\0') {
        for (size_t i = 0; i < BIG; i++)
            text[i] = i % 10 == 9 ? '\n' : (char)('a' + i / 10 % 26);
    }
    return text + at;
}

/* -- opening -- */

static int64_t open_it(struct place *place, const char *mode)
{
    return anyc_open_file(anyc_path_str(place->path), mode, NULL, &place->file);
}

static int64_t run_open_reading(struct place *place)
{
    return open_it(place, "r");
}

static int64_t run_open_writing(struct place *place)
{
    return open_it(place, "w");
}

static int64_t run_open_new(struct place *place)
{
    return open_it(place, "x");
}

static int64_t run_open_appending(struct place *place)
{
    return open_it(place, "a");
}

static void again_open_new(struct place *place)
{
    place_remove(place, "new");
}

static void close_it(struct place *place)
{
    ck_assert_int_eq(anyc_aclose(place->file), 0);
    place->file = NULL;
}

static void check_open_reading(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(anyc_file_readinto(place->file, place->buf, sizeof place->buf),
                     (ssize_t)strlen(FAILING_TEXT));
}

static void check_open_writing(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(anyc_file_write(place->file, "more", 4), 4);
    close_it(place);
    place_expect(place, anyc_path_name(place->path), "more");
}

static void check_open_appending(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(anyc_file_write(place->file, "more", 4), 4);
    close_it(place);
    place_expect(place, "file", FAILING_TEXT "more");
}

/* -- reading -- */

static void before_reading(struct place *place)
{
    place_write(place, "file", big_from(0));
    ck_assert_int_eq(open_it(place, "r"), 0);
}

/* What came next; place->len: all that came. */
static void take(struct place *place, const void *data, size_t len)
{
    if (place->len + len > BIG || memcmp(data, big_from(place->len), len) != 0)
        abort(); /* not what is in the file */
    place->len += len;
}

typedef int (*read_fn)(anyc_file *file, size_t max_bytes, anyc_bytes *out_bytes);

static int64_t read_all(struct place *place, read_fn read_it, size_t max_bytes)
{
    anyc_bytes bytes = {.len = 1};
    int rc = 0;

    while (rc == 0 && bytes.len > 0) {
        rc = read_it(place->file, max_bytes, &bytes);
        if (rc == 0) {
            take(place, bytes.data, bytes.len);
            anyc_bytes_deinit(&bytes);
            bytes.len = place->len < BIG;
        }
    }
    return rc;
}

static int64_t run_read(struct place *place)
{
    return read_all(place, anyc_file_read, SIZE_MAX);
}

static int64_t run_read1(struct place *place)
{
    return read_all(place, anyc_file_read1, 3000);
}

static int64_t run_readline(struct place *place)
{
    return read_all(place, anyc_file_readline, SIZE_MAX);
}

typedef ssize_t (*readinto_fn)(anyc_file *file, void *buf, size_t size);

static int64_t readinto_all(struct place *place, readinto_fn read_it)
{
    static char buf[7000];
    ssize_t n = 1;

    while (n > 0) {
        n = read_it(place->file, buf, sizeof buf);
        if (n > 0)
            take(place, buf, (size_t)n);
    }
    return n;
}

static int64_t run_readinto(struct place *place)
{
    return readinto_all(place, anyc_file_readinto);
}

static int64_t run_readinto1(struct place *place)
{
    return readinto_all(place, anyc_file_readinto1);
}

static int64_t run_readlines(struct place *place)
{
    anyc_file_lines lines;
    int rc = anyc_file_readlines(place->file, 0, &lines);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < lines.count; i++)
        take(place, lines.items[i].data, lines.items[i].len);
    anyc_free_file_lines(&lines);
    return 0;
}

static int64_t run_next_line(struct place *place)
{
    ssize_t n = 1;
    char *line;

    while (n > 0) {
        n = anyc_file_next_line(place->file, &line);
        if (n > 0)
            take(place, line, (size_t)n);
    }
    return n == ANYC_EOF ? 0 : n;
}

static void check_all_read(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_uint_eq(place->len, BIG);
}

/* -- writing -- */

static void before_writing(struct place *place)
{
    ck_assert_int_eq(open_it(place, "w+"), 0);
}

/* Some bytes are in the buffer. */
static void before_settling(struct place *place)
{
    before_writing(place);
    ck_assert_int_eq(anyc_file_write(place->file, big_from(0), 100), 100);
}

static int64_t run_write(struct place *place)
{
    return anyc_file_write(place->file, big_from(0), BIG);
}

static int64_t run_writelines(struct place *place)
{
    const struct iovec pieces[] = {{(void *)big_from(0), 3}, {(void *)big_from(3), BIG - 3}};

    return anyc_file_writelines(place->file, pieces, 2);
}

/* The file can be used: what a part of was written is written over. */
static void again_writing(struct place *place)
{
    ck_assert_int_eq(anyc_file_seek(place->file, 0, SEEK_SET), 0);
    ck_assert_int_eq(anyc_file_truncate(place->file, 0), 0);
}

static void again_settling(struct place *place)
{
    again_writing(place);
    ck_assert_int_eq(anyc_file_write(place->file, big_from(0), 100), 100);
}

static void check_written(struct place *place, int64_t rc)
{
    ck_assert_int_ge(rc, 0);
    close_it(place);
    place_expect(place, "file", big_from(0));
}

/* The file has the first 100 bytes and no more. */
static void check_hundred(struct place *place, int64_t rc)
{
    char text[101] = "";

    ck_assert_int_ge(rc, 0);
    memcpy(text, big_from(0), 100);
    if (place->file != NULL)
        close_it(place);
    place_expect(place, "file", text);
}

static int64_t run_flush(struct place *place)
{
    return anyc_file_flush(place->file);
}

static int64_t run_seek(struct place *place)
{
    return anyc_file_seek(place->file, 0, SEEK_END);
}

static int64_t run_tell(struct place *place)
{
    return anyc_file_tell(place->file);
}

static void check_at_hundred(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 100);
    check_hundred(place, rc);
}

static int64_t run_truncate(struct place *place)
{
    return anyc_file_truncate(place->file, 100);
}

static void before_truncating(struct place *place)
{
    before_writing(place);
    ck_assert_int_eq(anyc_file_write(place->file, big_from(0), BIG), BIG);
}

static void again_truncating(struct place *place)
{
    again_writing(place);
    ck_assert_int_eq(anyc_file_write(place->file, big_from(0), BIG), BIG);
}

static int64_t run_close(struct place *place)
{
    int rc = anyc_aclose(place->file);

    place->file = NULL;
    return rc;
}

/* Between reading and writing the position is set anew. */
static void before_turning(struct place *place)
{
    place_write(place, "file", big_from(0));
    ck_assert_int_eq(open_it(place, "r+"), 0);
    ck_assert_int_eq(anyc_file_readinto(place->file, place->buf, 50), 50);
}

static int64_t run_turn(struct place *place)
{
    int64_t rc = anyc_file_write(place->file, big_from(50), 50);

    return rc < 0 ? rc : anyc_file_readinto(place->file, place->buf, 50);
}

static void again_turning(struct place *place)
{
    ck_assert_int_eq(anyc_file_seek(place->file, 50, SEEK_SET), 50);
}

static void check_turned(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 50);
    ck_assert_mem_eq(place->buf, big_from(100), 50);
    check_written(place, rc);
}

/* It asks for the kind of a file, and goes on without. */
#define STDIO "fstat newfstatat"

/* Seeking in a buffer goes on without. */
#define SEEKING "read "

static const struct failing_op ops[] = {
    {"anyc_open_file", .run = run_open_reading, .check = check_open_reading},
    {"anyc_open_file (w)", .at = "new", .run = run_open_writing, .check = check_open_writing},
    {"anyc_open_file (x)", .at = "new", .run = run_open_new, .check = check_open_writing,
     .again = again_open_new},
    {"anyc_open_file (a)", .run = run_open_appending, .check = check_open_appending,
     .ignores = "lseek " STDIO},
    {"anyc_file_read", .before = before_reading, .run = run_read, .check = check_all_read,
     .ignores = STDIO},
    {"anyc_file_read1", .before = before_reading, .run = run_read1, .check = check_all_read,
     .ignores = STDIO},
    {"anyc_file_readinto", .before = before_reading, .run = run_readinto, .check = check_all_read,
     .ignores = STDIO},
    {"anyc_file_readinto1", .before = before_reading, .run = run_readinto1, .check = check_all_read,
     .ignores = STDIO},
    {"anyc_file_readline", .before = before_reading, .run = run_readline, .check = check_all_read,
     .ignores = STDIO},
    {"anyc_file_readlines", .before = before_reading, .run = run_readlines, .check = check_all_read,
     .ignores = STDIO},
    {"anyc_file_next_line", .before = before_reading, .run = run_next_line, .check = check_all_read,
     .ignores = STDIO},
    {"anyc_file_write", .before = before_writing, .run = run_write, .check = check_written,
     .again = again_writing, .ignores = STDIO},
    {"anyc_file_writelines", .before = before_writing, .run = run_writelines,
     .check = check_written, .again = again_writing, .ignores = STDIO},
    {"anyc_file_write anyc_file_readinto (in turn)", .before = before_turning, .run = run_turn,
     .check = check_turned, .again = again_turning, .ignores = SEEKING STDIO},
    {"anyc_file_truncate", .before = before_truncating, .run = run_truncate, .check = check_hundred,
     .again = again_truncating, .ignores = STDIO},
    {"anyc_file_seek", .before = before_settling, .run = run_seek, .check = check_at_hundred,
     .again = again_settling, .ignores = SEEKING STDIO},
    {"anyc_file_tell", .before = before_settling, .run = run_tell, .check = check_at_hundred,
     .ignores = STDIO},
    {"anyc_file_flush", .before = before_settling, .run = run_flush, .check = check_hundred,
     .again = again_settling, .ignores = STDIO},
    {"anyc_aclose (of a file)", .before = before_settling, .run = run_close, .check = check_hundred,
     .again = before_settling},
};

ANYC_TEST_WITH(test_file_failures__of_files_are_told, .plain = true, .timeout = 120)
{
    failing_run(ops, sizeof ops / sizeof *ops);
}

/* -- streams -- */

static int64_t run_open_read_stream(struct place *place)
{
    return anyc_file_read_stream_from_path(anyc_path_str(place->path), &place->stream);
}

static void check_open_read_stream(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(anyc_receive(place->stream, place->buf, sizeof place->buf),
                     (ssize_t)strlen(FAILING_TEXT));
}

static int64_t run_open_write_stream(struct place *place)
{
    return anyc_file_write_stream_from_path(anyc_path_str(place->path), NULL, &place->stream);
}

static void close_stream(struct place *place)
{
    ck_assert_int_eq(anyc_aclose(place->stream), 0);
    place->stream = NULL;
}

static void check_open_write_stream(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(anyc_send(place->stream, "more", 4), 0);
    close_stream(place);
    place_expect(place, "file", "more");
}

static void before_receiving(struct place *place)
{
    place_write(place, "file", big_from(0));
    ck_assert_int_eq(run_open_read_stream(place), 0);
}

static int64_t run_receive(struct place *place)
{
    static char buf[7000];
    ssize_t n = 1;

    while (n > 0) {
        n = anyc_receive(place->stream, buf, sizeof buf);
        if (n > 0)
            take(place, buf, (size_t)n);
    }
    return n == ANYC_EOF ? 0 : n;
}

static void before_sending(struct place *place)
{
    ck_assert_int_eq(run_open_write_stream(place), 0);
}

static int64_t run_send(struct place *place)
{
    return anyc_send(place->stream, big_from(0), BIG);
}

static void again_sending(struct place *place)
{
    ck_assert_int_eq(anyc_file_stream_seek(place->stream, 0, SEEK_SET), 0);
    ck_assert_int_eq(truncate(place_text(place, "file"), 0), 0);
}

static void check_sent(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 0);
    close_stream(place);
    place_expect(place, "file", big_from(0));
}

static void before_stream_settling(struct place *place)
{
    before_sending(place);
    ck_assert_int_eq(anyc_send(place->stream, big_from(0), 100), 0);
}

static void again_stream_settling(struct place *place)
{
    again_sending(place);
    ck_assert_int_eq(anyc_send(place->stream, big_from(0), 100), 0);
}

static int64_t run_stream_seek(struct place *place)
{
    return anyc_file_stream_seek(place->stream, 0, SEEK_END);
}

static int64_t run_stream_tell(struct place *place)
{
    return anyc_file_stream_tell(place->stream);
}

static void check_stream_at_hundred(struct place *place, int64_t rc)
{
    ck_assert_int_eq(rc, 100);
    close_stream(place);
    check_hundred(place, 0);
}

static int64_t run_stream_close(struct place *place)
{
    int rc = anyc_aclose(place->stream);

    place->stream = NULL;
    return rc;
}

/* Their failures are ANYC_EBROKEN, but for want of memory. */
#define BROKEN .code = ANYC_EBROKEN, .other = ANYC_ENOMEM

static const struct failing_op stream_ops[] = {
    {"anyc_file_read_stream_from_path", .run = run_open_read_stream,
     .check = check_open_read_stream},
    {"anyc_file_write_stream_from_path", .run = run_open_write_stream,
     .check = check_open_write_stream},
    {"anyc_receive (of a file stream)", .before = before_receiving, .run = run_receive,
     .check = check_all_read, .ignores = STDIO, BROKEN},
    {"anyc_send (of a file stream)", .before = before_sending, .run = run_send, .check = check_sent,
     .again = again_sending, .ignores = STDIO, BROKEN},
    {"anyc_file_stream_seek", .before = before_stream_settling, .run = run_stream_seek,
     .check = check_stream_at_hundred, .again = again_stream_settling, BROKEN, .ignores = STDIO},
    {"anyc_file_stream_tell", .before = before_stream_settling, .run = run_stream_tell,
     .check = check_stream_at_hundred, BROKEN, .ignores = STDIO},
    {"anyc_aclose (of a file stream)", .before = before_stream_settling, .run = run_stream_close,
     .check = check_hundred, .again = before_stream_settling, BROKEN},
};

ANYC_TEST_WITH(test_file_failures__of_file_streams_are_told, .plain = true, .timeout = 120)
{
    failing_run(stream_ops, sizeof stream_ops / sizeof *stream_ops);
}
