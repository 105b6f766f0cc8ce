/* SPDX-License-Identifier: MIT */
/*
 * post.c - calls from other threads into a loop: a lock-free stack that the loop empties at once.
 */
#include "core/post.h"

#include "core/loop.h"
#include "core/tools.h"

void anyc__post(anyc_loop *loop, struct post *post)
{
    struct post_queue *queue = &loop->posts;
    struct post *head;

    atomic_fetch_add_explicit(&queue->posting, 1, memory_order_relaxed);
    anyc__tools_release(queue);
    head = atomic_load_explicit(&queue->head, memory_order_relaxed);
    do {
        post->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&queue->head, &head, post, memory_order_release,
                                                    memory_order_relaxed));
    if (head == NULL)
        loop->backend->wake(loop);
    atomic_fetch_sub_explicit(&queue->posting, 1, memory_order_release);
}

void anyc__post_run(anyc_loop *loop)
{
    struct post *post, *next, *first = NULL;

    if (atomic_load_explicit(&loop->posts.head, memory_order_relaxed) == NULL)
        return;
    post = atomic_exchange_explicit(&loop->posts.head, NULL, memory_order_acquire);
    anyc__tools_acquire(&loop->posts);
    for (; post != NULL; post = next) { /* the last one is on top */
        next = post->next;
        post->next = first;
        first = post;
    }
    while (first != NULL) {
        post = first;
        first = post->next;
        post->fn(post);
    }
}
