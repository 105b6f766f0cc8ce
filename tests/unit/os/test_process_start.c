/* SPDX-License-Identifier: MIT */
/*
 * test_process_start.c - how a program is started: what it finds, what it must not find, and what is
 * said when it cannot be started.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "child.h"
#include "os/process_plan.h"
#include "support/limit_fds.h"
#include "support/steps.h"
#include "support/valgrind.h"

/* -- stand-ins for two functions of the C library -- */

static int clone_error;             /* errno by which clone fails; 0: it is the system's */
static bool no_close_range;         /* as before Linux 5.9 */
static bool no_list_of_descriptors; /* as without /proc */

int stand_in_clone(int (*fn)(void *), void *stack, int flags, void *arg, ...) __asm__("__clone");

int stand_in_clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
    int (*real)(int (*)(void *), void *, int, void *, ...) =
        (int (*)(int (*)(void *), void *, int, void *, ...))(uintptr_t)dlsym(RTLD_NEXT, "__clone");
    va_list more;
    void *pidfd;

    if (clone_error != 0) {
        errno = clone_error;
        return -1;
    }
    va_start(more, arg);
    pidfd = va_arg(more, void *);
    va_end(more);
    return real(fn, stack, flags, arg, pidfd);
}

static bool refuses(long number)
{
    return (no_close_range && number == SYS_close_range) ||
           (no_list_of_descriptors && number == SYS_getdents64);
}

static long (*real_syscall)(long number, ...);

/* Called by new processes as well, which may not look for it. */
__attribute__((constructor)) static void find_real_syscall(void)
{
    real_syscall = (long (*)(long, ...))(uintptr_t)dlsym(RTLD_NEXT, "syscall");
}

long stand_in_syscall(long number, ...) __asm__("syscall");

