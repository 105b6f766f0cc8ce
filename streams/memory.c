/* SPDX-License-Identifier: MIT */
/*
 * memory.c - hand items from task to task. AnyIO: create_memory_object_stream.
 *
 * A sender that must wait leaves a node on its stack that points to its item; the receiver copies
 * the item from there. A receiver that must wait leaves one that points to its room, and the sender
 * copies into it. So the buffer is needed only for items that are sent ahead.
 *
 * Invariants: receivers wait => the buffer is empty and no sender waits;
 * senders wait => buffer.count == max; a task waits in an end => that end is open;
 * open_receive == 0 => buffer.count == 0; ends >= open_send + open_receive.
 */
#include <anyc/memory_stream.h>

#include "core/error.h"
#include "core/suspend.h"
#include "streams/item_ring.h"
#include "streams/stream.h"

/* What the ends of one stream share. */
struct memory_state {
    struct item_ring buffer;
    size_t max;        /* items in the buffer */
    anyc_list senders; /* struct memory_waiter, longest wait first */
    anyc_list receivers;
    size_t open_send;
    size_t open_receive;
    size_t ends; /* whose memory is not freed yet; the state goes with the last */
    anyc_memory_object_stream_options options;
};

/* A send end or a receive end. */
struct memory_end {
    union {
        anyc_resource resource;
        anyc_object_stream stream;
        anyc_memory_send_stream send;
        anyc_memory_receive_stream receive;
    };
    struct memory_state *state;
    struct stream_life life;
    bool closed;
};

struct memory_waiter {
    struct task_wait wait;
    const struct memory_end *end;
    union {
        const void *from; /* the sender's item */
        void *to;         /* the receiver's room */
    } item;
};

static const struct wait_type memory_send_wait = {.what = "memory stream send"};
static const struct wait_type memory_receive_wait = {.what = "memory stream receive"};

static inline struct memory_end *memory_end_of(const anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct memory_end, resource);
}

static inline struct memory_waiter *memory_first(const anyc_list *waiters)
{
    anyc_list *node = anyc__list_first(waiters);

    return node == NULL ? NULL : ANYC__CONTAINER(node, struct memory_waiter, wait.link);
}

/* Pass a result on; an error other than the cancellation, which core sets, is kept as the task's
 * last one. */
static inline int memory_answer(int rc)
{
    return rc >= 0 || rc == ANYC_ECANCELLED ? rc : anyc__fail_plain(rc);
}

static void memory_end_free(struct memory_end *end)
{
    if (--end->state->ends == 0)
        anyc__free(end->state);
    anyc__free(end);
}

/* The checkpoint, which may let others run. After an error the end may be gone. */
static int memory_enter(struct memory_end *end)
{
    anyc_task *task;
    int rc;

    anyc__stream_hold(&end->life);
    rc = anyc__enter(&task);
    if (anyc__stream_release(&end->life)) {
        memory_end_free(end);
        return rc < 0 ? rc : anyc__fail_plain(ANYC_ECLOSED);
    }
    return rc;
}

/* Give an item to the first receiver, else to the buffer. */
static inline int memory_put(const struct memory_end *end, const void *item)
{
    struct memory_state *state = end->state;
    struct memory_waiter *receiver = memory_first(&state->receivers);

    if (end->closed)
        return ANYC_ECLOSED;
    if (receiver != NULL) {
        anyc__item_copy(receiver->item.to, item, state->buffer.item_size);
        anyc__wake(&receiver->wait, 0);
        return 0;
    }
    if (state->open_receive == 0)
        return ANYC_EBROKEN;
    if (state->buffer.count == state->max)
        return ANYC_EWOULDBLOCK;
    return anyc__item_ring_push(&state->buffer, item, state->max);
}

/* Take the first item of the buffer, which makes room for that of the first sender; without a
 * buffer take the sender's itself. */
