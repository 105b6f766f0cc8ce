/* SPDX-License-Identifier: MIT */
/*
 * test_file_read.c - bytes and lines out of files.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
    ck_assert_ok(anyc_file_readlines(file, 4, &lines));
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

ANYC_TEST(test_file_read__finds_nothing_in_an_empty_file)
{
    struct scratch scratch = scratch_text("");
    anyc_file *file = file_open(scratch.path, "r");
    anyc_file_lines lines;
    anyc_bytes bytes;
    char *line;

    ck_assert_int_eq(anyc_file_next_line(file, &line), ANYC_EOF);
    check_read(file, SIZE_MAX, "");
    ck_assert_ok(anyc_file_read1(file, SIZE_MAX, &bytes));
    check_bytes(&bytes, "");
    ck_assert_ok(anyc_file_readline(file, 0, &bytes));
    check_bytes(&bytes, "");
    ck_assert_ok(anyc_file_readlines(file, 0, &lines));
    ck_assert_uint_eq(lines.count, 0);
    anyc_free_file_lines(&lines);
    ck_assert_int_eq(anyc_file_tell(file), 0);
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
}

/* Between lines the position is known, and other ways to read go on there. */
ANYC_TEST(test_file_read__tells_where_it_is_among_the_lines)
{
    struct scratch scratch = scratch_text("one\ntwo\nthree\nfour");
    anyc_file *file = file_open(scratch.path, "r+");
    anyc_bytes bytes;

    check_line(file, "one\n");
    ck_assert_int_eq(anyc_file_tell(file), 4);
    ck_assert_ok(anyc_file_readline(file, SIZE_MAX, &bytes));
    check_bytes(&bytes, "two\n");
    check_read(file, 2, "th");
    check_line(file, "ree\n");
    file_put(file, "FO");
    check_line(file, "ur");
    ck_assert_int_eq(anyc_file_tell(file), 18);
    ck_assert_ok(anyc_aclose(file));
    scratch_end(&scratch, "one\ntwo\nthree\nFOur");
}

/* What stdio has read ahead needs no thread: here there is none to be had. */
ANYC_TEST(test_file_read__uses_no_thread_for_what_is_buffered)
{
    anyc_capacity_limiter limiter;
    struct scratch scratch = scratch_text("one\ntwo\nthree\nfour");
    const anyc_open_file_options options = {.limiter = &limiter};
    anyc_cancel_scope scope;
    anyc_file *file;
    anyc_bytes bytes;
    char buf[3];

    ck_assert_ok(anyc_capacity_limiter_init(&limiter, 1));
    ck_assert_ok(anyc_open_file(scratch.path, "r", &options, &file));
    check_line(file, "one\n");
    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter));
    check_line(file, "two\n");
    check_read(file, 2, "th");
    ck_assert_int_eq(anyc_file_readinto(file, buf, 3), 3);
    ck_assert_ok(anyc_file_readline(file, SIZE_MAX, &bytes));
    check_bytes(&bytes, "\n");
    ck_assert_ok(anyc_file_read1(file, 2, &bytes));
    check_bytes(&bytes, "fo");
    anyc_move_on_after(&scope, 0.001, false); /* nobody knows that "ur" is the last line */
    ck_assert_int_eq(anyc_file_readline(file, SIZE_MAX, &bytes), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    check_line(file, "ur");
    ck_assert_ok(anyc_aclose(file));
    anyc_capacity_limiter_deinit(&limiter);
    scratch_remove(&scratch);
}

/* It is a checkpoint all the same. */
ANYC_TEST(test_file_read__reads_nothing_buffered_in_a_cancelled_scope)
{
    struct scratch scratch = scratch_text("one\ntwo\n");
    anyc_file *file = file_open(scratch.path, "r");
    anyc_cancel_scope scope;
    char *line;

    check_line(file, "one\n");
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_file_next_line(file, &line), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    check_line(file, "two\n");
    ck_assert_ok(anyc_aclose(file));
    scratch_remove(&scratch);
}