long stand_in_syscall(long number, ...)
{
    long words[6];
    va_list more;

    if (refuses(number)) {
        errno = ENOSYS;
        return -1;
    }
    va_start(more, number);
    for (int i = 0; i < 6; i++)
        words[i] = va_arg(more, long);
    va_end(more);
    return real_syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

/* -- what cannot be started -- */

/* Opening fails with this code and message, and leaves nothing. */
static void check_refused(const char *const *argv, const anyc_process_options *options, int code,
                          const char *message)
{
    anyc_process *process = NULL;

    ck_assert_int_eq(anyc_open_process(argv, options, &process), code);
    ck_assert_str_eq(anyc_last_error()->message, message);
    ck_assert_ptr_null(process);
    child_check_none();
}

/* OS-R003. */
ANYC_TEST(test_process_start__says_that_there_is_no_program)
{
    const char *const by_path[] = {"/nowhere/program", NULL};
    const char *const by_name[] = {"anyc-no-such-program", NULL};
    const char *const empty[] = {"", NULL};
    const char *const line[] = {"true", NULL};
    const anyc_process_options no_path = {.env = (const char *const[]){"PATH=/nowhere:", NULL}};

    check_refused(by_path, NULL, -ENOENT, "exec /nowhere/program: No such file or directory");
    check_refused(by_name, NULL, -ENOENT, "exec anyc-no-such-program: No such file or directory");
    check_refused(empty, NULL, -ENOENT, "exec : No such file or directory");
    check_refused(line, &no_path, -ENOENT, "exec true: No such file or directory");
}

struct script {
    char directory[32];
    char path[64];
};

/* A file with this content, in a directory of its own. */
static struct script script_make(const char *content, mode_t mode)
{
    struct script script = {.directory = "/tmp/anyc-process-XXXXXX"};
    int fd;

    ck_assert_ptr_nonnull(mkdtemp(script.directory));
    (void)snprintf(script.path, sizeof script.path, "%s/script", script.directory);
    fd = open(script.path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
    return script;
}

static void script_remove(const struct script *script)
{
    ck_assert_int_eq(unlink(script->path), 0);
    ck_assert_int_eq(rmdir(script->directory), 0);
}

static void check_script_refused(const char *content, mode_t mode, int code, const char *reason)
{
    struct script script = script_make(content, mode);
    const char *const argv[] = {script.path, NULL};
    char message[256];

    (void)snprintf(message, sizeof message, "exec %s: %s", script.path, reason);
    check_refused(argv, NULL, code, message);
    script_remove(&script);
}

/* OS-R003. */
ANYC_TEST(test_process_start__says_why_a_file_is_no_program)
{
    skip_on_valgrind("an execve(2) that fails late ends the process there");
    check_script_refused("#!/bin/sh\n", 0600, -EACCES, "Permission denied");
    check_script_refused("true\n", 0700, -ENOEXEC, "Exec format error");
    check_script_refused("#!/nowhere/interpreter\n", 0700, -ENOENT,
                         "it is there, but not the interpreter it names");
}

/* OS-R003: a file that may not be executed is passed over, and remembered if nothing else is found. */
ANYC_TEST(test_process_start__looks_along_the_path)
{
    struct script locked = script_make("#!/bin/sh\n", 0600);
    struct script open = script_make("#!/bin/sh\necho found\n", 0700);
    const char *const script[] = {"script", NULL};
    char path[256];
    const char *const env[] = {path, NULL};
    const anyc_process_options options = {.env = env};

    (void)snprintf(path, sizeof path, "PATH=/nowhere:%s:%s", locked.directory, open.directory);
    ck_assert_str_eq(child_says(script, &options), "found\n");
    (void)snprintf(path, sizeof path, "PATH=%s:/nowhere", locked.directory);
    check_refused(script, &options, -EACCES, "exec script: Permission denied");
    (void)snprintf(path, sizeof path, "PATH=");
    ck_assert_str_eq(child_says(script, &(anyc_process_options){.env = env, .cwd = open.directory}),
                     "found\n");
    script_remove(&locked);
    script_remove(&open);
}

/* OS-R003: nor do entries of the path that lead nowhere end the search. */
ANYC_TEST(test_process_start__passes_over_odd_entries_of_the_path)
{
    struct script open = script_make("#!/bin/sh\necho found\n", 0700);
    const char *const script[] = {"script", NULL};
    static char path[8192] = "PATH=/";
    const anyc_process_options options = {.env = (const char *const[]){path, NULL}};
    size_t len = strlen(path);

    memset(path + len, 'x', 5000); /* ENAMETOOLONG */
    check_refused(script, &options, -ENAMETOOLONG, "exec script: File name too long");
    (void)snprintf(path + len + 5000, 256, ":/dev/null:%s/self", open.directory);
    check_refused(script, &options, -ENOENT, "exec script: No such file or directory");
    (void)snprintf(path + len + 5000, 256, ":/dev/null:%s", open.directory);
    ck_assert_str_eq(child_says(script, &options), "found\n");
    script_remove(&open);
}

/* OS-R003: each step has its message. */
ANYC_TEST(test_process_start__names_the_step_that_failed)
{
    const char *const *const hello = CHILD("ids");
    char message[256];

    check_refused(hello, &(anyc_process_options){.cwd = "/nowhere"}, -ENOENT,
                  "chdir to /nowhere: No such file or directory");
    check_refused(hello, &(anyc_process_options){.cwd = "/dev/null"}, -ENOTDIR,
                  "chdir to /dev/null: Not a directory");
    (void)snprintf(message, sizeof message, "setpgid for %s: Operation not permitted",
                   ANYC_TEST_CHILD);
    check_refused(hello, &(anyc_process_options){.process_group = 1, .start_new_session = true},
                  -EPERM, message);
}

/* OS-R003: an argument that is too long for execve(2). */
ANYC_TEST(test_process_start__says_that_there_are_too_many_arguments)
{
    size_t len = 8 * 1024 * 1024;
    char *argument = malloc(len + 1);
    const char *const argv[] = {"true", argument, NULL};

    skip_on_valgrind("an execve(2) that fails late ends the process there");
    ck_assert_ptr_nonnull(argument);
    memset(argument, 'x', len);
    argument[len] = '\0';
    check_refused(argv, NULL, -E2BIG, "exec true: Argument list too long");
    free(argument);
}

ANYC_TEST(test_process_start__refuses_what_makes_no_sense)
{
    const char *const none[] = {NULL};
    const char *const two[] = {"echo", "hello", NULL};
    const anyc_process_options shell = {.shell = true};
    const anyc_process_options nowhere = {.std_out = ANYC_STDIO_STDOUT};
    const anyc_process_options input = {.input = "x", .input_len = 1};
    const anyc_process_options closed = {.std_in = ANYC_STDIO_FD, .std_in_fd = -1};
    const anyc_process_options passed = {.pass_fds = (const int[]){0, 999}, .pass_fds_count = 2};
    const anyc_process_options user = {.user = "anyc-nobody-at-all"};
    const anyc_process_options group = {.extra_groups = (const char *const[]){"0", "1x", NULL}};

    check_refused(none, NULL, ANYC_EINVAL, "no program was named");
    check_refused(NULL, NULL, ANYC_EINVAL, "no program was named");
    check_refused(two, &shell, ANYC_EINVAL, "a shell takes one line, and \"hello\" is another one");
    check_refused(two, &nowhere, ANYC_EINVAL, "descriptor 1 of a program cannot lead there");
    check_refused(two, &input, ANYC_EINVAL, "this option is for anyc_run_process only");
    check_refused(two, &closed, -EBADF, "descriptor -1, for its descriptor 0, is not open");
    check_refused(two, &passed, -EBADF, "descriptor 999, to be passed, is not open");
    check_refused(two, &(anyc_process_options){.pass_fds_count = 2}, ANYC_EINVAL,
                  "2 descriptors to be passed, at NULL");
    check_refused(two, &user, ANYC_EINVAL, "there is no user \"anyc-nobody-at-all\"");
    check_refused(two, &group, ANYC_EINVAL, "there is no group \"1x\"");
    check_refused(two, &(anyc_process_options){.process_group = -2}, ANYC_EINVAL,
                  "-2 is no process group");
}

/* The system gives no more processes. */
ANYC_TEST(test_process_start__says_that_there_are_too_many_processes)
{
    char message[256];

    (void)snprintf(message, sizeof message, "a process for %s: Resource temporarily unavailable",
                   ANYC_TEST_CHILD);
    clone_error = EAGAIN;
    check_refused(CHILD("exit", "0"), NULL, -EAGAIN, message);
    clone_error = ENOMEM;
    ck_assert_int_eq(anyc_run_process(CHILD("exit", "0"), NULL, NULL), ANYC_ENOMEM);
    clone_error = 0;
    ck_assert_int_eq(anyc_run_process(CHILD("exit", "0"), NULL, NULL), 0);
}

/* With room for n descriptors more it works or answers EMFILE, and leaves none open. */
ANYC_TEST(test_process_start__runs_out_of_descriptors)
{
    int rc = -EMFILE;
    int room;

    skip_on_valgrind("it stops by a clone(2) that fails");
    ck_assert_int_eq(anyc_run_process(CHILD("exit", "0"), NULL, NULL), 0); /* warm */
    for (room = 0; rc == -EMFILE; room++) {
        struct rlimit old = limit_fds(room);

        rc = anyc_run_process(CHILD("exit", "0"), NULL, NULL);
        unlimit_fds(&old);
        ck_assert_msg(rc == 0 || rc == -EMFILE, "%s", anyc_last_error()->message);
        child_check_none();
    }
    ck_assert_int_gt(room, 4);
}

/* -- what the program finds -- */

/* OS-R007: none is ignored, none is blocked, whatever this program does. */
ANYC_TEST(test_process_start__signals_are_as_at_birth)
{
    sigset_t some;
    const char *status;

    sigfillset(&some);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, &some, NULL), 0);
    ck_assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    ck_assert(signal(SIGHUP, SIG_IGN) != SIG_ERR);
    ck_assert(signal(SIGRTMAX, SIG_IGN) != SIG_ERR);
    status = child_says(CHILD("status"), NULL);
    ck_assert_str_eq(status, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    ck_assert(signal(SIGPIPE, SIG_DFL) == SIG_IGN); /* and here they are as they were */
    ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &some), 0);
    ck_assert_int_eq(sigismember(&some, SIGTERM), 1);
}

