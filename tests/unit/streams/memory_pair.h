/* SPDX-License-Identifier: MIT */
/*
 * memory_pair.h - a memory stream of strings, and tasks that use it.
 */
#ifndef ANYC_TESTS_STREAMS_MEMORY_PAIR_H
#define ANYC_TESTS_STREAMS_MEMORY_PAIR_H

#include <anyc/memory_stream.h>
#include <anyc/task.h>

/* One stream of strings with its two ends. */
struct pair {
    anyc_memory_send_stream *send;
    anyc_memory_receive_stream *receive;
};

/* A task that sends or receives one string. Its result stays here, its group sees none. */
struct job {
    struct pair *pair;
    const char *item;
    int rc;
    anyc_cancel_scope scope;
    bool cancel_called;
    int next_rc;  /* of a checkpoint after the call, in the scope */
    int after_rc; /* of one after the scope */
};

void pair_open(struct pair *pair, size_t max_buffer_size);
void pair_end(struct pair *pair);

int send_text(const struct pair *pair, const char *text);
int send_text_nowait(const struct pair *pair, const char *text);

/* Receive something that is not there. */
int receive_text_nowait(const struct pair *pair);

/* Receive this text. */
void expect(const struct pair *pair, const char *expected);
void expect_nowait(const struct pair *pair, const char *expected);

/* Task functions for a job. */
int sender(void *arg);
int send_for_ever(void *arg); /* until an error */
int receiver(void *arg);
int receiver_in_a_scope(void *arg);

void group_start(anyc_task_group *group, anyc_task_fn fn, void *arg);

#endif
