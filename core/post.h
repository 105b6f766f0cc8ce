/* SPDX-License-Identifier: MIT */
/*
 * post.h - calls from other threads into a loop.
 */
#ifndef ANYC_CORE_POST_H
#define ANYC_CORE_POST_H

#include <stdatomic.h>

#include <anyc/base.h>

/* Embed it in what is handed over. It belongs to the loop from the post until `fn` is called. */
struct post {
    struct post *next;
    void (*fn)(struct post *post); /* on the loop's thread, outside any task */
};

/* A stack of posts that is emptied at once and called in the order of posting. */
struct post_queue {
    _Atomic(struct post *) head;
    atomic_size_t posting; /* threads inside anyc__post: the loop stays until they have left */
};

/* From any thread: call post->fn(post) on the loop's thread soon. Neither blocks, allocates nor
 * fails. The loop must be held (anyc__loop_hold) until then, so that it is still there. */
void anyc__post(anyc_loop *loop, struct post *post);

/* On the loop's thread: call what was posted. */
void anyc__post_run(anyc_loop *loop);

#endif