static void check_descriptors(void)
{
    int open[] = {dup(0), dup(0), dup(0)}; /* not close-on-exec */
    const anyc_process_options options = {.pass_fds = &open[1], .pass_fds_count = 1};
    const anyc_process_options twice = {.pass_fds = (const int[]){open[0], 1, open[0]},
                                        .pass_fds_count = 3};
    char expected[32];

    ck_assert_str_eq(child_says(CHILD("descriptors"), NULL), "0 1 2 ");
    (void)snprintf(expected, sizeof expected, "0 1 2 %d ", open[1]);
    ck_assert_str_eq(child_says(CHILD("descriptors"), &options), expected);
    ck_assert_int_eq(fcntl(open[2], F_SETFD, FD_CLOEXEC), 0);
    (void)snprintf(expected, sizeof expected, "0 1 2 %d ", open[0]);
    ck_assert_str_eq(child_says(CHILD("descriptors"), &twice), expected);
    for (int i = 0; i < 3; i++)
        close(open[i]);
}

/* OS-R007: also those that their makers forgot to mark. */
ANYC_TEST(test_process_start__finds_no_descriptors_but_those_passed)
{
    check_descriptors();
}

ANYC_TEST(test_process_start__finds_no_more_on_an_old_system)
{
    no_close_range = true;
    check_descriptors();
    no_list_of_descriptors = true;
    check_descriptors();
}

