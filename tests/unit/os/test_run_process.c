/* SPDX-License-Identifier: MIT */
/*
 * test_run_process.c - programs that are run to their end.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "child.h"
#include "support/steps.h"
#include "support/valgrind.h"

/* An unnamed file for reading and writing. */
static int temporary_file(void)
{
    char name[] = "/tmp/anyc-process-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    unlink(name);
    return fd;
}

static const char *content_of(int fd)
{
    static char text[4096];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    return text;
}

/* SP-001 (test_run_process), the argument vector. */
ANYC_TEST(test_run_process__sends_input_and_receives_output)
{
    const anyc_process_options options = {.input = "abc", .input_len = 3};
    anyc_completed_process completed = child_run(CHILD("reverse"), &options);

    ck_assert_int_eq(completed.returncode, 0);
    ck_assert_str_eq(completed.std_out, "cba\n");
    ck_assert_uint_eq(completed.std_out_len, 4);
    ck_assert_str_eq(completed.std_err, "");
    ck_assert_uint_eq(completed.std_err_len, 0);
    anyc_free_completed_process(&completed);
    ck_assert_ptr_null(completed.std_out);
    child_check_none();
}

ANYC_TEST(test_run_process__runs_without_any_environment)
{
    anyc_completed_process completed;

    ck_assert_int_eq(clearenv(), 0);
    completed = child_run(CHILD("reverse"), NULL);
    ck_assert_int_eq(completed.returncode, 0);
    anyc_free_completed_process(&completed);
}

/* SP-001, the shell string; OS-R002. */
ANYC_TEST(test_run_process__runs_a_line_by_the_shell)
{
    const char *const line[] = {"'" ANYC_TEST_CHILD "' reverse; echo \"$((1 + 1))\"", NULL};
    const anyc_process_options options = {.shell = true, .input = "abc", .input_len = 3};
    anyc_completed_process completed = child_run(line, &options);

    ck_assert_str_eq(completed.std_out, "cba\n2\n");
    anyc_free_completed_process(&completed);
}

/* OS-R002: the line is none of the shell's options. */
ANYC_TEST(test_run_process__runs_a_line_that_begins_with_a_dash)
{
    const char *const line[] = {"-e 2>/dev/null || echo no such command", NULL};

    ck_assert_str_eq(child_says(line, &(anyc_process_options){.shell = true}), "no such command\n");
}

/* OS-R002: what the shell would make something of stays as it is. */
ANYC_TEST(test_run_process__leaves_arguments_alone)
{
    const char *const echo[] = {"printf", "%s,", "$HOME", "*", "a b", ";", "", NULL};

    ck_assert_str_eq(child_says(echo, NULL), "$HOME,*,a b,;,,");
}

/* SP-002 (test_run_process_checked). */
ANYC_TEST(test_run_process__checks_the_exit_code)
{
    anyc_completed_process completed;

    ck_assert_int_eq(anyc_run_process(CHILD("both", "1"), NULL, &completed), ANYC_EPROCESS);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, ANYC_TEST_CHILD));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "exit code 1"));
    ck_assert_int_eq(completed.returncode, 1);
    ck_assert_str_eq(completed.std_out, "stdout-text\n");
    ck_assert_str_eq(completed.std_err, "stderr-text\n");
    anyc_free_completed_process(&completed);
}

ANYC_TEST(test_run_process__names_the_signal_that_killed_it)
{
    anyc_completed_process completed;

    ck_assert_int_eq(anyc_run_process(CHILD("raise", "9"), NULL, &completed), ANYC_EPROCESS);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "signal 9 (Killed)"));
    ck_assert_int_eq(completed.returncode, -SIGKILL);
    anyc_free_completed_process(&completed);
}

ANYC_TEST(test_run_process__may_leave_the_exit_code_to_the_caller)
{
    anyc_completed_process completed =
        child_run(CHILD("exit", "7"), &(anyc_process_options){.no_check = true});

    ck_assert_int_eq(completed.returncode, 7);
    anyc_free_completed_process(&completed);
}