static inline int memory_take(const struct memory_end *end, void *item)
{
    struct memory_state *state = end->state;
    struct memory_waiter *sender = memory_first(&state->senders);

    if (end->closed)
        return ANYC_ECLOSED;
    if (state->buffer.count > 0)
        anyc__item_ring_pop(&state->buffer, item);
    else if (sender != NULL)
        anyc__item_copy(item, sender->item.from, state->buffer.item_size);
    else
        return state->open_send == 0 ? ANYC_EOF : ANYC_EWOULDBLOCK;
    if (sender != NULL) {
        if (state->max > 0) /* there is room: one item less than before */
            (void)anyc__item_ring_push(&state->buffer, sender->item.from, state->max);
        anyc__wake(&sender->wait, 0);
    }
    return 0;
}

/* Wake those who wait in `end`, or all if that is NULL. */
static void memory_wake(anyc_list *waiters, const struct memory_end *end, int rc)
{
    anyc_list *node = anyc__list_first(waiters);

    while (node != NULL) {
        struct memory_waiter *waiter = ANYC__CONTAINER(node, struct memory_waiter, wait.link);

        node = anyc__list_after(waiters, node);
        if (end == NULL || waiter->end == end)
            anyc__wake(&waiter->wait, rc);
    }
}

/* Nobody can receive any more. The buffer is moved aside first: destroy_item may call back. */
static void memory_drop_items(struct memory_state *state)
{
    struct item_ring left = state->buffer;
    size_t i;

    state->buffer = (struct item_ring){.item_size = left.item_size};
    if (state->options.destroy_item != NULL) {
        for (i = 0; i < left.count; i++)
            state->options.destroy_item(anyc__item_ring_at(&left, i), state->options.arg);
    }
    anyc__free(left.items);
}

static int memory_send_close(anyc_resource *resource, bool forcefully)
{
    struct memory_end *end = memory_end_of(resource);
    struct memory_state *state = end->state;

    (void)forcefully;
    if (end->closed)
        return 0;
    end->closed = true;
    state->open_send--;
    memory_wake(&state->senders, end, ANYC_ECLOSED);
    if (state->open_send == 0)
        memory_wake(&state->receivers, NULL, ANYC_EOF);
    return 0;
}

static int memory_receive_close(anyc_resource *resource, bool forcefully)
{
    struct memory_end *end = memory_end_of(resource);
    struct memory_state *state = end->state;

    (void)forcefully;
    if (end->closed)
        return 0;
    end->closed = true;
    state->open_receive--;
    memory_wake(&state->receivers, end, ANYC_ECLOSED);
    if (state->open_receive == 0) {
        memory_wake(&state->senders, NULL, ANYC_EBROKEN);
        memory_drop_items(state);
    }
    return 0;
}

static void memory_destroy(anyc_resource *resource)
{
    struct memory_end *end = memory_end_of(resource);

    if (anyc__stream_destroy(&end->life))
        memory_end_free(end);
}

static int memory_slot_send(anyc_object_stream *stream, const void *item)
{
    return anyc_memory_send_stream_send(&memory_end_of(&stream->resource)->send, item);
}

static int memory_slot_send_nowait(anyc_object_stream *stream, const void *item)
{
    return anyc_memory_send_stream_send_nowait(&memory_end_of(&stream->resource)->send, item);
}

/* One direction is all there is: its end is the close. */
static int memory_slot_send_eof(anyc_object_stream *stream)
{
    int rc = memory_enter(memory_end_of(&stream->resource));

    return rc < 0 ? rc : memory_send_close(&stream->resource, false);
}

static int memory_slot_receive(anyc_object_stream *stream, void *item)
{
    return anyc_memory_receive_stream_receive(&memory_end_of(&stream->resource)->receive, item);
}

static const anyc_object_stream_ops memory_send_ops = {
    .resource =
        {
            .type = "memory send stream",
            .close = memory_send_close,
            .destroy = memory_destroy,
            .extra = anyc_no_attributes,
        },
    .receive = anyc_no_object_receive,
    .send = memory_slot_send,
    .send_nowait = memory_slot_send_nowait,
    .send_eof = memory_slot_send_eof,
};