/* Descriptors 0 to 2 of this program, put away for a while. */
struct own_std {
    int kept[3];
};

static struct own_std std_put_away(void)
{
    struct own_std own;

    for (int i = 0; i < 3; i++) {
        own.kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
        ck_assert_int_ge(own.kept[i], 0);
    }
    return own;
}

static void std_bring_back(const struct own_std *own)
{
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(dup2(own->kept[i], i), i);
        close(own->kept[i]);
    }
}

/* Where a standard stream may come from in the test below: descriptors 0, 1 and 2, a high one, and
 * the one of its own number. */
enum { FROM_HIGH = 3, FROM_OWN = 4, FROM_COUNT = 5 };

static int high_file(void)
{
    char name[] = "/tmp/anyc-process-XXXXXX";
    int low = mkostemp(name, O_CLOEXEC | O_APPEND);
    int high = fcntl(low, F_DUPFD_CLOEXEC, 200);

    ck_assert_int_ge(high, 0);
    unlink(name);
    close(low);
    return high;
}

/* The program writes its descriptors' numbers to them: each file has got the right ones. */
static void check_marks(const int *files, const int *from)
{
    for (int file = 0; file < 4; file++) {
        char expected[4] = "";
        char found[8] = "";

        for (int i = 0; i < 3; i++) {
            if (from[i] == file || (from[i] == FROM_OWN && i == file))
                expected[strlen(expected)] = (char)('0' + i);
        }
        ck_assert_int_ge(pread(files[file], found, sizeof found - 1, 0), 0);
        ck_assert_str_eq(found, expected);
        ck_assert_int_eq(ftruncate(files[file], 0), 0);
    }
}

static void run_from(const int *from, int high)
{
    anyc_process_options options = {.std_in_fd = from[0] == FROM_HIGH ? high : from[0],
                                    .std_out_fd = from[1] == FROM_HIGH ? high : from[1],
                                    .std_err_fd = from[2] == FROM_HIGH ? high : from[2]};

    options.std_in = from[0] == FROM_OWN ? ANYC_STDIO_INHERIT : ANYC_STDIO_FD;
    options.std_out = from[1] == FROM_OWN ? ANYC_STDIO_INHERIT : ANYC_STDIO_FD;
    options.std_err = from[2] == FROM_OWN ? ANYC_STDIO_INHERIT : ANYC_STDIO_FD;
    ck_assert_int_eq(anyc_run_process(CHILD("mark"), &options, NULL), 0);
}

