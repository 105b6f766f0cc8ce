/* SPDX-License-Identifier: MIT */
/*
 * memory_stream.h - hand items from task to task.
 *
 *     anyc_memory_send_stream *send;
 *     anyc_memory_receive_stream *receive;
 *     int item;
 *
 *     anyc_create_memory_object_stream(16, sizeof item, &send, &receive);
 *     ...                                    // in one task
 *     anyc_memory_send_stream_send(send, &item);
 *     anyc_aclose(send);
 *     ...                                    // in another
 *     while (anyc_memory_receive_stream_receive(receive, &item) >= 0)
 *         use(item);
 *     anyc_aclose(receive);
 *
 * Items have one size and are copied by value. What they point to changes hands with them: it is
 * the receiver's after a send that succeeded, the sender's after one that failed. The order is
 * first in, first out, for items as for tasks that wait. Any number of tasks may use one end; an
 * end can be cloned, and counts as closed for the other side when all its clones are.
 *
 * Both ends are object streams (&send->stream, &receive->stream) and resources: anyc_aclose frees
 * them. The _close functions, like anyc_close, keep the memory for tasks that may still look.
 */
#ifndef ANYC_MEMORY_STREAM_H
#define ANYC_MEMORY_STREAM_H

#include <anyc/base.h>
#include <anyc/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The end where items go in. */
typedef struct anyc_memory_send_stream {
    union {
        anyc_resource resource;
        anyc_object_stream stream;
    };
} anyc_memory_send_stream;

/** The end where items come out. */
typedef struct anyc_memory_receive_stream {
    union {
        anyc_resource resource;
        anyc_object_stream stream;
    };
} anyc_memory_receive_stream;

/** What a memory stream may be told; all zero means the defaults. */
typedef struct anyc_memory_object_stream_options {
    /* Called once for each item that is still in the buffer when the last receive end is closed,
     * to free what the item points to; may not suspend. NULL: nothing is done. */
    void (*destroy_item)(void *item, void *arg);
    void *arg; /* handed to it */
} anyc_memory_object_stream_options;

/** What can be known of a memory stream. */
typedef struct anyc_memory_stream_stats {
    size_t current_buffer_used; /* items in the buffer */
    size_t max_buffer_size;     /* items; SIZE_MAX: no limit */
    size_t open_send_streams;   /* send ends, clones included, that are not closed */
    size_t open_receive_streams;
    size_t tasks_waiting_send;
    size_t tasks_waiting_receive;
} anyc_memory_stream_stats;

/**
 * Create a stream with its two ends.
 *
 * @param max_buffer_size  items that may be sent before someone receives; 0: each send waits for a
 *                         receiver; SIZE_MAX: no limit. Memory is taken as it is needed
 * @param item_size        bytes of an item, at least 1
 * @param out_send         the sending end
 * @param out_receive      the receiving end
 *
 * Returns: 0, or
 *   ANYC_EINVAL item_size is 0, or max_buffer_size was a negative number
 *   ANYC_ENOMEM out of memory
 * Owns:    both ends are the caller's, to be ended with anyc_aclose.
 * Cancel:  never suspends.
 * Threads: any thread; from the first use on one loop's only.
 * AnyIO:   create_memory_object_stream.
 */
ANYC_API int anyc_create_memory_object_stream(size_t max_buffer_size, size_t item_size,
                                              anyc_memory_send_stream **out_send,
                                              anyc_memory_receive_stream **out_receive);

/**
 * The same with options.
 *
 * @param max_buffer_size  as above
 * @param item_size        as above
 * @param options          NULL or zero fields: defaults
 * @param out_send         the sending end
 * @param out_receive      the receiving end
 *
 * Returns: as anyc_create_memory_object_stream.
 * Owns:    options->arg is borrowed until the last receive end is closed.
 * Cancel:  never suspends.
 * Threads: any thread; from the first use on one loop's only.
 * AnyIO:   create_memory_object_stream (Python collects forgotten items by itself).
 */
ANYC_API int anyc_create_memory_object_stream_with(size_t max_buffer_size, size_t item_size,
                                                   const anyc_memory_object_stream_options *options,
                                                   anyc_memory_send_stream **out_send,
                                                   anyc_memory_receive_stream **out_receive);

/**
 * Send an item, waiting until a receiver or the buffer can take it.
 *
 * @param stream  open send end
 * @param item    copied; borrowed until the call returns
 *
 * Returns: 0, or
 *   ANYC_ECLOSED    this end is closed, also while the task was waiting
 *   ANYC_EBROKEN    all receive ends are closed
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOMEM     the buffer could not grow
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    what the item points to is the receiver's on success, the sender's on any error.
 * Cancel:  checkpoint. When cancelled, the item was not sent.
 * Threads: the stream's loop only.
 * AnyIO:   MemoryObjectSendStream.send.
 */
ANYC_API int anyc_memory_send_stream_send(anyc_memory_send_stream *stream, const void *item);

