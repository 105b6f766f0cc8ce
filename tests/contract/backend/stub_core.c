/* SPDX-License-Identifier: MIT */
/*
 * stub_core.c - what adapters call of core, and what the test harness calls of anyc.
 */
#include "stub_core.h"

#include <anyc/alloc.h>
#include <anyc/error.h>
#include <anyc/lowlevel.h>
#include <anyc/testing.h>

#include <check.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0u
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#define STUB_BACKENDS 8 /* room for tables */
#define STUB_STACK 262144
#define STUB_POLLS 5

struct stub_task {
    ucontext_t own;
    ucontext_t loop;
    anyc_turn answer; /* of this turn */
    void (*body)(anyc_loop *loop);
    unsigned valgrind_id;
    char stack[STUB_STACK];
};

static const anyc_backend *stub_tables[STUB_BACKENDS];
static const char *stub_names[STUB_BACKENDS + 1];
static size_t stub_count;

static void *stub_malloc(size_t size, void *arg)
{
    (void)arg;
    return malloc(size);
}

static void *stub_realloc(void *ptr, size_t size, void *arg)
{
    (void)arg;
    return realloc(ptr, size);
}

static void stub_free(void *ptr, void *arg)
{
    (void)arg;
    free(ptr);
}

static anyc_allocator stub_allocator = {stub_malloc, stub_realloc, stub_free, NULL};

/* -- for adapters -- */

int anyc_register_backend(const anyc_backend *backend)
{
    if (stub_count == STUB_BACKENDS)
        return ANYC_ENOMEM;
    stub_tables[stub_count] = backend;
    stub_names[stub_count] = backend->name;
    stub_count++;
    return 0;
}

void *anyc_backend_state(anyc_loop *loop)
{
    const size_t align = _Alignof(max_align_t);

    return (char *)loop + (sizeof *loop + align - 1) / align * align;
}

anyc_turn anyc_backend_turn(anyc_loop *loop)
{
    ck_assert(!loop->in_turn);
    loop->turns++;
    loop->in_turn = true;
    swapcontext(&loop->task->loop, &loop->task->own);
    loop->in_turn = false;
    return loop->task->answer;
}

void anyc_backend_watch_ready(anyc_watch *watch, unsigned events)
{
    struct stub_seen *seen = watch->waiter[0];

    ck_assert(!watch->loop->in_turn);
    ck_assert_uint_ne(events, 0);
    ck_assert_uint_eq(events & ~(ANYC_READABLE | ANYC_WRITABLE), 0);
    seen->count++;
    seen->events |= events;
    if (seen->ready != NULL)
        seen->ready(watch, seen->arg);
}

void anyc_backend_watch_closed(anyc_watch *watch)
{
    ck_assert_uint_eq(watch->armed, 0);
    watch->loop->open_watches--;
    anyc_backend_realloc(watch, 0);
}

void anyc_backend_signal(anyc_loop *loop, int signum)
{
    ck_assert(!loop->in_turn);
    loop->signals[signum]++;
}

void *anyc_backend_realloc(void *ptr, size_t size)
{
    if (size == 0) {
        stub_allocator.free(ptr, stub_allocator.arg);
        return NULL;
    }
    return stub_allocator.realloc(ptr, size, stub_allocator.arg);
}

void anyc_backend_default_scope_wake(anyc_watch *watch, unsigned events)
{
    (void)watch;
    (void)events;
}

ssize_t anyc_backend_default_receive(anyc_watch *watch, void *buf, size_t max_bytes)
{
    (void)watch;
    (void)buf;
    (void)max_bytes;
    return -ENOSYS;
}

ssize_t anyc_backend_default_send(anyc_watch *watch, const struct iovec *pieces, int count)
{
    (void)watch;
    (void)pieces;
    (void)count;
    return -ENOSYS;
}

int anyc_backend_default_accept(anyc_watch *watch, struct sockaddr *peer, socklen_t *peer_len)
{
    (void)watch;
    (void)peer;
    (void)peer_len;
    return -ENOSYS;
}

int anyc_backend_default_connect(anyc_watch *watch, const struct sockaddr *address,
                                 socklen_t address_len)
{
    (void)watch;
    (void)address;
    (void)address_len;
    return -ENOSYS;
}

/* -- for the harness -- */

int anyc_set_allocator(const anyc_allocator *allocator)
{
    stub_allocator = *allocator;
    return 0;
}

const char *const *anyc_get_available_backends(size_t *out_count)
{
    if (out_count != NULL)
        *out_count = stub_count;
    return stub_names;
}

const char *anyc_error_name(int rc)
{
    return rc < 0 ? strerror(-rc) : "OK";
}

const anyc_error *anyc_last_error(void)
{
    static const anyc_error none = {.message = ""};

    return &none;
}

int anyc_checkpoint(void)
{
    return ANYC_ENOLOOP;
}

static void stub_nothing(anyc_loop *loop)
{
    (void)loop;
}

/* The harness's warming up: one run of nothing. */
int anyc_run_from(const char *origin, anyc_task_fn func, void *arg, const anyc_run_options *options)
{
    (void)origin;
    (void)func;
    (void)arg;
    return stub_try_run(options, stub_nothing);
}

/* -- for tests -- */

static const anyc_backend *stub_find(const char *name)
{
    for (size_t i = 0; i < stub_count; i++) {
        if (strcmp(stub_names[i], name) == 0)
            return stub_tables[i];
    }
    ck_abort_msg("no backend %s", name);
}

static void stub_task_main(unsigned high, unsigned low)
{
    anyc_loop *loop = (anyc_loop *)((uintptr_t)high << 16 << 16 | (uintptr_t)low);

    loop->task->body(loop);
    loop->task->answer = ANYC_TURN_DONE;
}

