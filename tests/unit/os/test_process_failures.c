/* SPDX-License-Identifier: MIT */
/*
 * test_process_failures.c - programs and workers whose nth system call fails, for n = 1, 2, 3 ...: the
 * errno is the answer, and no descriptor, no process and no memory is left.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "child.h"
#include "support/fail_alloc.h"
#include "support/tasks.h"
#include "support/thread.h"
#include "support/valgrind.h"

/* -- stand-ins for functions of the C library -- */

#define PIDFD_FLAG 0x1000 /* CLONE_PIDFD */
#define FDS 256           /* descriptors that are told from each other */

#define REAL(type, name) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))

static bool no_pidfd;              /* as before Linux 5.2 */
static atomic_long left = -1;      /* calls until the one that fails; < 0: none will */
static int failure;                /* the errno it failed with; 0: none did */
static atomic_bool seen[FDS][FDS]; /* these epolls have had these descriptors */

/* A call that would fail with this errno. Is it its turn? */
static bool fails(int error)
{
    if (atomic_load(&left) < 0 || atomic_fetch_sub(&left, 1) != 0)
        return false;
    failure = error;
    errno = error;
    return true;
}

static void arm(long n)
{
    for (int fd = 0; fd < FDS; fd++) {
        bool open = fcntl(fd, F_GETFD) >= 0;

        for (int epoll = 0; epoll < FDS; epoll++)
            seen[epoll][fd] = open;
    }
    failure = 0;
    atomic_store(&left, n - 1);
}

/* The errno of the call that failed, or 0. */
static int disarm(void)
{
    atomic_store(&left, -1);
    return failure;
}

int stand_in_clone(int (*fn)(void *), void *stack, int flags, void *arg, ...) __asm__("__clone");

int stand_in_clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
    int (*real)(int (*)(void *), void *, int, void *, ...) =
        REAL(int (*)(int (*)(void *), void *, int, void *, ...), "__clone");
    va_list more;
    void *pidfd;

    if (fails(EAGAIN))
        return -1;
    va_start(more, arg);
    pidfd = va_arg(more, void *);
    va_end(more);
    return real(fn, stack, no_pidfd ? flags & ~PIDFD_FLAG : flags, arg, pidfd);
}

int stand_in_pipe2(int *ends, int flags) __asm__("pipe2");

int stand_in_pipe2(int *ends, int flags)
{
    return fails(EMFILE) ? -1 : REAL(int (*)(int *, int), "pipe2")(ends, flags);
}

int stand_in_socketpair(int domain, int type, int protocol, int *ends) __asm__("socketpair");

int stand_in_socketpair(int domain, int type, int protocol, int *ends)
{
    return fails(ENFILE)
               ? -1
               : REAL(int (*)(int, int, int, int *), "socketpair")(domain, type, protocol, ends);
}

int stand_in_open(const char *path, int flags, ...) __asm__("open");

int stand_in_open(const char *path, int flags, ...)
{
    va_list more;
    unsigned mode;

    va_start(more, flags);
    mode = va_arg(more, unsigned);
    va_end(more);
    return fails(ENFILE) ? -1 : REAL(int (*)(const char *, int, ...), "open")(path, flags, mode);
}

int stand_in_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                            void *(*fn)(void *), void *arg) __asm__("pthread_create");

int stand_in_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                            void *(*fn)(void *), void *arg)
{
    if (fails(EAGAIN))
        return EAGAIN;
    return REAL(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *),
                "pthread_create")(thread, attributes, fn, arg);
}

/* What a loop adds again, it must get. */
static bool is_new(int epoll, int op, int fd)
{
    return op == EPOLL_CTL_ADD && epoll < FDS && fd < FDS &&
           !atomic_exchange(&seen[epoll][fd], true);
}

/* For the loops' libraries as well. */
__attribute__((visibility("default"))) int
stand_in_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event) __asm__("epoll_ctl");

int stand_in_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    if (is_new(epoll, op, fd) && fails(ENOSPC))
        return -1;
    return REAL(int (*)(int, int, int, struct epoll_event *), "epoll_ctl")(epoll, op, fd, event);
}

/* -- what fails -- */

static int run_program(void)
{
    const anyc_process_options options = {
        .input = "abc", .input_len = 3, .std_err = ANYC_STDIO_DEVNULL};
    anyc_completed_process completed;
    int rc = anyc_run_process(CHILD("reverse"), &options, &completed);

    if (rc == 0)
        ck_assert_str_eq(completed.std_out, "cba\n");
    else
        ck_assert_ptr_null(completed.std_out);
    anyc_free_completed_process(&completed);
    return rc;
}