/* Every way to lead descriptors 0, 1, 2 and another one to the three of a program. */
ANYC_TEST(test_process_start__standard_streams_may_change_places)
{
    struct own_std own = std_put_away();
    int files[4] = {high_file(), high_file(), high_file(), high_file()};

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(dup3(files[i], i, O_CLOEXEC), i); /* it is inherited all the same */
    for (int n = 0; n < FROM_COUNT * FROM_COUNT * FROM_COUNT; n++) {
        const int from[3] = {n % FROM_COUNT, n / FROM_COUNT % FROM_COUNT,
                             n / FROM_COUNT / FROM_COUNT};

        run_from(from, files[FROM_HIGH]);
        check_marks(files, from);
    }
    std_bring_back(&own);
    for (int i = 0; i < 4; i++)
        close(files[i]);
}

/* A program whose own descriptors 0 to 2 are closed, all or some of them: what it opens gets their
 * numbers. */
ANYC_TEST(test_process_start__works_with_closed_standard_streams)
{
    struct own_std own = std_put_away();

    for (unsigned closed = 1; closed < 8; closed++) {
        anyc_completed_process completed;

        for (int i = 0; i < 3; i++) {
            if ((closed & 1u << i) != 0)
                close(i);
        }
        completed = child_run(CHILD("mark"), &(anyc_process_options){.std_in = ANYC_STDIO_DEVNULL});
        ck_assert_str_eq(completed.std_out, "1");
        ck_assert_str_eq(completed.std_err, "2");
        anyc_free_completed_process(&completed);
        ck_assert_str_eq(child_says(CHILD("descriptors"), &(anyc_process_options){.input = ""}),
                         "0 1 2 ");
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(dup2(own.kept[i], i), i);
    }
    std_bring_back(&own);
}

/* What is closed here and inherited is closed there. */
ANYC_TEST(test_process_start__inherits_closed_standard_streams)
{
    struct own_std own = std_put_away();
    const anyc_process_options options = {.std_err = ANYC_STDIO_INHERIT};
    const char *descriptors;

    close(0);
    close(2);
    descriptors = child_says(CHILD("descriptors"), &options);
    ck_assert_str_eq(descriptors, "1 ");
    std_bring_back(&own);
}

/* SP-014 (test_arguments_passed_through): where it needs no rights, what the program itself finds. */
ANYC_TEST(test_process_start__options_reach_the_program)
{
    const char *const env[] = {"ONE=1", "TWO=a b", NULL};
    const anyc_process_options options = {
        .cwd = "/", .env = env, .start_new_session = true, .set_umask = true, .umask = 0137};
    char ids[64];
    char places[64];
    anyc_process *process = child_open(CHILD("places"), &options);
    int pid = anyc_process_pid(process);

    (void)snprintf(places, sizeof places, "/ %d %d %d", pid, pid, pid);
    child_expect(anyc_process_stdout(process), places);
    ck_assert_ok(anyc_aclose(process));
    ck_assert_str_eq(child_says(CHILD("environment"), &options), "ONE=1\nTWO=a b\n");
    (void)snprintf(ids, sizeof ids, "%u %u 137", geteuid(), getegid());
    ck_assert_int_eq(strncmp(child_says(CHILD("ids"), &options), ids, strlen(ids)), 0);
}