ANYC_TEST(test_run_process__needs_no_place_for_the_result)
{
    ck_assert_int_eq(anyc_run_process(CHILD("bytes", "100000"), NULL, NULL), 0);
    ck_assert_int_eq(anyc_run_process(CHILD("exit", "1"), NULL, NULL), ANYC_EPROCESS);
}

/* SP-005 (test_process_cwd). */
ANYC_TEST(test_run_process__runs_in_another_directory)
{
    char directory[] = "/tmp/anyc-process-XXXXXX";
    const anyc_process_options options = {.cwd = directory};
    const char *places;

    ck_assert_ptr_nonnull(mkdtemp(directory));
    places = child_says(CHILD("places"), &options);
    ck_assert_int_eq(strncmp(places, directory, strlen(directory)), 0);
    ck_assert_int_eq(places[strlen(directory)], ' ');
    ck_assert_int_eq(rmdir(directory), 0);
}

/* The second number of "places". */
static int session_of(const anyc_process_options *options)
{
    const char *places = child_says(CHILD("places"), options);

    return atoi(strchr(places, ' '));
}

/* SP-006 (test_process_new_session_sid). */
ANYC_TEST(test_run_process__may_have_a_session_of_its_own)
{
    const anyc_process_options options = {.start_new_session = true};

    ck_assert_int_eq(session_of(NULL), getsid(0));
    ck_assert_int_ne(session_of(&options), getsid(0));
}

/* SP-008 (test_stdin_input_both_passed): nothing is started. */
ANYC_TEST(test_run_process__refuses_input_and_a_file)
{
    const anyc_process_options file = {
        .input = "abc", .input_len = 3, .std_in = ANYC_STDIO_FD, .std_in_fd = 0};
    const anyc_process_options nowhere = {.input_len = 3};
    const char *const touch[] = {"touch", "/tmp/anyc-process-must-not-be", NULL};

    ck_assert_int_eq(anyc_run_process(touch, &file, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_run_process(touch, &nowhere, NULL), ANYC_EINVAL);
    ck_assert_int_lt(access(touch[1], F_OK), 0);
    child_check_none();
}

/* SP-009 (test_run_process_inherit_stdout). */
ANYC_TEST(test_run_process__inherits_standard_output_and_error)
{
    const anyc_process_options options = {.std_out = ANYC_STDIO_INHERIT,
                                          .std_err = ANYC_STDIO_INHERIT};
    int files[] = {temporary_file(), temporary_file()};
    int kept[] = {fcntl(1, F_DUPFD_CLOEXEC, 3), fcntl(2, F_DUPFD_CLOEXEC, 3)};
    anyc_completed_process completed;

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(dup2(files[i], i + 1), i + 1);
    completed = child_run(CHILD("both", "0"), &options);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(dup2(kept[i], i + 1), i + 1);
        close(kept[i]);
    }
    ck_assert_ptr_null(completed.std_out);
    ck_assert_ptr_null(completed.std_err);
    anyc_free_completed_process(&completed);
    ck_assert_str_eq(content_of(files[0]), "stdout-text\n");
    ck_assert_str_eq(content_of(files[1]), "stderr-text\n");
    close(files[0]);
    close(files[1]);
}

/* SP-013 (test_user_group_arguments); as any user. */
ANYC_TEST(test_run_process__takes_its_own_user_and_group)
{
    char user[16];
    char group[16];
    const char *const hello[] = {"echo", "hello", NULL};

    (void)snprintf(user, sizeof user, "%u", getuid());
    (void)snprintf(group, sizeof group, "%u", getgid());
    ck_assert_str_eq(child_says(hello, &(anyc_process_options){.user = user}), "hello\n");
    ck_assert_str_eq(child_says(hello, &(anyc_process_options){.group = group}), "hello\n");
    ck_assert_str_eq(child_says(hello, &(anyc_process_options){.set_umask = true}), "hello\n");
}

/* OS-R001: an empty input is the end of input at once; without one, standard input is inherited. */
ANYC_TEST(test_run_process__tells_no_input_from_an_empty_one)
{
    int file = temporary_file();
    int kept = fcntl(0, F_DUPFD_CLOEXEC, 3);

    ck_assert_int_eq(pwrite(file, "inherited", 9, 0), 9);
    ck_assert_int_eq(dup2(file, 0), 0);
    ck_assert_str_eq(child_says(CHILD("cat"), &(anyc_process_options){.input = ""}), "");
    ck_assert_int_eq(lseek(file, 0, SEEK_SET), 0);
    ck_assert_str_eq(child_says(CHILD("cat"), NULL), "inherited");
    ck_assert_int_eq(dup2(kept, 0), 0);
    close(kept);
    close(file);
}

