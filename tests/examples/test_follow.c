/* SPDX-License-Identifier: MIT */
/*
 * test_follow.c - examples/follow.c.
 */
#include <check.h>

#include <anyc/testing.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/program.h"

struct followed {
    char path[40];
    int fd;
};

static struct followed followed_make(const char *text)
{
    struct followed file = {"/tmp/anyc-follow-XXXXXX", -1};

    file.fd = mkostemp(file.path, O_CLOEXEC | O_APPEND);
    ck_assert_int_ge(file.fd, 0);
    ck_assert_int_eq(write(file.fd, text, strlen(text)), (ssize_t)strlen(text));
    return file;
}

static void followed_add(const struct followed *file, const char *text)
{
    ck_assert_int_eq(write(file->fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void followed_end(const struct followed *file)
{
    close(file->fd);
    ck_assert_int_eq(unlink(file->path), 0);
}

/* The program prints this line of the file. */
static void followed_check(const struct program *program, const struct followed *file,
                           const char *text)
{
    char expected[128];
    char line[128];

    (void)snprintf(expected, sizeof expected, "%s: %s", file->path, text);
    program_line(program->out, line, sizeof line);
    ck_assert_str_eq(line, expected);
}

ANYC_TEST_PLAIN(test_follow__prints_lines_as_they_come)
{
    struct followed one = followed_make("first\n");
    struct followed two = followed_make("");
    struct program program;

    program_start(&program, "follow", one.path, two.path, NULL);
    followed_check(&program, &one, "first\n");
    followed_add(&two, "hello\n");
    followed_check(&program, &two, "hello\n");
    followed_add(&one, "sec");
    followed_add(&one, "ond\n");
    followed_check(&program, &one, "second\n");
    program_stop(&program);
    followed_end(&one);
    followed_end(&two);
}

ANYC_TEST_PLAIN(test_follow__begins_anew_when_the_file_is_cut)
{
    struct followed file = followed_make("first\n");
    struct program program;

    program_start(&program, "follow", file.path, NULL);
    followed_check(&program, &file, "first\n");
    ck_assert_int_eq(ftruncate(file.fd, 0), 0);
    program_await(program.out, "has become shorter");
    followed_add(&file, "new\n");
    followed_check(&program, &file, "new\n");
    program_stop(&program);
    followed_end(&file);
}

ANYC_TEST_PLAIN(test_follow__tells_what_it_cannot_open)
{
    static struct program_result result;
    struct program program;

    program_start(&program, "follow", "/no/such/file", NULL);
    program_wait(&program, &result);
    ck_assert_ptr_nonnull(strstr(result.err, "/no/such/file"));
    ck_assert_int_eq(result.code, 1);
}
