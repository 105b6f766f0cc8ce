/* SPDX-License-Identifier: MIT */
/*
 * worker_process_serve.c - what a worker process does: wait for a request, call the function, answer.
 *
 * Functions are not ours: after one has returned, nothing is taken for granted. What is broken ends
 * the worker, and the program, which sees that, tells its caller.
 */
#include "os/worker_process_serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/worker_process_function.h"

#define SERVE_EXIT_LOST 122 /* exit code: the socket is not what it was */

struct serve {
    int fd;
    ino_t socket; /* what `fd` was at first */
    pid_t pid;
    int idle_ms;
};

/* One request, taken from the socket as far as it fitted into memory. */
struct serve_call {
    struct worker_function function;
    void *input;
    size_t input_size;
};

static ino_t serve_inode(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

/* -- input and output -- */

/* Fill `buf`. At the end of the program, or its interest, this is the end of the worker. */
static void serve_read(const struct serve *serve, void *buf, size_t size)
{
    char *at = buf;

    while (size > 0) {
        ssize_t n = recv(serve->fd, at, size, MSG_WAITALL);

        if (n == 0)
            _exit(0);
        if (n < 0 && errno != EINTR)
            _exit(errno == ECONNRESET ? 0 : SERVE_EXIT_LOST);
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
}

/* Read what there is no memory for. */
static void serve_skip(const struct serve *serve, uint64_t size)
{
    char room[512];

    while (size > 0) {
        size_t part = size < sizeof room ? (size_t)size : sizeof room;

        serve_read(serve, room, part);
        size -= part;
    }
}

static void serve_write(const struct serve *serve, const void *buf, size_t size, int flags)
{
    const char *at = buf;

    while (size > 0) {
        ssize_t n = send(serve->fd, at, size, flags | MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            _exit(errno == EPIPE || errno == ECONNRESET ? 0 : SERVE_EXIT_LOST);
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
}

static void serve_answer(const struct serve *serve, enum worker_answer_kind kind, int code,
                         const void *data, size_t size)
{
    const struct worker_answer answer = {
        .magic = WORKER_MAGIC,
        .kind = (uint32_t)kind,
        .code = code,
        .os_error = code < 0 ? anyc_last_error()->os_error : 0,
        .size = size,
    };

    serve_write(serve, &answer, sizeof answer, size > 0 ? MSG_MORE : 0);
    serve_write(serve, data, size, 0);
}

/* A negative code, with what is known of it. */
static void serve_fail(const struct serve *serve, enum worker_answer_kind kind, int code)
{
    const anyc_error *error = anyc_last_error();

    if (error->code != code) /* the function had no more to say */
        (void)anyc__fail_plain(code);
    error = anyc_last_error();
    serve_answer(serve, kind, code, error->message, strnlen(error->message, WORKER_MESSAGE_MOST));
}

/* -- requests -- */

/* Wait for the next request, and say so if none comes for long. */
static void serve_wait(const struct serve *serve)
{
    struct pollfd wait = {.fd = serve->fd, .events = POLLIN};
    int n;

    do
        n = poll(&wait, 1, serve->idle_ms);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        serve_answer(serve, WORKER_IDLE, 0, NULL, 0);
}

static int serve_take_path(const struct serve *serve, struct worker_function *function, size_t size)
{
    if (size == 0)
        return 0;
    function->path = anyc__alloc(size);
    if (function->path == NULL) {
        serve_skip(serve, size);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    serve_read(serve, function->path, size);
    function->path[size - 1] = '\0';
    return 0;
}

static int serve_take_input(const struct serve *serve, struct serve_call *call, uint64_t size)
{
    if (size == 0)
        return 0;
    call->input = size <= SIZE_MAX ? anyc__alloc((size_t)size) : NULL;
    if (call->input == NULL) {
        serve_skip(serve, size);
        return anyc__fail(ANYC_ENOMEM, 0, "the worker process has no memory for the input");
    }
    call->input_size = (size_t)size;
    serve_read(serve, call->input, call->input_size);
    return 0;
}

static int serve_take(const struct serve *serve, struct serve_call *call)
{
    struct worker_request request;
    int rc;
    int input_rc;

    serve_read(serve, &request, sizeof request);
    if (request.magic != WORKER_MAGIC)
        _exit(SERVE_EXIT_LOST);
    call->function =
        (struct worker_function){.offset = request.offset, .fingerprint = request.fingerprint};
    rc = serve_take_path(serve, &call->function, request.path_size);
    input_rc = serve_take_input(serve, call, request.input_size);
    return rc < 0 ? rc : input_rc;
}

/* -- the function -- */

/* It may have forked and returned in the child, closed what it did not open, blocked signals. */
static void serve_recover(const struct serve *serve)
{
    sigset_t none;

    if (getpid() != serve->pid)
        _exit(0);
    if (serve_inode(serve->fd) != serve->socket)
        _exit(SERVE_EXIT_LOST);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void serve_call(const struct serve *serve, anyc_process_fn fn, const struct serve_call *call)
{
    anyc_bytes output = {NULL, 0};
    int code;

    (void)anyc__fail_plain(0); /* what is known of an earlier failure is not of this one */
    code = fn(call->input, call->input_size, &output);
    serve_recover(serve);
    if (code < 0)
        serve_fail(serve, WORKER_RETURNED, code);
    else
        serve_answer(serve, WORKER_RETURNED, code, output.data, output.len);
    anyc_bytes_deinit(&output);
}

static void serve_once(const struct serve *serve)
{
    struct serve_call call = {.input = NULL};
    anyc_process_fn fn = NULL;
    int rc = serve_take(serve, &call);

    if (rc == 0)
        rc = anyc__worker_function_find(&call.function, &fn);
    if (rc == 0)
        serve_call(serve, fn, &call);
    else
        serve_fail(serve, WORKER_REFUSED, rc);
    anyc__free(call.input);
    anyc__worker_function_deinit(&call.function);
}

void anyc__worker_process_serve(const struct worker_birth *birth)
{
    const struct serve serve = {
        .fd = birth->fd,
        .socket = serve_inode(birth->fd),
        .pid = getpid(),
        .idle_ms = (int)birth->idle_ms,
    };

    serve_answer(&serve, WORKER_READY, 0, NULL, 0);
    for (;;) {
        serve_wait(&serve);
        serve_once(&serve);
    }
}