/* OS-R004: output and errors are received while the input is sent, each larger than any pipe. */
ANYC_TEST(test_run_process__moves_everything_at_once)
{
    static char input[1000000];
    const anyc_process_options options = {.input = input, .input_len = sizeof input};
    anyc_completed_process completed;

    memset(input, 'i', sizeof input);
    completed = child_run(CHILD("cat"), &options);
    ck_assert_uint_eq(completed.std_out_len, sizeof input);
    ck_assert_mem_eq(completed.std_out, input, sizeof input);
    anyc_free_completed_process(&completed);
    completed = child_run(CHILD("bytes", "1000000"), NULL);
    ck_assert_uint_eq(completed.std_out_len, 1000000);
    ck_assert_uint_eq(completed.std_err_len, 1000000);
    ck_assert_int_eq(completed.std_err[1000000], '\0');
    anyc_free_completed_process(&completed);
}

/* OS-R004: a child that ends without reading its input is no failure. */
ANYC_TEST(test_run_process__does_not_mind_input_that_nobody_reads)
{
    static char input[1000000];
    const anyc_process_options options = {.input = input, .input_len = sizeof input};

    ck_assert_int_eq(anyc_run_process(CHILD("exit", "0"), &options, NULL), 0);
    ck_assert_int_eq(anyc_run_process(CHILD("both", "3"), &options, NULL), ANYC_EPROCESS);
}

/* Its own child may hold on to the input for ever: the call ends with the program and its output. */
ANYC_TEST(test_run_process__does_not_wait_for_who_keeps_the_input)
{
    static char input[1000000];
    const anyc_process_options options = {.input = input, .input_len = sizeof input};
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_fail_after(&scope, 10.0, false));
    ck_assert_int_eq(anyc_run_process(CHILD("keep_input"), &options, NULL), 0);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
}

/* 100 MiB each way and at the same time. */
ANYC_TEST_WITH(test_run_process__moves_100_mib, .timeout = 120)
{
    const size_t size = (size_t)100 * 1024 * 1024;
    char *input = malloc(size);
    const anyc_process_options options = {.input = input, .input_len = size};
    anyc_completed_process completed;

    skip_on_valgrind("it looks at every byte, again and again");
    ck_assert_ptr_nonnull(input);
    for (size_t i = 0; i < size; i++)
        input[i] = (char)(i * 7 + (i >> 13));
    completed = child_run(CHILD("cat"), &options);
    ck_assert_uint_eq(completed.std_out_len, size);
    ck_assert_int_eq(memcmp(completed.std_out, input, size), 0);
    anyc_free_completed_process(&completed);
    free(input);
}

ANYC_TEST(test_run_process__leads_errors_to_standard_output)
{
    const anyc_process_options options = {.std_err = ANYC_STDIO_STDOUT};
    anyc_completed_process completed = child_run(CHILD("both", "0"), &options);

    ck_assert_str_eq(completed.std_out, "stdout-text\nstderr-text\n");
    ck_assert_ptr_null(completed.std_err);
    anyc_free_completed_process(&completed);
}

ANYC_TEST(test_run_process__has_nothing_of_the_null_device)
{
    const anyc_process_options options = {.std_in = ANYC_STDIO_DEVNULL,
                                          .std_out = ANYC_STDIO_DEVNULL};
    anyc_completed_process completed = child_run(CHILD("both", "0"), &options);

    ck_assert_ptr_null(completed.std_out);
    ck_assert_str_eq(completed.std_err, "stderr-text\n");
    anyc_free_completed_process(&completed);
    ck_assert_str_eq(
        child_says(CHILD("cat"), &(anyc_process_options){.std_in = ANYC_STDIO_DEVNULL}), "");
}

