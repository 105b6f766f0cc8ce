/* SPDX-License-Identifier: MIT */
/*
 * test_parallel.c - examples/parallel.c.
 */
#include <check.h>

#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "examples/program.h"

static struct program_result result;

/* Run it with what is on standard input. */
static void run(const char *input, const char *jobs, const char *first, const char *second)
{
    struct program program;

    program_start(&program, "parallel", "-j", jobs, first, second, NULL);
    program_feed(&program, input);
    program_wait(&program, &result);
}

ANYC_TEST_PLAIN(test_parallel__keeps_the_output_of_each_together)
{
    run("", "2", "for i in 1 2 3; do echo a; sleep 0.02; done",
        "for i in 1 2 3; do echo b; sleep 0.02; done");
    ck_assert_int_eq(result.code, 0);
    ck_assert_uint_eq(strlen(result.out), 12);
    ck_assert_ptr_nonnull(strstr(result.out, "a\na\na\n"));
    ck_assert_ptr_nonnull(strstr(result.out, "b\nb\nb\n"));
    ck_assert_str_eq(result.err, ""); /* it is no terminal, and all is well */
}

ANYC_TEST_PLAIN(test_parallel__runs_one_after_the_other)
{
    run("", "1", "sleep 0.05; echo first", "echo second");
    ck_assert_str_eq(result.out, "first\nsecond\n");
}

/* Each waits for the other. */
ANYC_TEST_PLAIN(test_parallel__runs_several_at_once)
{
    char directory[] = "/tmp/anyc-parallel-XXXXXX";
    char one[256];
    char other[256];

    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(one, sizeof one, "cd %s && touch 1 && until [ -e 2 ]; do sleep 0.01; done",
                   directory);
    (void)snprintf(other, sizeof other, "cd %s && touch 2 && until [ -e 1 ]; do sleep 0.01; done",
                   directory);
    run("", "2", one, other);
    ck_assert_int_eq(result.code, 0);
    (void)snprintf(one, sizeof one, "rm -r %s", directory);
    run("", "1", one, NULL);
    ck_assert_int_eq(result.code, 0);
}

ANYC_TEST_PLAIN(test_parallel__takes_commands_from_lines)
{
    char input[20000];
    size_t len;

    (void)snprintf(input, sizeof input, "echo one\n\necho '%09000d'\necho last", 7);
    run(input, "1", NULL, NULL);
    ck_assert_int_eq(result.code, 0);
    len = strlen(result.out);
    ck_assert_uint_eq(len, 4 + 9001 + 5);
    ck_assert_int_eq(strncmp(result.out, "one\n000", 7), 0);
    ck_assert_str_eq(result.out + len - 7, "7\nlast\n");
    run("", "1", NULL, NULL);
    ck_assert_int_eq(result.code, 0);
}

/* A command runs as soon as its line is there. */
ANYC_TEST_PLAIN(test_parallel__does_not_wait_for_the_last_line)
{
    struct program program;
    char line[64];

    program_start(&program, "parallel", NULL);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(write(program.in, "echo here\n", 10), 10);
        program_line(program.out, line, sizeof line);
        ck_assert_str_eq(line, "here\n");
    }
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 0);
}

ANYC_TEST_PLAIN(test_parallel__says_what_failed)
{
    run("", "2", "echo well; exit 3", "kill -9 $$");
    ck_assert_int_eq(result.code, 1);
    ck_assert_str_eq(result.out, "well\n");
    ck_assert_ptr_nonnull(strstr(result.err, "\"echo well; exit 3\" ended with exit code 3"));
    ck_assert_ptr_nonnull(strstr(result.err, "\"kill -9 $$\" was killed by signal 9"));
    ck_assert_ptr_nonnull(strstr(result.err, "2 of 2 commands failed"));
}

ANYC_TEST_PLAIN(test_parallel__refuses_a_wrong_command_line)
{
    run("", "0", NULL, NULL);
    ck_assert_int_eq(result.code, 2);
    run("", "many", NULL, NULL);
    ck_assert_int_eq(result.code, 2);
}

/* The running commands are killed. */
ANYC_TEST_PLAIN(test_parallel__is_ended_by_a_signal)
{
    char path[] = "/tmp/anyc-parallel-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    struct program program;
    char command[128];
    char pid[16] = "";

    ck_assert_int_ge(fd, 0);
    (void)snprintf(command, sizeof command, "echo $$ > %s; exec sleep 60", path);
    program_start(&program, "parallel", command, NULL);
    while (pread(fd, pid, sizeof pid - 1, 0) < 2 || strchr(pid, '\n') == NULL)
        usleep(1000); /* it runs in another process, which nothing here can wait for */
    ck_assert_int_eq(kill(program.pid, SIGTERM), 0);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 128 + SIGTERM);
    ck_assert_int_eq(kill(atoi(pid), 0), -1);
    ck_assert_int_eq(errno, ESRCH);
    close(fd);
    unlink(path);
}

/* Below everything else there is a line that says how far it is. */
ANYC_TEST_PLAIN(test_parallel__shows_progress_on_a_terminal)
{
    struct program program;

    program_start_on_terminal(&program, "parallel", "-j", "1", "exit 1", "echo said >&2", NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "0 done, 1 running, 1 to come"));
    ck_assert_ptr_nonnull(strstr(result.err, "1 done, 1 running, 0 to come, 1 failed"));
    ck_assert_ptr_nonnull(strstr(result.err, "\r\033[Ksaid\r\n")); /* the line gives way */
    ck_assert_ptr_nonnull(strstr(result.err, "\r\033[Kparallel: 1 of 2 commands failed"));
}
