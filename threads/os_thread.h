/* SPDX-License-Identifier: MIT */
/*
 * os_thread.h - threads that the library starts: workers, and those of portals.
 */
#ifndef ANYC_THREADS_OS_THREAD_H
#define ANYC_THREADS_OS_THREAD_H

#include <pthread.h>

#define ANYC__THREAD_NAME_SIZE 16 /* what Linux allows, its end included */

/* Start a thread in which all signals are blocked but those of a fault of its own, so that the
 * program's handlers run in the program's threads. Its stack has the system's default size, 256 KiB
 * at least. Answers 0 or -errno: -EAGAIN when the system gives no more threads. */
int anyc__thread_create(pthread_t *out_thread, void *(*main)(void *arg), void *arg);

/* Name the calling thread; what is too long is cut. */
void anyc__thread_set_name(const char *name);

#endif