static const anyc_object_stream_ops memory_receive_ops = {
    .resource =
        {
            .type = "memory receive stream",
            .close = memory_receive_close,
            .destroy = memory_destroy,
            .extra = anyc_no_attributes,
        },
    .receive = memory_slot_receive,
    .send = anyc_no_object_send,
    .send_nowait = anyc_no_object_send_nowait,
    .send_eof = anyc_no_object_send_eof,
};

/* A new open end, counted in the state; NULL without memory. */
static struct memory_end *memory_end_create(struct memory_state *state,
                                            const anyc_object_stream_ops *ops, size_t *open)
{
    struct memory_end *end = anyc__zalloc(sizeof *end);

    if (end == NULL)
        return NULL;
    end->stream = (anyc_object_stream){
        .resource = {&ops->resource},
        .ops = ops,
        .item_size = state->buffer.item_size,
        .reliable = true,
    };
    end->state = state;
    state->ends++;
    (*open)++;
    return end;
}

int anyc_create_memory_object_stream(size_t max_buffer_size, size_t item_size,
                                     anyc_memory_send_stream **out_send,
                                     anyc_memory_receive_stream **out_receive)
{
    return anyc_create_memory_object_stream_with(max_buffer_size, item_size, NULL, out_send,
                                                 out_receive);
}