/**
 * Send an item if a receiver waits or there is room in the buffer.
 *
 * @param stream  open send end
 * @param item    copied
 *
 * Returns: 0, or
 *   ANYC_EWOULDBLOCK nobody can take the item now
 *   ANYC_ECLOSED     this end is closed
 *   ANYC_EBROKEN     all receive ends are closed
 *   ANYC_ENOMEM      the buffer could not grow
 * Owns:    as anyc_memory_send_stream_send.
 * Cancel:  never suspends; a task that it wakes runs later.
 * Threads: the stream's loop only (tasks and callbacks of the loop).
 * AnyIO:   MemoryObjectSendStream.send_nowait.
 */
ANYC_API int anyc_memory_send_stream_send_nowait(anyc_memory_send_stream *stream, const void *item);

/**
 * Make another send end of the same stream. The stream ends for receivers when all are closed.
 *
 * @param stream     open send end
 * @param out_clone  the new end
 *
 * Returns: 0, ANYC_ECLOSED if this end is closed, or ANYC_ENOMEM.
 * Owns:    the clone is the caller's, to be ended with anyc_aclose.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   MemoryObjectSendStream.clone.
 */
ANYC_API int anyc_memory_send_stream_clone(anyc_memory_send_stream *stream,
                                           anyc_memory_send_stream **out_clone);

/**
 * Close a send end and keep its memory. Tasks that wait in it get ANYC_ECLOSED and their items
 * back. With the last one, receivers that wait get ANYC_EOF; items in the buffer can still be
 * received. Closing again does nothing.
 *
 * @param stream  send end
 *
 * Owns:    nothing is taken; anyc_aclose frees the end.
 * Cancel:  never suspends.
 * Threads: the stream's loop only (tasks and callbacks of the loop).
 * AnyIO:   MemoryObjectSendStream.close.
 */
ANYC_API void anyc_memory_send_stream_close(anyc_memory_send_stream *stream);

/**
 * How full the stream is, and who uses it. Takes time in proportion to the tasks that wait.
 *
 * @param stream     send end, closed or not
 * @param out_stats  filled in
 *
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   MemoryObjectSendStream.statistics.
 */
ANYC_API void anyc_memory_send_stream_statistics(const anyc_memory_send_stream *stream,
                                                 anyc_memory_stream_stats *out_stats);

/**
 * Receive an item, waiting until there is one.
 *
 * @param stream  open receive end
 * @param item    room for one item; unchanged on error
 *
 * Returns: 0, or
 *   ANYC_EOF        all send ends are closed and the buffer is empty
 *   ANYC_ECLOSED    this end is closed, also while the task was waiting
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    what the item points to becomes the receiver's.
 * Cancel:  checkpoint. When cancelled, no item was taken; an item that was handed over before the
 *          cancellation is received, and the next checkpoint answers the cancellation.
 * Threads: the stream's loop only.
 * AnyIO:   MemoryObjectReceiveStream.receive.
 */
ANYC_API int anyc_memory_receive_stream_receive(anyc_memory_receive_stream *stream, void *item);

/**
 * Receive an item if there is one in the buffer or a sender waits.
 *
 * @param stream  open receive end
 * @param item    room for one item; unchanged on error
 *
 * Returns: 0, or
 *   ANYC_EWOULDBLOCK there is none now
 *   ANYC_EOF         all send ends are closed and the buffer is empty
 *   ANYC_ECLOSED     this end is closed
 * Owns:    what the item points to becomes the receiver's.
 * Cancel:  never suspends; a task that it wakes runs later.
 * Threads: the stream's loop only (tasks and callbacks of the loop).
 * AnyIO:   MemoryObjectReceiveStream.receive_nowait.
 */
ANYC_API int anyc_memory_receive_stream_receive_nowait(anyc_memory_receive_stream *stream,
                                                       void *item);

/**
 * Make another receive end of the same stream. Each item goes to one of them.
 *
 * @param stream     open receive end
 * @param out_clone  the new end
 *
 * Returns: 0, ANYC_ECLOSED if this end is closed, or ANYC_ENOMEM.
 * Owns:    the clone is the caller's, to be ended with anyc_aclose.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   MemoryObjectReceiveStream.clone.
 */
ANYC_API int anyc_memory_receive_stream_clone(anyc_memory_receive_stream *stream,
                                              anyc_memory_receive_stream **out_clone);

/**
 * Close a receive end and keep its memory. Tasks that wait in it get ANYC_ECLOSED. With the last
 * one, senders that wait get ANYC_EBROKEN, and items in the buffer are dropped (destroy_item).
 * Closing again does nothing.
 *
 * @param stream  receive end
 *
 * Owns:    nothing is taken; anyc_aclose frees the end.
 * Cancel:  never suspends.
 * Threads: the stream's loop only (tasks and callbacks of the loop).
 * AnyIO:   MemoryObjectReceiveStream.close.
 */
ANYC_API void anyc_memory_receive_stream_close(anyc_memory_receive_stream *stream);

/**
 * How full the stream is, and who uses it. Takes time in proportion to the tasks that wait.
 *
 * @param stream     receive end, closed or not
 * @param out_stats  filled in
 *
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   MemoryObjectReceiveStream.statistics.
 */
ANYC_API void anyc_memory_receive_stream_statistics(const anyc_memory_receive_stream *stream,
                                                    anyc_memory_stream_stats *out_stats);

#ifdef __cplusplus
}
#endif

#endif
