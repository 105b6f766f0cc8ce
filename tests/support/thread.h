/* SPDX-License-Identifier: MIT */
/*
 * thread.h - what tests with threads need: a gate that threads wait at, an event of the loop that a
 * worker may set, threads of the test's own, and the number of threads.
 */
#ifndef ANYC_TESTS_SUPPORT_THREAD_H
#define ANYC_TESTS_SUPPORT_THREAD_H

#include <check.h>

#include <anyc/capacity_limiter.h>
#include <anyc/event.h>
#include <anyc/loop.h>
#include <anyc/thread.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Waits 5 s at most; false if nobody posted until then. */
static inline bool gate_wait(sem_t *gate)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 5;
    while (sem_timedwait(gate, &end) != 0) {
        if (errno != EINTR)
            return false;
    }
    return true;
}

static inline int loop_event_set_here(void *event)
{
    anyc_event_set(event);
    return 0;
}

/* In a worker thread; with a token in any other one. */
static inline void loop_event_set_with(anyc_event *event, anyc_token *token)
{
    ck_assert_int_eq(anyc_from_thread_run_sync(loop_event_set_here, event, token, NULL), 0);
}

static inline void loop_event_set(anyc_event *event)
{
    loop_event_set_with(event, NULL);
}

/* A thread that is none of anyc's. */
struct side_thread {
    pthread_t thread;
    int (*fn)(void *arg);
    void *arg;
    int rc; /* of fn, after the join */
};

static inline void *side_thread_main(void *arg)
{
    struct side_thread *side = arg;

    side->rc = side->fn(side->arg);
    return NULL;
}

static inline void side_thread_start(struct side_thread *side, int (*fn)(void *arg), void *arg)
{
    *side = (struct side_thread){.fn = fn, .arg = arg};
    ck_assert_int_eq(pthread_create(&side->thread, NULL, side_thread_main, side), 0);
}

static inline int side_thread_join(struct side_thread *side)
{
    ck_assert_int_eq(pthread_join(side->thread, NULL), 0);
    return side->rc;
}

static inline int side_thread_join_in_worker(void *side)
{
    (void)side_thread_join(side); /* its result is asked for afterwards */
    return 0;
}

/* In a task: the loop goes on meanwhile. */
static inline int side_thread_await(struct side_thread *side)
{
    ck_assert_int_eq(anyc_to_thread_run_sync(side_thread_join_in_worker, side, NULL, NULL), 0);
    return side->rc;
}

/* In a task: waits until the abandoned threads have given their tokens back, so that none outlives
 * the run and seems to leave memory behind. */
static inline void wait_for_tokens(const anyc_capacity_limiter *limiter)
{
    while (anyc_capacity_limiter_borrowed_tokens(limiter) > 0 && anyc_sleep(0.001) == 0)
        continue;
}

static inline int thread_entries(const char *path)
{
    DIR *dir = opendir(path);
    int count = -2; /* "." and ".." */

    if (dir == NULL)
        return -1;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/* Threads of this process. */
static inline int thread_count(void)
{
    return thread_entries("/proc/self/task");
}

static inline void *thread_tell_id(void *arg)
{
    *(pid_t *)arg = (pid_t)syscall(SYS_gettid);
    return NULL;
}

/* The same, after a first thread came and went: a sanitizer may keep one of its own from then on. */
static inline int thread_count_before(void)
{
    char path[64];
    pthread_t thread;
    pid_t id;

    if (pthread_create(&thread, NULL, thread_tell_id, &id) != 0)
        return -1;
    pthread_join(thread, NULL);
    snprintf(path, sizeof path, "/proc/self/task/%d", (int)id);
    while (access(path, F_OK) == 0) /* the system lists it for a moment more */
        usleep(100);
    return thread_count();
}

/* Waits until no more than `count` threads are left; false if that takes more than 1 s. */
static inline bool thread_count_falls_to(int count)
{
    for (int i = 0; i < 1000 && thread_count() > count; i++)
        usleep(1000);
    return thread_count() <= count;
}

/* Open descriptors of this process, and one more to look at them. */
static inline int thread_fd_count(void)
{
    return thread_entries("/proc/self/fd");
}

#endif