int anyc_create_memory_object_stream_with(size_t max_buffer_size, size_t item_size,
                                          const anyc_memory_object_stream_options *options,
                                          anyc_memory_send_stream **out_send,
                                          anyc_memory_receive_stream **out_receive)
{
    struct memory_state *state = NULL;
    struct memory_end *send = NULL;
    struct memory_end *receive = NULL;

    if (item_size == 0)
        return anyc__fail(ANYC_EINVAL, 0, "the items of a memory stream need a size");
    if (max_buffer_size > PTRDIFF_MAX && max_buffer_size != SIZE_MAX)
        return anyc__fail(ANYC_EINVAL, 0, "max_buffer_size cannot be negative");
    state = anyc__zalloc(sizeof *state);
    if (state == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    state->buffer.item_size = item_size;
    state->max = max_buffer_size;
    if (options != NULL)
        state->options = *options;
    send = memory_end_create(state, &memory_send_ops, &state->open_send);
    receive = memory_end_create(state, &memory_receive_ops, &state->open_receive);
    if (send == NULL || receive == NULL) {
        anyc__free(send);
        anyc__free(receive);
        anyc__free(state);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    *out_send = &send->send;
    *out_receive = &receive->receive;
    return 0;
}

/* What is not done at once; has the checkpoint been passed? */
static NEVER_INLINE int memory_send_slowly(struct memory_end *end, const void *item, bool entered)
{
    struct memory_waiter waiter;
    int rc = entered ? 0 : memory_enter(end);

    if (rc < 0)
        return rc;
    rc = memory_put(end, item);
    if (rc == ANYC_EWOULDBLOCK) {
        waiter = (struct memory_waiter){.end = end, .item.from = item};
        anyc__list_push(&end->state->senders, &waiter.wait.link);
        rc = anyc__wait_inlined(&waiter.wait, &memory_send_wait, end);
    }
    return memory_answer(rc);
}

int anyc_memory_send_stream_send(anyc_memory_send_stream *stream, const void *item)
{
    struct memory_end *end = memory_end_of(&stream->resource);
    struct item_ring *buffer = &end->state->buffer;
    anyc_task *task;
    bool entered = anyc__enter_at_once(&task);

    if (UNLIKELY(!entered || end->closed || end->state->open_receive == 0 ||
                 !anyc__list_empty(&end->state->receivers) || buffer->count == end->state->max ||
                 !anyc__item_ring_push_pointer(buffer, item)))
        return memory_send_slowly(end, item, entered);
    return 0;
}

int anyc_memory_send_stream_send_nowait(anyc_memory_send_stream *stream, const void *item)
{
    return memory_answer(memory_put(memory_end_of(&stream->resource), item));
}

int anyc_memory_send_stream_clone(anyc_memory_send_stream *stream,
                                  anyc_memory_send_stream **out_clone)
{
    const struct memory_end *end = memory_end_of(&stream->resource);
    struct memory_end *clone;

    if (end->closed)
        return anyc__fail_plain(ANYC_ECLOSED);
    clone = memory_end_create(end->state, &memory_send_ops, &end->state->open_send);
    if (clone == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    *out_clone = &clone->send;
    return 0;
}

void anyc_memory_send_stream_close(anyc_memory_send_stream *stream)
{
    (void)memory_send_close(&stream->resource, false); /* cannot fail */
}

static void memory_statistics(const struct memory_state *state, anyc_memory_stream_stats *out_stats)
{
    const anyc_list *node;

    *out_stats = (anyc_memory_stream_stats){
        .current_buffer_used = state->buffer.count,
        .max_buffer_size = state->max,
        .open_send_streams = state->open_send,
        .open_receive_streams = state->open_receive,
    };
    for (node = anyc__list_first(&state->senders); node != NULL;
         node = anyc__list_after(&state->senders, node))
        out_stats->tasks_waiting_send++;
    for (node = anyc__list_first(&state->receivers); node != NULL;
         node = anyc__list_after(&state->receivers, node))
        out_stats->tasks_waiting_receive++;
}

void anyc_memory_send_stream_statistics(const anyc_memory_send_stream *stream,
                                        anyc_memory_stream_stats *out_stats)
{
    memory_statistics(memory_end_of(&stream->resource)->state, out_stats);
}

/* What is not done at once; has the checkpoint been passed? */
static NEVER_INLINE int memory_receive_slowly(struct memory_end *end, void *item, bool entered)
{
    struct memory_waiter waiter;
    int rc = entered ? 0 : memory_enter(end);

    if (rc < 0)
        return rc;
    rc = memory_take(end, item);
    if (rc == ANYC_EWOULDBLOCK) {
        waiter = (struct memory_waiter){.end = end, .item.to = item};
        anyc__list_push(&end->state->receivers, &waiter.wait.link);
        rc = anyc__wait_inlined(&waiter.wait, &memory_receive_wait, end);
    }
    return memory_answer(rc);
}

int anyc_memory_receive_stream_receive(anyc_memory_receive_stream *stream, void *item)
{
    struct memory_end *end = memory_end_of(&stream->resource);
    anyc_task *task;
    bool entered = anyc__enter_at_once(&task);

    if (UNLIKELY(!entered || end->closed || !anyc__list_empty(&end->state->senders) ||
                 !anyc__item_ring_pop_pointer(&end->state->buffer, item)))
        return memory_receive_slowly(end, item, entered);
    return 0;
}

int anyc_memory_receive_stream_receive_nowait(anyc_memory_receive_stream *stream, void *item)
{
    return memory_answer(memory_take(memory_end_of(&stream->resource), item));
}

int anyc_memory_receive_stream_clone(anyc_memory_receive_stream *stream,
                                     anyc_memory_receive_stream **out_clone)
{
    const struct memory_end *end = memory_end_of(&stream->resource);
    struct memory_end *clone;

    if (end->closed)
        return anyc__fail_plain(ANYC_ECLOSED);
    clone = memory_end_create(end->state, &memory_receive_ops, &end->state->open_receive);
    if (clone == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    *out_clone = &clone->receive;
    return 0;
}

void anyc_memory_receive_stream_close(anyc_memory_receive_stream *stream)
{
    (void)memory_receive_close(&stream->resource, false); /* cannot fail */
}

void anyc_memory_receive_stream_statistics(const anyc_memory_receive_stream *stream,
                                           anyc_memory_stream_stats *out_stats)
{
    memory_statistics(memory_end_of(&stream->resource)->state, out_stats);
}