/* SP-014: users and groups, by number and by name. */
ANYC_TEST(test_process_start__options_set_user_and_groups)
{
    const char *const groups[] = {"7", "root", "9", NULL};
    const char *const none[] = {NULL};
    const anyc_process_options numbers = {
        .user = "12", .group = "34", .extra_groups = groups, .set_umask = true, .umask = 077};
    const anyc_process_options names = {.user = "nobody", .extra_groups = none};
    const char *const user[] = {"id", "-un", NULL};
    const char *const all[] = {"sh", "-c", "id -u; id -g; id -G; umask", NULL};

    if (geteuid() != 0)
        ANYC_TEST_SKIP("needs to be root");
    ck_assert_str_eq(child_says(all, &numbers), "12\n34\n34 0 7 9\n0077\n"); /* sorted */
    ck_assert_str_eq(child_says(user, &names), "nobody\n");
}

/* SP-014: each option gets to its place in the plan of the child, unchanged. */
ANYC_TEST(test_process_start__options_are_planned)
{
    const char *const argv[] = {"/bin/prog", "argument", NULL};
    const char *const env[] = {"A=B", NULL};
    const int fds[] = {0, 2};
    const anyc_process_options options = {.cwd = "/somewhere",
                                          .env = env,
                                          .start_new_session = true,
                                          .pass_fds = fds,
                                          .pass_fds_count = 2,
                                          .process_group = 77,
                                          .set_umask = true,
                                          .umask = 0123,
                                          .user = "11",
                                          .group = "22",
                                          .extra_groups = (const char *const[]){"33", "44", NULL}};
    struct process_plan plan;

    ck_assert_ok(anyc__process_plan_init(&plan, argv, &options));
    ck_assert_ok(anyc__process_plan_ids(NULL, &plan, &options)); /* numbers need no task */
    ck_assert_ptr_eq(plan.argv, argv);
    ck_assert_ptr_eq(plan.env, env);
    ck_assert_str_eq(plan.paths[0], "/bin/prog");
    ck_assert_ptr_null(plan.paths[1]);
    ck_assert_str_eq(plan.cwd, "/somewhere");
    ck_assert(plan.start_new_session);
    ck_assert(plan.pass_fds == fds && plan.pass_fds_count == 2);
    ck_assert(plan.set_process_group && plan.process_group == 77);
    ck_assert(plan.set_umask && plan.umask == 0123);
    ck_assert(plan.set_user && plan.user == 11);
    ck_assert(plan.set_group && plan.group == 22);
    ck_assert(plan.set_groups && plan.group_count == 2);
    ck_assert(plan.groups[0] == 33 && plan.groups[1] == 44);
    anyc__process_plan_deinit(&plan);
}

/* The process group's number in "places". */
static int group_of(const anyc_process_options *options, int *out_pid)
{
    int session;
    int group;

    ck_assert_int_eq(
        sscanf(child_says(CHILD("places"), options), "%*s %d %d %d", &session, &group, out_pid), 3);
    return group;
}

ANYC_TEST(test_process_start__joins_a_process_group)
{
    int pid = 0;
    anyc_process *leader =
        child_open(CHILD("cat"), &(anyc_process_options){.process_group = ANYC_PROCESS_GROUP_NEW});

    ck_assert_int_eq(getpgid(anyc_process_pid(leader)), anyc_process_pid(leader));
    ck_assert_int_eq(group_of(NULL, &pid), getpgrp());
    ck_assert_int_eq(
        group_of(&(anyc_process_options){.process_group = ANYC_PROCESS_GROUP_NEW}, &pid), pid);
    ck_assert_int_eq(group_of(&(anyc_process_options){.process_group = ANYC_PROCESS_GROUP_NEW,
                                                      .start_new_session = true},
                              &pid),
                     pid);
    ck_assert_int_eq(
        group_of(&(anyc_process_options){.process_group = anyc_process_pid(leader)}, &pid),
        anyc_process_pid(leader));
    ck_assert_ok(anyc_aclose(leader));
}

/* Names are looked for in a thread: the task can be cancelled before that. */
ANYC_TEST(test_process_start__starts_nothing_when_cancelled)
{
    anyc_process *process = NULL;
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(
        anyc_open_process(CHILD("exit", "0"), &(anyc_process_options){.user = "root"}, &process),
        ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    child_check_none();
}
