/* SPDX-License-Identifier: MIT */
/*
 * test_file_read.c - bytes and lines out of files.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include "scratch.h"
#include "support/steps.h"

static void check_line(anyc_file *file, const char *text)
{
    char *line = NULL;

    ck_assert_int_eq(anyc_file_next_line(file, &line), (ssize_t)strlen(text));
    ck_assert_str_eq(line, text);
}

/* FI-003 (TestAsyncFile.test_async_iteration). */
ANYC_TEST(test_file_read__goes_over_the_lines)
{
    struct scratch scratch = scratch_text("blah blah\nfoo foo\nbar bar");
    anyc_file *file = file_open(scratch.path, "r");
    char *line;

    check_line(file, "blah blah\n");
    check_line(file, "foo foo\n");
    check_line(file, "bar bar");
    ck_assert_int_eq(anyc_file_next_line(file, &line), ANYC_EOF);
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
}

ANYC_TEST(test_file_read__keeps_line_ends_and_zeros)
{
    static const char text[] = "a\r\n\0b\n\n\r\nend\r";
    struct scratch scratch = scratch_make(text, sizeof text - 1);
    anyc_file *file = file_open(scratch.path, "r");
    char *line;

    check_line(file, "a\r\n");
    ck_assert_int_eq(anyc_file_next_line(file, &line), 3);
    ck_assert_mem_eq(line, "\0b\n", 4);
    check_line(file, "\n");
    check_line(file, "\r\n");
    check_line(file, "end\r");
    ck_assert_int_eq(anyc_file_next_line(file, &line), ANYC_EOF);
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
}

ANYC_TEST(test_file_read__has_room_for_any_line)
{
    enum { LEN = 3000000 };
    char *text = malloc(LEN);
    struct scratch scratch;
    anyc_file *file;
    char *line = NULL;
    anyc_bytes bytes;

    memset(text, 'x', LEN);
    text[LEN - 2] = '\n';
    scratch = scratch_make(text, LEN);
    file = file_open(scratch.path, "r");
    ck_assert_int_eq(anyc_file_next_line(file, &line), LEN - 1);
    ck_assert_mem_eq(line, text, LEN - 1);
    check_line(file, "x");
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), 0);
    ck_assert_ok(anyc_file_read(file, SIZE_MAX, &bytes));
    ck_assert_uint_eq(bytes.len, LEN);
    ck_assert_mem_eq(bytes.data, text, LEN);
    anyc_bytes_deinit(&bytes);
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
    free(text);
}

ANYC_TEST(test_file_read__reads_in_parts)
{
    struct scratch scratch = scratch_text("abcdefgh");
    anyc_file *file = file_open(scratch.path, "r");
    anyc_bytes bytes;
    char buf[4];

    check_read(file, 0, "");
    check_read(file, 3, "abc");
    ck_assert_int_eq(anyc_file_tell(file), 3);
    ck_assert_ok(anyc_file_read1(file, 2, &bytes));
    check_bytes(&bytes, "de");
    ck_assert_int_eq(anyc_file_readinto(file, buf, 0), 0);
    ck_assert_int_eq(anyc_file_readinto1(file, buf, 1), 1);
    ck_assert_int_eq(buf[0], 'f');
    ck_assert_int_eq(anyc_file_readinto(file, buf, sizeof buf), 2);
    ck_assert_mem_eq(buf, "gh", 2);
    ck_assert_int_eq(anyc_file_readinto(file, buf, sizeof buf), 0);
    ck_assert_int_eq(anyc_file_readinto1(file, buf, sizeof buf), 0);
    check_read(file, 10, "");
    ck_assert_int_eq(anyc_file_readinto(file, buf, SIZE_MAX), ANYC_EINVAL);
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
}