/* At the limit is well, one byte more is not; what was within it is there. */
ANYC_TEST(test_run_process__limits_the_output)
{
    anyc_completed_process completed =
        child_run(CHILD("bytes", "5000"), &(anyc_process_options){.max_output_bytes = 5000});

    ck_assert_uint_eq(completed.std_out_len, 5000);
    ck_assert_uint_eq(completed.std_err_len, 5000);
    anyc_free_completed_process(&completed);
    ck_assert_int_eq(anyc_run_process(CHILD("bytes", "5000"),
                                      &(anyc_process_options){.max_output_bytes = 4999},
                                      &completed),
                     -ENOBUFS);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "more than 4999 bytes"));
    ck_assert_uint_eq(completed.std_out_len, 4999);
    ck_assert_int_eq(completed.std_out[4999], '\0');
    anyc_free_completed_process(&completed);
    child_check_none();
}

/* One that never ends is killed at the limit. */
ANYC_TEST(test_run_process__kills_at_the_limit)
{
    const char *const yes[] = {"yes", NULL};
    const anyc_process_options options = {.max_output_bytes = 1};
    anyc_completed_process completed;

    ck_assert_int_eq(anyc_run_process(yes, &options, &completed), -ENOBUFS);
    ck_assert_str_eq(completed.std_out, "y");
    ck_assert_int_lt(completed.returncode, 0);
    anyc_free_completed_process(&completed);
    child_check_none();
}

static int run_and_note(void *arg)
{
    int *rc = arg;
    anyc_completed_process completed;

    *rc = anyc_run_process(CHILD("wait", "ignore"), NULL, &completed);
    ck_assert_ptr_null(completed.std_out);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    return *rc;
}

/* OS-R023: it is killed and reaped, and then the cancellation goes on. */
ANYC_TEST(test_run_process__is_killed_by_a_cancellation)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, run_and_note, &rc, NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    child_check_none();
}

struct turns {
    int count;
    bool over;
};

static int run_with_much_input(void *arg)
{
    static char input[300000];
    const anyc_process_options options = {.input = input, .input_len = sizeof input};
    anyc_completed_process completed;
    struct turns *turns = arg;
    int rc = anyc_run_process(CHILD("cat"), &options, &completed);

    turns->over = true;
    if (rc == 0)
        ck_assert_uint_eq(completed.std_out_len, sizeof input);
    else
        ck_assert_int_eq(rc, ANYC_ECANCELLED);
    anyc_free_completed_process(&completed);
    child_check_none();
    return rc;
}

/* OS-R023: wherever it is; the harness looks for descriptors that are left. */
ANYC_TEST_WITH(test_run_process__may_be_cancelled_after_any_number_of_turns, .timeout = 60)
{
    bool over = false;

    for (int count = 0; !over; count += 1 + count / 16) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        struct turns turns = {.count = count};

        ck_assert_ok(anyc_task_group_enter(&group));
        ck_assert_ok(anyc_task_group_start_soon(&group, run_with_much_input, &turns, NULL));
        for (int i = 0; i < count && !turns.over; i++)
            ck_assert_ok(anyc_checkpoint());
        over = turns.over;
        anyc_task_group_cancel(&group, NULL);
        ck_assert_ok(anyc_task_group_exit(&group, 0));
    }
}

ANYC_TEST(test_run_process__starts_nothing_when_cancelled)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_run_process(CHILD("exit", "0"), NULL, NULL), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    child_check_none();
}

ANYC_TEST_PLAIN(test_run_process__needs_a_task)
{
    anyc_completed_process completed = {.returncode = 7};

    ck_assert_int_eq(anyc_run_process(CHILD("exit", "0"), NULL, &completed), ANYC_ENOLOOP);
    ck_assert_int_eq(completed.returncode, 0);
    anyc_free_completed_process(&completed);
}

ANYC_TEST(test_run_process__says_what_cannot_be_run)
{
    const char *const missing[] = {"/nowhere/program", NULL};

    ck_assert_int_eq(anyc_run_process(missing, NULL, NULL), -ENOENT);
    ck_assert_str_eq(anyc_last_error()->message,
                     "exec /nowhere/program: No such file or directory");
    ck_assert_int_eq(anyc_last_error()->os_error, ENOENT);
}