/* A terminal that is at its end once: what is typed after that belongs to the next call. */
ANYC_TEST(test_file_read__ends_the_lines_at_the_first_end)
{
    int controller = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    anyc_file_lines lines;
    anyc_file *file = NULL;
    int terminal;

    ck_assert_int_ge(controller, 0);
    ck_assert_ok(grantpt(controller));
    ck_assert_ok(unlockpt(controller));
    terminal = open(ptsname(controller), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(terminal, 0);
    ck_assert_ok(anyc_wrap_file(fdopen(terminal, "r"), NULL, &file));
    ck_assert_int_eq(write(controller, "one\ntwo\4\4more\n", 15), 15); /* \4: control-D */
    ck_assert_ok(anyc_file_readlines(file, 0, &lines));
    ck_assert_uint_eq(lines.count, 2);
    ck_assert_str_eq((char *)lines.items[1].data, "two");
    anyc_free_file_lines(&lines);
    check_line(file, "more\n");
    ck_assert_ok(anyc_aclose(file));
    close(controller);
}

/* Files of /proc come in short reads, and have no size. */
ANYC_TEST(test_file_read__reads_what_has_no_size)
{
    anyc_file *file = file_open("/proc/self/smaps", "r");
    anyc_bytes bytes;
    struct stat status;

    ck_assert_ok(fstat(fileno(anyc_file_wrapped(file)), &status));
    ck_assert_int_eq(status.st_size, 0);
    ck_assert_ok(anyc_file_read(file, SIZE_MAX, &bytes));
    ck_assert_uint_gt(bytes.len, 8192);
    ck_assert_int_eq(((char *)bytes.data)[bytes.len - 1], '\n');
    anyc_bytes_deinit(&bytes);
    check_read(file, SIZE_MAX, "");
    ck_assert_ok(anyc_aclose(file));
}

/* -- a source that fails once, between two texts -- */

struct faltering {
    int reads;
    off64_t at;
    bool failed;
    bool seeks;
};

static ssize_t faltering_read(void *cookie, char *buf, size_t size)
{
    struct faltering *source = cookie;

    ck_assert_uint_ge(size, 3);
    source->reads++;
    if (source->at == 3 && !source->failed) {
        source->failed = true;
        errno = EIO;
        return -1;
    }
    if (source->at >= 6)
        return 0;
    memcpy(buf, source->at < 3 ? "abc" : "def", 3);
    source->at += 3;
    return 3;
}

static int faltering_seek(void *cookie, off64_t *offset, int whence)
{
    struct faltering *source = cookie;

    if (!source->seeks) {
        errno = ESPIPE;
        return -1;
    }
    ck_assert_int_ne(whence, SEEK_END);
    source->at = whence == SEEK_SET ? *offset : source->at + *offset;
    *offset = source->at;
    return 0;
}

static anyc_file *faltering_open(struct faltering *source, bool seeks)
{
    cookie_io_functions_t functions = {.read = faltering_read, .seek = faltering_seek};
    FILE *stream = fopencookie(source, "r", functions);
    anyc_file *file;

    *source = (struct faltering){.seeks = seeks};
    ck_assert_ptr_nonnull(stream);
    ck_assert_ok(anyc_wrap_file(stream, NULL, &file));
    return file;
}

ANYC_TEST(test_file_read__answers_what_came_before_a_failure_and_then_that)
{
    struct faltering source;
    anyc_file *file = faltering_open(&source, false);
    char buf[6];

    check_read(file, SIZE_MAX, "abc");
    ck_assert_int_eq(anyc_file_readinto(file, buf, sizeof buf), -EIO);
    ck_assert_int_eq(source.reads, 2);
    check_read(file, SIZE_MAX, "def");
    ck_assert_ok(anyc_aclose(file));
}

ANYC_TEST(test_file_read__gives_nothing_for_all_when_a_part_fails)
{
    struct faltering source;
    anyc_file *file = faltering_open(&source, true);
    anyc_bytes bytes;
    char buf[6];

    ck_assert_int_eq(anyc_file_read(file, SIZE_MAX, &bytes), -EIO);
    check_read(file, SIZE_MAX, "abcdef");
    ck_assert_ok(anyc_aclose(file));
    file = faltering_open(&source, true);
    ck_assert_int_eq(anyc_file_readinto(file, buf, sizeof buf), -EIO);
    check_read(file, SIZE_MAX, "abcdef");
    ck_assert_ok(anyc_aclose(file));
}