/* The task: its first turn calls the body. */
static struct stub_task *stub_task_create(anyc_loop *loop, void (*body)(anyc_loop *loop))
{
    struct stub_task *task = malloc(sizeof *task);
    uintptr_t address = (uintptr_t)loop;

    ck_assert_ptr_nonnull(task);
    task->body = body;
    task->valgrind_id = VALGRIND_STACK_REGISTER(task->stack, task->stack + STUB_STACK);
    ck_assert_int_eq(getcontext(&task->own), 0);
    task->own.uc_stack.ss_sp = task->stack;
    task->own.uc_stack.ss_size = STUB_STACK;
    task->own.uc_link = &task->loop;
    makecontext(&task->own, (void (*)(void))stub_task_main, 2, (unsigned)(address >> 16 >> 16),
                (unsigned)address);
    return task;
}

static void stub_task_destroy(struct stub_task *task)
{
    VALGRIND_STACK_DEREGISTER(task->valgrind_id);
    free(task);
}

/* Opens a loop; NULL and the code if that fails. */
static anyc_loop *stub_open(const anyc_run_options *options, int *out_rc)
{
    static const anyc_run_options defaults;
    const char *name = options != NULL ? options->backend : NULL;
    const anyc_backend *backend = stub_find(name != NULL ? name : anyc_testing_backend());
    size_t size = sizeof(anyc_loop) + _Alignof(max_align_t) + backend->loop_size;
    anyc_loop *loop = anyc_backend_realloc(NULL, size);

    ck_assert_ptr_nonnull(loop);
    memset(loop, 0, size);
    loop->backend = backend;
    *out_rc = backend->open(loop, options == NULL ? &defaults : options);
    if (*out_rc < 0) {
        anyc_backend_realloc(loop, 0);
        loop = NULL;
    }
    return loop;
}

static void stub_close(anyc_loop *loop)
{
    loop->backend->close(loop);
    ck_assert_uint_eq(loop->open_watches, 0);
    anyc_backend_realloc(loop, 0);
}

int stub_open_and_close(const anyc_run_options *options)
{
    int rc;
    anyc_loop *loop = stub_open(options, &rc);

    if (loop != NULL)
        stub_close(loop);
    return rc;
}

int stub_try_run(const anyc_run_options *options, void (*body)(anyc_loop *loop))
{
    int rc;
    anyc_loop *loop = stub_open(options, &rc);
    struct stub_task *task;

    if (loop == NULL)
        return rc;
    task = stub_task_create(loop, body);
    loop->task = task;
    ck_assert_int_eq(loop->backend->run(loop), 0);
    stub_close(loop);
    stub_task_destroy(task);
    return 0;
}

static void stub_yield(anyc_loop *loop, anyc_turn answer)
{
    loop->task->answer = answer;
    swapcontext(&loop->task->own, &loop->task->loop);
}

void stub_idle(anyc_loop *loop)
{
    stub_yield(loop, ANYC_TURN_IDLE);
}

void stub_poll(anyc_loop *loop)
{
    stub_yield(loop, ANYC_TURN_READY);
}

unsigned stub_wait(anyc_loop *loop, struct stub_seen *seen)
{
    unsigned events;

    while (seen->count == 0)
        stub_idle(loop);
    events = seen->events;
    seen->count = 0;
    seen->events = 0;
    return events;
}

void stub_settle(anyc_loop *loop)
{
    for (int i = 0; i < STUB_POLLS; i++)
        stub_poll(loop);
}

int stub_try_watch(anyc_loop *loop, int fd, struct stub_seen *seen, anyc_watch **out_watch)
{
    anyc_watch *watch = anyc_backend_realloc(NULL, loop->backend->watch_size);
    int rc;

    ck_assert_ptr_nonnull(watch);
    memset(watch, 0, loop->backend->watch_size);
    watch->loop = loop;
    watch->fd = fd;
    watch->waiter[0] = seen;
    rc = loop->backend->watch_open(watch);
    if (rc < 0) {
        anyc_backend_realloc(watch, 0);
    } else {
        ck_assert_uint_eq(watch->armed, 0);
        loop->open_watches++;
        *out_watch = watch;
    }
    return rc;
}

anyc_watch *stub_watch(anyc_loop *loop, int fd, struct stub_seen *seen)
{
    anyc_watch *watch = NULL;

    ck_assert_int_eq(stub_try_watch(loop, fd, seen, &watch), 0);
    return watch;
}

void stub_watch_start(anyc_watch *watch, unsigned events)
{
    ck_assert_uint_ne(watch->armed, events); /* or it may not be called */
    ck_assert_int_eq(watch->loop->backend->watch_start(watch, events), 0);
    ck_assert_uint_eq(watch->armed, events);
}

void stub_watch_stop(anyc_watch *watch)
{
    watch->loop->backend->watch_stop(watch);
    ck_assert_uint_eq(watch->armed, 0);
}

void stub_watch_close(anyc_watch *watch)
{
    watch->loop->backend->watch_close(watch);
}

int stub_stderr_begin(void)
{
    int before = dup(STDERR_FILENO);
    FILE *file = tmpfile();

    ck_assert_int_ge(before, 0);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(dup2(fileno(file), STDERR_FILENO), 0);
    fclose(file);
    return before;
}

void stub_stderr_end(int before)
{
    struct stat info;

    ck_assert_int_eq(fstat(STDERR_FILENO, &info), 0);
    ck_assert_int_ge(dup2(before, STDERR_FILENO), 0);
    ck_assert_int_eq(info.st_size, 0);
    close(before);
}
