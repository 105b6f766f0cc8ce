/* SPDX-License-Identifier: MIT */
/*
 * os_thread.c - start a thread that no signal disturbs.
 */
#include "threads/os_thread.h"

#include <signal.h>
#include <stdio.h>

#define THREAD_STACK_MIN ((size_t)256 * 1024) /* bytes */

/* Every signal but those by which the system reports a fault of the thread itself. */
static void thread_signals(sigset_t *set)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};

    sigfillset(set);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(set, faults[i]);
}

/* A thread inherits the mask of signals, so none can reach it before it would block them. */
int anyc__thread_create(pthread_t *out_thread, void *(*main)(void *arg), void *arg)
{
    pthread_attr_t attributes;
    sigset_t blocked;
    sigset_t before;
    size_t size = 0;
    int rc = pthread_attr_init(&attributes);

    if (rc != 0)
        return -rc;
    if (pthread_attr_getstacksize(&attributes, &size) == 0 && size < THREAD_STACK_MIN)
        pthread_attr_setstacksize(&attributes, THREAD_STACK_MIN);
    thread_signals(&blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    rc = pthread_create(out_thread, &attributes, main, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -rc;
}

void anyc__thread_set_name(const char *name)
{
    char cut[ANYC__THREAD_NAME_SIZE];

    (void)snprintf(cut, sizeof cut, "%s", name);
    (void)pthread_setname_np(pthread_self(), cut); /* it is for people only */
}
