/* SPDX-License-Identifier: MIT */
/*
 * exit_thread.c - a thread that waits for the end of one process.
 *
 * The process may outlive the run, and so may its thread: it reports through the run's token, and is
 * joined by the loop that hears of it, or ends by itself if there is none any more.
 */
#include "os/exit_thread.h"

#include <errno.h>
#include <sys/wait.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/list.h"
#include "core/post.h"
#include "threads/os_thread.h"

struct exit_thread {
    struct post post;
    anyc_token *token; /* one reference */
    pid_t pid;

    /* the loop's */
    pthread_t thread;
    anyc_list link;
    void (*seen)(struct process_exit *exit);
    struct process_exit *exit; /* NULL: it does not want to know any more */
    bool joined;
};

static void thread_free(struct exit_thread *thread)
{
    anyc__run_token_unref(thread->token);
    anyc__free(thread);
}

static void thread_join(struct exit_thread *thread)
{
    if (!thread->joined)
        pthread_join(thread->thread, NULL);
    thread->joined = true;
}

/* On the loop's thread: the thread is about to end. */
static void thread_reported(struct post *post)
{
    struct exit_thread *thread = ANYC__CONTAINER(post, struct exit_thread, post);
    struct process_exit *exit = thread->exit;

    if (exit != NULL)
        thread->seen(exit);
    ANYC_ASSERT(thread->exit == NULL); /* it is over, so the thread was forgotten */
    thread_join(thread);
    anyc__list_remove(&thread->link);
    thread_free(thread);
}

static void *thread_main(void *arg)
{
    struct exit_thread *thread = arg;
    siginfo_t info;
    anyc_loop *loop;
    int rc;

    anyc__thread_set_name("anyc-process");
    do
        rc = waitid(P_PID, (id_t)thread->pid, &info, WEXITED | WNOWAIT);
    while (rc < 0 && errno == EINTR);
    loop = anyc__run_token_enter(thread->token);
    if (loop == NULL) {
        pthread_detach(pthread_self());
        thread_free(thread);
        return NULL;
    }
    anyc__post(loop, &thread->post);
    anyc__run_token_leave(thread->token); /* the loop waits for this before it frees it */
    return NULL;
}

int anyc__exit_threads_init(struct exit_threads *threads, anyc_loop *loop)
{
    anyc_token *token = anyc__run_token_create(loop);

    if (token == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    *threads = (struct exit_threads){.loop = loop, .token = token};
    return 0;
}

void anyc__exit_threads_join(struct exit_threads *threads)
{
    anyc_list *node = anyc__list_first(&threads->list);

    for (; node != NULL; node = anyc__list_after(&threads->list, node)) {
        struct exit_thread *thread = ANYC__CONTAINER(node, struct exit_thread, link);

        if (thread->exit == NULL)
            thread_join(thread);
    }
}

void anyc__exit_threads_deinit(struct exit_threads *threads)
{
    anyc__run_token_end(threads->token);
    anyc__post_run(threads->loop); /* what they said before that */
    anyc__run_token_unref(threads->token);
}

int anyc__exit_thread_create(struct exit_threads *threads, struct process_exit *exit,
                             void (*seen)(struct process_exit *exit),
                             struct exit_thread **out_thread)
{
    struct exit_thread *thread = anyc__zalloc(sizeof *thread);
    int rc;

    if (thread == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    thread->post.fn = thread_reported;
    thread->pid = exit->pid;
    thread->seen = seen;
    thread->exit = exit;
    thread->token = threads->token;
    anyc__run_token_ref(thread->token);
    rc = anyc__thread_create(&thread->thread, thread_main, thread);
    if (rc < 0) {
        thread_free(thread);
        return anyc__fail_errno(-rc, "a thread that waits for process %ld", (long)exit->pid);
    }
    anyc__list_push(&threads->list, &thread->link);
    *out_thread = thread;
    return 0;
}

void anyc__exit_thread_forget(struct exit_thread *thread)
{
    thread->exit = NULL;
}
