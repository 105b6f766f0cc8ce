/* SPDX-License-Identifier: MIT */
/*
 * worker_process_link.c - one worker process, as its program sees it.
 *
 * The end of the process ends whatever waits for the socket: the process may have left children that
 * hold the other end open, so that nothing would be heard by that.
 */
#include "os/worker_process_link.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include <anyc/cancel.h>
#include <anyc/error.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "core/loop.h"
#include "streams/descriptor_io.h"

#define LINK_PATIENCE 1.0 /* seconds that it has to end, once it has closed the socket */
#define LINK_PART ((size_t)1024 * 1024) /* bytes; tools look at the whole buffer with each call */
#define LINK_PIECES 3

/* -- its life -- */

static void link_close(struct worker_process *worker)
{
    int fd = worker->watch->fd;

    anyc__watch_close(worker->watch, ANYC_ECLOSED);
    worker->watch = NULL;
    anyc__descriptor_close(fd);
}

void anyc__worker_process_destroy(struct worker_process *worker)
{
    if (anyc__list_linked(&worker->link))
        anyc__list_remove(&worker->link);
    if (worker->watch != NULL)
        link_close(worker);
    anyc__free(worker);
}

/* The process has ended. */
static void link_ended(struct process_exit *exit)
{
    struct worker_process *worker = ANYC__CONTAINER(exit, struct worker_process, exit);

    if (worker->owner == WORKER_PROCESS_OF_TASK)
        (void)shutdown(worker->watch->fd, SHUT_RDWR); /* what it had sent can still be received */
    else
        anyc__worker_process_destroy(worker);
}

int anyc__worker_process_create(anyc_loop *loop, int fd, struct worker_process **out_worker)
{
    struct worker_process *worker = anyc__zalloc(sizeof *worker);
    int rc = worker == NULL ? anyc__fail_plain(ANYC_ENOMEM) : 0;

    if (rc == 0)
        rc = anyc__watch_open(loop, fd, &worker->watch);
    if (rc < 0) {
        anyc__free(worker);
        anyc__descriptor_close(fd);
        return rc;
    }
    *out_worker = worker;
    return 0;
}

int anyc__worker_process_begin(struct worker_process *worker, anyc_loop *loop,
                               const struct process_started *started)
{
    int rc = anyc__process_exit_begin(&worker->exit, loop, started);

    if (rc == 0)
        anyc__process_exit_leave(&worker->exit, link_ended); /* one may wait for it all the same */
    return rc;
}

void anyc__worker_process_kill(struct worker_process *worker)
{
    if (worker->exit.state != PROCESS_RUNNING) {
        anyc__worker_process_destroy(worker);
        return;
    }
    if (anyc__list_linked(&worker->link))
        anyc__list_remove(&worker->link);
    worker->owner = WORKER_PROCESS_OF_NOBODY;
    link_close(worker); /* for one that must not be killed: it ends by itself */
    (void)anyc__process_exit_signal(&worker->exit, SIGKILL); /* the worker may be gone after it */
}

/* -- input and output -- */

/* Take `n` bytes off the front of the pieces. */
static void link_advance(struct iovec **pieces, int *count, size_t n)
{
    while (*count > 0 && n >= (*pieces)->iov_len) {
        n -= (*pieces)->iov_len;
        ++*pieces;
        --*count;
    }
    if (*count > 0) {
        (*pieces)->iov_base = (char *)(*pieces)->iov_base + n;
        (*pieces)->iov_len -= n;
    }
}

/* Send the first bytes of the pieces. */
static ssize_t link_send_part(struct worker_process *worker, const struct iovec *pieces, int count)
{
    struct iovec part[LINK_PIECES];
    size_t room = LINK_PART;
    int used = 0;

    for (; used < count && room > 0; used++) {
        part[used] = pieces[used];
        if (part[used].iov_len > room)
            part[used].iov_len = room;
        room -= part[used].iov_len;
    }
    return anyc__backend_send(worker->watch, part, used);
}

int anyc__worker_process_send(struct worker_process *worker, struct iovec *pieces, int count)
{
    ANYC_ASSERT(count <= LINK_PIECES);
    link_advance(&pieces, &count, 0); /* empty ones */
    while (count > 0) {
        ssize_t n = link_send_part(worker, pieces, count);

        if (n < 0)
            return (int)n;
        link_advance(&pieces, &count, (size_t)n);
        if (count > 0)
            anyc__yield(anyc__task());
    }
    return 0;
}