ANYC_TEST(test_file_read__reads_what_is_there)
{
    int writer;
    anyc_file *file = file_of_pipe(&writer);
    anyc_bytes bytes;
    char buf[10];

    ck_assert_int_eq(write(writer, "hello", 5), 5);
    ck_assert_ok(anyc_file_read1(file, 100, &bytes)); /* a read of 100 would wait */
    check_bytes(&bytes, "hello");
    ck_assert_int_eq(write(writer, "world", 5), 5);
    ck_assert_int_eq(anyc_file_readinto1(file, buf, 2), 2);
    ck_assert_int_eq(anyc_file_readinto1(file, buf + 2, 8), 3);
    ck_assert_mem_eq(buf, "world", 5);
    close(writer);
    ck_assert_int_eq(anyc_file_readinto1(file, buf, sizeof buf), 0);
    ck_assert_ok(anyc_aclose(file));
}

ANYC_TEST(test_file_read__reads_a_line)
{
    struct scratch scratch = scratch_text("one\ntwo\nrest");
    anyc_file *file = file_open(scratch.path, "r");
    anyc_bytes line;

    ck_assert_ok(anyc_file_readline(file, SIZE_MAX, &line));
    check_bytes(&line, "one\n");
    ck_assert_ok(anyc_file_readline(file, 2, &line));
    check_bytes(&line, "tw");
    ck_assert_ok(anyc_file_readline(file, 2, &line));
    check_bytes(&line, "o\n");
    ck_assert_ok(anyc_file_readline(file, SIZE_MAX, &line));
    check_bytes(&line, "rest");
    ck_assert_ok(anyc_file_readline(file, SIZE_MAX, &line));
    check_bytes(&line, "");
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
}

ANYC_TEST(test_file_read__reads_all_lines)
{
    struct scratch scratch = scratch_text("one\n\nthree");
    anyc_file *file = file_open(scratch.path, "r");
    anyc_file_lines lines;

    ck_assert_ok(anyc_file_readlines(file, 0, &lines));
    ck_assert_uint_eq(lines.count, 3);
    ck_assert_str_eq((char *)lines.items[0].data, "one\n");
    ck_assert_uint_eq(lines.items[0].len, 4);
    ck_assert_str_eq((char *)lines.items[1].data, "\n");
    ck_assert_str_eq((char *)lines.items[2].data, "three");
    ck_assert_uint_eq(lines.items[2].len, 5);
    anyc_free_file_lines(&lines);
    ck_assert_ok(anyc_file_readlines(file, 0, &lines));
    ck_assert_uint_eq(lines.count, 0);
    anyc_free_file_lines(&lines);
    ck_assert_int_eq(anyc_file_seek(file, 0, SEEK_SET), 0);
    ck_assert_ok(anyc_file_readlines(file, 5, &lines));
    ck_assert_uint_eq(lines.count, 2);
    anyc_free_file_lines(&lines);
    check_read(file, SIZE_MAX, "three");
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
}

/* The end is not final. */
ANYC_TEST(test_file_read__goes_on_when_the_file_has_grown)
{
    struct scratch scratch = scratch_text("abc");
    anyc_file *file = file_open(scratch.path, "r");
    anyc_file *other = file_open(scratch.path, "a");

    check_read(file, SIZE_MAX, "abc");
    check_read(file, SIZE_MAX, "");
    file_put(other, "def");
    ck_assert_ok(anyc_aclose(other));
    check_read(file, SIZE_MAX, "def");
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
}

ANYC_TEST(test_file_read__tells_what_it_cannot_read)
{
    struct scratch scratch = scratch_text("abc");
    anyc_file *file = file_open(scratch.path, "a");
    anyc_bytes bytes;
    char *line;

    ck_assert_int_eq(anyc_file_read(file, 1, &bytes), -EBADF);
    ck_assert_int_eq(anyc_file_next_line(file, &line), -EBADF);
    file_put(file, "def");
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "abcdef");
    file = file_open("/proc/self/mem", "r"); /* nothing is at address 0: EIO */
    ck_assert_int_eq(anyc_file_read(file, 1, &bytes), -EIO);
    ck_assert_int_eq(anyc_file_readline(file, SIZE_MAX, &bytes), -EIO);
    ck_assert_ok(anyc_aclose(file));
}
