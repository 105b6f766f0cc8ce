/* SPDX-License-Identifier: MIT */
/*
 * test_supervisor.c - examples/supervisor.c.
 */
#include <check.h>

#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "examples/program.h"

/* A supervisor and its list of programs. */
struct supervised {
    struct program program;
    char config[32];
};

static struct program_result result;

static void list_write(const struct supervised *supervised, const char *text)
{
    int fd = open(supervised->config, O_WRONLY | O_TRUNC | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* Start one with short pauses. */
static struct supervised supervise(const char *grace, const char *list)
{
    struct supervised supervised = {.config = "/tmp/anyc-supervisor-XXXXXX"};
    int fd = mkostemp(supervised.config, O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    close(fd);
    list_write(&supervised, list);
    program_start(&supervised.program, "supervisor", "--grace", grace, "--pause", "0.01",
                  "--longest-pause", "0.04", supervised.config, NULL);
    return supervised;
}

/* ThreadSanitizer keeps a signal that comes while a task runs until that task runs again; so there the
 * supervisor gets time to fall asleep. */
static void say(struct supervised *supervised, int signum)
{
#if defined(__SANITIZE_THREAD__)
    usleep(100000);
#endif
    ck_assert_int_eq(kill(supervised->program.pid, signum), 0);
}

static void await_error(struct supervised *supervised, const char *text)
{
    program_await(supervised->program.err, text);
}

/* Read what it says until each of these was said, in any order; the last one is NULL. */
static const char *await_all(struct supervised *supervised, const char *const *texts)
{
    static char said[32768];
    size_t len = 0;

    said[0] = '\0';
    while (*texts != NULL) {
        if (strstr(said, *texts) != NULL) {
            texts++;
            continue;
        }
        program_line(supervised->program.err, said + len, sizeof said - len);
        len += strlen(said + len);
    }
    return said;
}

/* It has ended well. */
static void check_end(struct supervised *supervised)
{
    program_wait(&supervised->program, &result);
    ck_assert_int_eq(result.code, 0);
    unlink(supervised->config);
}

/* The process of a program that is about to be started. */
static pid_t started(struct supervised *supervised, const char *name)
{
    char wanted[64];
    char line[4096] = "";

    (void)snprintf(wanted, sizeof wanted, "supervisor: %s: started, process ", name);
    while (strncmp(line, wanted, strlen(wanted)) != 0)
        program_line(supervised->program.err, line, sizeof line);
    return atoi(line + strlen(wanted));
}

static void check_gone(pid_t pid)
{
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(kill(pid, 0), -1);
    ck_assert_int_eq(errno, ESRCH);
}

ANYC_TEST_PLAIN(test_supervisor__names_each_line)
{
    struct supervised supervised = supervise(
        "5",
        "# two words and a comment\n"
        "talker sh -c 'echo one; echo \"two  words\"; printf three; echo so >&2; exec sleep 60'\n"
        "\n"
        "scolder sh -c \"echo oh >&2; exec sleep 60\" # ends\n");
    char line[64];

    program_line(supervised.program.out, line, sizeof line);
    ck_assert_str_eq(line, "talker | one\n");
    program_line(supervised.program.out, line, sizeof line);
    ck_assert_str_eq(line, "talker | two  words\n");
    (void)await_all(&supervised, (const char *const[]){"scolder | oh\n", "talker | so\n", NULL});
    say(&supervised, SIGTERM);
    check_end(&supervised);
    ck_assert_str_eq(result.out, "talker | three\n"); /* a last line without an end */
}

ANYC_TEST_PLAIN(test_supervisor__cuts_long_lines)
{
    struct supervised supervised =
        supervise("5", "long sh -c 'printf %05000d 7; echo; exec sleep 60'\n");
    char line[8192];

    program_line(supervised.program.out, line, sizeof line);
    ck_assert_uint_eq(strlen(line), strlen("long | ") + 4096 + 1);
    program_line(supervised.program.out, line, sizeof line);
    ck_assert_uint_eq(strlen(line), strlen("long | ") + 5000 - 4096 + 1);
    say(&supervised, SIGINT);
    check_end(&supervised);
}

/* One that dies at once for ever: after pauses that double up to the longest. */
ANYC_TEST_PLAIN(test_supervisor__starts_again_after_growing_pauses)
{
    struct supervised supervised = supervise("5", "mortal sh -c 'exit 3'\n");

    await_error(&supervised, "mortal: ended with exit code 3");
    await_error(&supervised, "mortal: starts again in 0.01 s");
    await_error(&supervised, "mortal: starts again in 0.02 s");
    await_error(&supervised, "mortal: starts again in 0.04 s");
    await_error(&supervised, "mortal: starts again in 0.04 s");
    say(&supervised, SIGTERM);
    check_end(&supervised);
}

/* One that ran for as long as the longest pause begins anew. */
ANYC_TEST_PLAIN(test_supervisor__forgives_who_ran_for_a_while)
{
    struct supervised supervised = supervise("5", "steady sh -c 'sleep 0.08; kill -9 $$'\n");

    for (int i = 0; i < 3; i++) {
        await_error(&supervised, "steady: was killed by signal 9");
        await_error(&supervised, "steady: starts again in 0.01 s");
    }
    say(&supervised, SIGTERM);
    check_end(&supervised);
}

ANYC_TEST_PLAIN(test_supervisor__goes_on_trying_what_cannot_be_executed)
{
    struct supervised supervised =
        supervise("5", "nothing /nowhere/program\nother sh -c 'echo up; exec sleep 60'\n");

    program_await(supervised.program.out, "other | up");
    for (int i = 0; i < 3; i++)
        await_error(&supervised, "nothing: cannot be started: exec /nowhere/program: No such file");
    say(&supervised, SIGTERM);
    check_end(&supervised);
}

ANYC_TEST_PLAIN(test_supervisor__kills_what_ignores_its_request)
{
    struct supervised supervised =
        supervise("0.1", "deaf sh -c \"trap '' TERM; echo up; while :; do sleep 0.05; done\"\n");
    pid_t pid = started(&supervised, "deaf");

    program_await(supervised.program.out, "deaf | up");
    say(&supervised, SIGTERM);
    await_error(&supervised, "deaf: was killed by signal 9");
    check_end(&supervised);
    check_gone(pid);
}

/* What a program writes when it is asked to end is not lost. */
ANYC_TEST_PLAIN(test_supervisor__lets_programs_end_in_peace)
{
    struct supervised supervised = supervise(
        "10",
        "polite sh -c \"trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done\"\n");

    program_await(supervised.program.out, "polite | up");
    say(&supervised, SIGTERM);
    program_await(supervised.program.out, "polite | bye");
    await_error(&supervised, "polite: ended with exit code 0");
    check_end(&supervised);
}

ANYC_TEST_PLAIN(test_supervisor__is_in_a_hurry_by_a_second_signal)
{
    struct supervised supervised =
        supervise("1000", "deaf sh -c \"trap '' TERM; echo up; while :; do sleep 0.05; done\"\n");
    pid_t pid = started(&supervised, "deaf");

    program_await(supervised.program.out, "deaf | up");
    say(&supervised, SIGTERM);
    await_error(&supervised, "Terminated");
    say(&supervised, SIGINT);
    check_end(&supervised);
    check_gone(pid);
}

/* Unchanged programs run on; others stop, start, or become what they are now. */
ANYC_TEST_PLAIN(test_supervisor__reads_its_list_again)
{
    struct supervised supervised = supervise("5", "same sh -c 'echo same; exec sleep 60'\n");
    pid_t same = started(&supervised, "same");

    list_write(&supervised, "same sh -c 'echo same; exec sleep 60'\nother sleep 61\ngone sleep 62");
    say(&supervised, SIGHUP);
    (void)await_all(&supervised, (const char *const[]){"gone: started", "other: started", NULL});
    list_write(&supervised, "other sleep 63\nsame sh -c 'echo same; exec sleep 60'\n");
    say(&supervised, SIGHUP);
    (void)await_all(&supervised, (const char *const[]){"gone: was killed by signal 15",
                                                       "other: was killed by signal 15",
                                                       "other: started", NULL});
    ck_assert_int_eq(kill(same, 0), 0);
    say(&supervised, SIGTERM);
    check_end(&supervised);
    ck_assert_str_eq(result.out, "same | same\n"); /* once */
    ck_assert_ptr_null(strstr(result.err, "gone"));
    check_gone(same);
}

ANYC_TEST_PLAIN(test_supervisor__keeps_its_list_if_the_new_one_is_wrong)
{
    struct supervised supervised = supervise("5", "one sleep 60\n");
    pid_t pid = started(&supervised, "one");

    list_write(&supervised, "two sleep 60\ntwo sleep 61\n");
    say(&supervised, SIGHUP);
    await_error(&supervised, ":2: not a new name and a command");
    list_write(&supervised, "two\n");
    say(&supervised, SIGHUP);
    await_error(&supervised, ":1: not a new name and a command");
    list_write(&supervised, "two 'sleep 60\n");
    say(&supervised, SIGHUP);
    await_error(&supervised, ":1: not a new name and a command");
    ck_assert_int_eq(kill(pid, 0), 0);
    say(&supervised, SIGTERM);
    check_end(&supervised);
}

/* Everything is taken off the list, and put on again. */
ANYC_TEST_PLAIN(test_supervisor__waits_with_an_empty_list)
{
    struct supervised supervised = supervise("5", "one sleep 60\n");

    (void)started(&supervised, "one");
    list_write(&supervised, "");
    say(&supervised, SIGHUP);
    await_error(&supervised, "one: was killed by signal 15");
    list_write(&supervised, "one sleep 60\n");
    say(&supervised, SIGHUP);
    (void)started(&supervised, "one");
    list_write(&supervised, "# none\n");
    say(&supervised, SIGHUP);
    await_error(&supervised, "one: was killed by signal 15");
    say(&supervised, SIGTERM);
    check_end(&supervised);
}

/* A program's own child keeps its pipes: that does not keep it from being started again. */
ANYC_TEST_PLAIN(test_supervisor__does_not_wait_for_grandchildren)
{
    struct supervised supervised = supervise("5", "parent sh -c 'sleep 4 & echo up'\n");

    for (int i = 0; i < 2; i++)
        program_await(supervised.program.out, "parent | up");
    say(&supervised, SIGTERM);
    check_end(&supervised);
}

ANYC_TEST_PLAIN(test_supervisor__runs_a_hundred_programs)
{
    struct supervised supervised = supervise("5", "first sleep 60\n");
    static char list[100 * 64];
    pid_t pids[100];

    (void)started(&supervised, "first"); /* so it heeds signals */
    for (int i = 0; i < 100; i++)
        (void)snprintf(list + strlen(list), 64, "p%d sh -c 'echo up; exec sleep 60'\n", i);
    list_write(&supervised, list);
    say(&supervised, SIGHUP);
    for (int i = 0; i < 100; i++) {
        char line[64];

        program_line(supervised.program.out, line, sizeof line);
        ck_assert_ptr_nonnull(strstr(line, " | up\n"));
    }
    for (int i = 0; i < 100; i++) {
        char line[256];

        do
            program_line(supervised.program.err, line, sizeof line);
        while (sscanf(line, "supervisor: p%*d: started, process %d", &pids[i]) != 1);
    }
    say(&supervised, SIGTERM);
    check_end(&supervised);
    for (int i = 0; i < 100; i++)
        check_gone(pids[i]);
}

ANYC_TEST_PLAIN(test_supervisor__refuses_what_it_cannot_read)
{
    struct program program;

    program_start(&program, "supervisor", "/nowhere/list", NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "/nowhere/list: No such file"));
    program_start(&program, "supervisor", NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 2);
}