/* More than a pipe holds: an input that is cut short must not pass for one that nobody reads. */
static int feed_program(void)
{
    static char input[1000000];
    const anyc_process_options options = {.input = input,
                                          .input_len = sizeof input,
                                          .std_out = ANYC_STDIO_DEVNULL,
                                          .std_err = ANYC_STDIO_DEVNULL};

    return anyc_run_process(CHILD("cat"), &options, NULL);
}

/* A name is looked up in a thread. */
static int run_program_as_user(void)
{
    const struct passwd *self = getpwuid(geteuid());
    const anyc_process_options options = {.user = self != NULL ? self->pw_name : "root"};

    return anyc_run_process(CHILD("exit", "0"), &options, NULL);
}

static int open_program(void)
{
    anyc_process *process = NULL;
    int rc = anyc_open_process(CHILD("cat"), NULL, &process);

    if (rc < 0)
        return rc;
    rc = (int)anyc_send(anyc_process_stdin(process), "x", 1);
    if (rc == 0) {
        char byte;

        rc = (int)anyc_receive(anyc_process_stdout(process), &byte, 1);
        rc = rc == 1 ? anyc_close(process) : rc;
    }
    anyc_aclose_forcefully(process);
    return rc;
}

static int echo(const void *input, size_t input_size, anyc_bytes *output)
{
    return anyc_bytes_init(output, input, input_size);
}

static int call_worker(void)
{
    anyc_bytes output = {NULL, 0};
    int rc = anyc_to_process_run_sync(echo, "abc", 3, NULL, &output);

    anyc_bytes_deinit(&output);
    return rc;
}

static int (*const operations[])(void) = {run_program, feed_program, run_program_as_user,
                                          open_program, call_worker};

struct round {
    int (*operation)(void);
    long n;
};

/* True: there was an nth allocation. */
static int fail_allocation(void *arg)
{
    const struct round *round = arg;
    bool failed;
    int rc;

    fail_alloc_arm(round->n);
    rc = round->operation();
    failed = fail_alloc_disarm();
    ck_assert_msg(rc == (failed ? ANYC_ENOMEM : 0), "allocation %ld failed, and the answer is %s",
                  round->n, anyc_error_name(rc));
    ck_assert_ok(round->operation());
    return failed;
}

/* True: the nth call failed. */
static int fail_once(void *arg)
{
    const struct round *round = arg;
    int failed;
    int rc;

    arm(round->n);
    rc = round->operation();
    failed = disarm();
    if (failed != ENOSPC || rc == -ENOSPC)
        ck_assert_msg(rc == -failed, "call %ld failed with %d, and the answer is %s", round->n,
                      failed, anyc_error_name(rc));
    else
        ck_assert(rc == ANYC_EBROKEN || rc == ANYC_EWORKER); /* the message says why */
    if (failed != 0) {
        const anyc_error *error = anyc_last_error();

        ck_assert_int_eq(error->code, rc);
        ck_assert_msg(error->os_error == failed || rc == ANYC_EBROKEN, "call %ld: %s", round->n,
                      error->message);
        ck_assert_msg(strstr(error->message, strerror(failed)) != NULL, "call %ld: %s", round->n,
                      error->message);
    }
    ck_assert_ok(round->operation());
    return failed != 0;
}

/* Each round is a run of its own. */
static long fail_all(anyc_task_fn fail, int (*operation)(void))
{
    struct round round = {.operation = operation};
    int failed = 1;

    while (failed == 1) {
        int open = thread_fd_count();

        round.n++;
        failed = run_on_backend(fail, &round);
        ck_assert_int_ge(failed, 0);
        forget_last_error();
        ck_assert_int_eq(fail_alloc_live(), 0);
        ck_assert_int_eq(thread_fd_count(), open);
        child_check_none();
    }
    return round.n - 1;
}

ANYC_TEST_PLAIN(test_process_failures__are_answers)
{
    skip_on_valgrind("it stops by a clone(2) that fails");
    fail_alloc_install();
    for (int old = 0; old < 2; old++) {
        no_pidfd = old != 0;
        for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
            long failures = fail_all(fail_once, operations[i]);

            ck_assert_int_ge(failures, 4);
            printf("operation %zu, %s pidfd: %ld failures\n", i, no_pidfd ? "no" : "a", failures);
        }
    }
}

ANYC_TEST_PLAIN(test_process_failures__memory_is_an_answer)
{
    fail_alloc_install();
    for (int old = 0; old < 2; old++) {
        no_pidfd = old != 0;
        for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
            ck_assert_int_ge(fail_all(fail_allocation, operations[i]), 8);
    }
}
