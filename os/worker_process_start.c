/* SPDX-License-Identifier: MIT */
/*
 * worker_process_start.c - start a worker process: this program, with a socket and the null device.
 */
#include "os/worker_process_start.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <anyc/cancel.h>

#include "core/descriptor.h"
#include "core/error.h"
#include "core/loop.h"
#include "os/worker_process_program.h"

#define START_IDLE_NS INT64_C(300000000000) /* 300 s, as in AnyIO */
#define START_READY_NS INT64_C(20000000000) /* 20 s, likewise */
#define START_NS_PER_MS 1000000

int64_t anyc__worker_process_idle_ns = START_IDLE_NS;
int64_t anyc__worker_process_ready_ns = START_READY_NS;

/* What a worker is started with; -1: not there. */
struct start_fds {
    int ours;   /* end of the socket */
    int theirs; /* not 0, 1 or 2 */
    int null;
};

static void start_close(struct start_fds *fds)
{
    anyc__descriptor_close(fds->ours);
    anyc__descriptor_close(fds->theirs);
    anyc__descriptor_close(fds->null);
}

static int start_open(struct start_fds *fds)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return anyc__fail_errno(errno, "a socket for a worker process");
    fds->ours = pair[0];
    fds->theirs = pair[1];
    if (fds->theirs <= STDERR_FILENO) { /* there will be the null device */
        fds->theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        anyc__descriptor_close(pair[1]);
    }
    if (fds->theirs < 0 || fcntl(fds->ours, F_SETFL, O_NONBLOCK) < 0)
        return anyc__fail_errno(errno, "a socket for a worker process");
    fds->null = open("/dev/null", O_RDWR | O_CLOEXEC);
    return fds->null < 0 ? anyc__fail_errno(errno, "open /dev/null") : 0;
}

static int start_execute(const struct start_fds *fds, struct process_started *out_started)
{
    struct worker_birth birth = {
        .fd = fds->theirs,
        .parent = (long)getpid(),
        .idle_ms = (long)(anyc__worker_process_idle_ns / START_NS_PER_MS),
    };
    struct worker_program program;
    int rc = anyc__worker_program_init(&program, &birth);

    if (rc == 0) {
        char *paths[] = {program.path, NULL};
        const struct process_plan plan = {
            .program = "a worker process",
            .argv = program.argv,
            .env = program.env,
            .paths = paths,
            .std = {fds->null, fds->null, fds->null},
            .pass_fds = &fds->theirs,
            .pass_fds_count = 1,
            .set_process_group = true,
        };

        rc = anyc__process_start(&plan, out_started);
    }
    anyc__worker_program_deinit(&program);
    return rc;
}

static int start_process(anyc_loop *loop, struct start_fds *fds, struct worker_process **out_worker)
{
    struct process_started started;
    struct worker_process *worker;
    int rc = anyc__process_exit_prepare(loop);

    if (rc < 0)
        return rc;
    rc = anyc__worker_process_create(loop, fds->ours, &worker);
    fds->ours = -1;
    if (rc < 0)
        return rc;
    rc = start_execute(fds, &started);
    if (rc == 0)
        rc = anyc__worker_process_begin(worker, loop, &started);
    if (rc < 0)
        anyc__worker_process_destroy(worker);
    else
        *out_worker = worker;
    return rc;
}

/* Wait until it says that it is ready, or why not: ANYC_ETIMEDOUT, or as receive_answer. */
static int start_await(struct worker_process *worker)
{
    double seconds = anyc__seconds_from_ns(anyc__worker_process_ready_ns);
    struct worker_answer answer;
    anyc_cancel_scope scope;
    int rc = anyc_fail_after(&scope, seconds, false);

    if (rc < 0)
        return rc;
    rc = anyc__worker_process_receive_answer(worker, &answer);
    rc = anyc_cancel_scope_exit(&scope, rc);
    return rc == 0 && answer.kind != WORKER_READY ? ANYC_EWORKER : rc;
}

int anyc__worker_process_start(anyc_loop *loop, struct worker_process **out_worker)
{
    struct start_fds fds = {-1, -1, -1};
    struct worker_process *worker = NULL;
    int rc = start_open(&fds);

    if (rc == 0)
        rc = start_process(loop, &fds, &worker);
    start_close(&fds);
    if (rc < 0)
        return rc;
    rc = start_await(worker);
    if (rc < 0)
        return anyc__worker_process_end(worker, rc, "before it was ready");
    *out_worker = worker;
    return 0;
}
