/* SPDX-License-Identifier: MIT */
/*
 * test_post.c - calls from other threads into a loop (WHITEBOX).
 */
#include "support/tasks.h"

#include <anyc/event.h>

#include "core/list.h"
#include "core/loop.h"
#include "core/post.h"

#include <pthread.h>
#include <stdlib.h>

#define THREADS 4
#define POSTS 25000 /* of each thread */

struct counter;

struct numbered_post {
    struct post post;
    struct counter *counter;
    int thread;
    int number;
};

/* Shared by all threads; but for `loop` and `posts`, touched by the loop's thread only. */
struct counter {
    anyc_loop *loop;
    struct numbered_post *posts;
    int next[THREADS]; /* number that is expected from each */
    int out_of_order;
    int in_tasks; /* called while a task was running */
    int called;
    anyc_event all;
};

static void count_post(struct post *post)
{
    struct numbered_post *numbered = ANYC__CONTAINER(post, struct numbered_post, post);
    struct counter *counter = numbered->counter;

    counter->out_of_order += numbered->number != counter->next[numbered->thread];
    counter->next[numbered->thread]++;
    counter->in_tasks += counter->loop->head.current != NULL;
    if (++counter->called == THREADS * POSTS)
        anyc_event_set(&counter->all);
}

struct poster {
    pthread_t thread;
    struct counter *counter;
    int number;
};

static void *post_all(void *arg)
{
    struct poster *poster = arg;

    for (int i = 0; i < POSTS; i++) {
        struct numbered_post *post = &poster->counter->posts[poster->number * POSTS + i];

        *post = (struct numbered_post){
            .post.fn = count_post,
            .counter = poster->counter,
            .thread = poster->number,
            .number = i,
        };
        anyc__post(poster->counter->loop, &post->post);
    }
    return NULL;
}

static void check_100000_posts(void)
{
    struct counter counter = {.loop = anyc__loop};
    struct poster posters[THREADS];

    counter.posts = calloc((size_t)THREADS * POSTS, sizeof *counter.posts);
    ck_assert_ptr_nonnull(counter.posts);
    anyc__loop_hold(anyc__loop);
    for (int i = 0; i < THREADS; i++) {
        posters[i] = (struct poster){.counter = &counter, .number = i};
        ck_assert_ok(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]));
    }
    ck_assert_ok(anyc_event_wait(&counter.all));
    anyc__loop_release(anyc__loop);
    for (int i = 0; i < THREADS; i++)
        ck_assert_ok(pthread_join(posters[i].thread, NULL));
    ck_assert_int_eq(counter.called, THREADS * POSTS);
    ck_assert_int_eq(counter.out_of_order, 0);
    ck_assert_int_eq(counter.in_tasks, 0);
    free(counter.posts);
}

ANYC_TEST(test_post__calls_what_4_threads_post_100000_times)
{
    check_100000_posts();
}

ANYC_TEST_WITH(test_post__works_with_the_virtual_clock, .clock = ANYC_CLOCK_VIRTUAL)
{
    check_100000_posts();
}

static int spin_task(void *arg)
{
    const bool *stop = arg;

    while (!*stop)
        ck_assert_ok(anyc_cancel_shielded_checkpoint());
    return 0;
}

/* Tasks that are always ready keep no post waiting. */
static void check_busy_loop(void)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool stop = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 3; i++)
        spawn(&group, spin_task, &stop);
    check_100000_posts();
    stop = true;
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

ANYC_TEST(test_post__is_called_while_tasks_are_always_ready)
{
    check_busy_loop();
}

ANYC_TEST_WITH(test_post__is_called_while_tasks_are_always_ready_on_the_virtual_clock,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    check_busy_loop();
}

struct late_post {
    struct post post;
    anyc_loop *loop;
    bool called;
};

static void note_post(struct post *post)
{
    ANYC__CONTAINER(post, struct late_post, post)->called = true;
}

static int post_and_return(void *arg)
{
    struct late_post *late = arg;

    anyc__post(anyc__loop, &late->post);
    return 0;
}

ANYC_TEST_PLAIN(test_post__is_called_even_when_the_run_ends_first)
{
    struct late_post late = {.post.fn = note_post};

    ck_assert_ok(run_on_backend(post_and_return, &late));
    ck_assert(late.called);
}