int anyc__worker_process_receive(struct worker_process *worker, void *buf, size_t size)
{
    char *at = buf;

    while (size > 0) {
        ssize_t n = anyc__backend_receive(worker->watch, at, size < LINK_PART ? size : LINK_PART);

        if (n <= 0)
            return n == 0 ? ANYC_EOF : (int)n;
        at += n;
        size -= (size_t)n;
        if (size > 0)
            anyc__yield(anyc__task());
    }
    return 0;
}

int anyc__worker_process_receive_answer(struct worker_process *worker,
                                        struct worker_answer *out_answer)
{
    int rc = 0;

    do {
        if (anyc__backend_reads_when_ready(worker->watch)) /* it is hardly there yet */
            rc = anyc__watch_wait(worker->watch, ANYC_READABLE);
        if (rc == 0)
            rc = anyc__worker_process_receive(worker, out_answer, sizeof *out_answer);
        if (rc == 0 && (out_answer->magic != WORKER_MAGIC || out_answer->kind < WORKER_READY ||
                        out_answer->kind > WORKER_REFUSED))
            rc = ANYC_EWORKER;
    } while (rc == 0 && out_answer->kind == WORKER_IDLE);
    return rc;
}

/* -- its end -- */

/* The socket is closed on the other side: the process ends as well, if all is well. */
static int link_wait(struct worker_process *worker)
{
    anyc_cancel_scope scope;
    int rc = anyc_move_on_after(&scope, LINK_PATIENCE, false);

    if (rc < 0)
        return rc;
    rc = anyc__process_exit_wait(&worker->exit);
    return anyc_cancel_scope_exit(&scope, rc);
}

/* Was it the worker that has ended the exchange? Else something failed on our side. */
static bool link_is_hang_up(int rc)
{
    return rc == ANYC_EOF || rc == -EPIPE || rc == -ECONNRESET;
}

/* rc: what was answered; over: it ended by itself. */
static int link_describe(const struct worker_process *worker, int rc, bool over, const char *when)
{
    const struct process_exit *exit = &worker->exit;
    long pid = (long)exit->pid;

    if (rc == ANYC_ETIMEDOUT)
        return anyc__fail(ANYC_EWORKER, 0,
                          "the worker process %ld was not ready in time, and was killed", pid);
    if (rc != ANYC_EWORKER && !link_is_hang_up(rc))
        return anyc__fail(ANYC_EWORKER, anyc__errno_of(rc),
                          "the worker process %ld was killed %s, as its socket failed: %s", pid,
                          when, anyc_strerror(rc));
    if (rc == ANYC_EWORKER || !over)
        return anyc__fail(ANYC_EWORKER, 0, "the worker process %ld %s %s, and was killed", pid,
                          rc == ANYC_EWORKER ? "sent nonsense" : "closed its socket", when);
    if (exit->state == PROCESS_LOST)
        return anyc__fail(ANYC_EWORKER, 0, "the worker process %ld ended %s", pid, when);
    if (exit->returncode < 0)
        return anyc__fail(ANYC_EWORKER, 0, "the worker process %ld was killed by signal %d (%s) %s",
                          pid, -exit->returncode, strsignal(-exit->returncode), when);
    return anyc__fail(ANYC_EWORKER, 0, "the worker process %ld exited with code %d %s", pid,
                      exit->returncode, when);
}

int anyc__worker_process_end(struct worker_process *worker, int rc, const char *when)
{
    bool over;

    if (link_is_hang_up(rc) && link_wait(worker) < 0)
        rc = ANYC_ECANCELLED;
    over = anyc__process_exit_is_over(&worker->exit);
    if (anyc__process_exit_signal(&worker->exit, SIGKILL) == 0)
        anyc__process_exit_wait_shielded(&worker->exit);
    if (rc == ANYC_ECANCELLED || rc == ANYC_ENOMEM)
        (void)anyc__fail_plain(rc);
    else
        rc = link_describe(worker, rc, over, when);
    anyc__worker_process_kill(worker);
    return rc;
}
