/* SPDX-License-Identifier: MIT */
/*
 * sigpipe.h - system calls that have no MSG_NOSIGNAL: the SIGPIPE that one of them brings about is
 * taken back before anyone sees it.
 */
#ifndef ANYC_CORE_SIGPIPE_H
#define ANYC_CORE_SIGPIPE_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

struct sigpipe_block {
    sigset_t before;
    bool was_pending;
};

/* Before the call. */
static inline void anyc__sigpipe_block(struct sigpipe_block *block)
{
    sigset_t pipe_only;
    sigset_t pending;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    block->was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_only, &block->before);
}

/* After it; `broke`: it failed with EPIPE, or did less than was asked: the rest may have met nobody to
 * read it, which brings the signal without the error. Keeps errno. */
static inline void anyc__sigpipe_unblock(const struct sigpipe_block *block, bool broke)
{
    const struct timespec now = {0};
    sigset_t pipe_only;
    int error = errno;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    if (broke && !block->was_pending)
        (void)sigtimedwait(&pipe_only, NULL, &now); /* none is there if the program ignores it */
    pthread_sigmask(SIG_SETMASK, &block->before, NULL);
    errno = error;
}

#endif
