/* SPDX-License-Identifier: MIT */
/*
 * stream.h - what all streams and listeners have in common: byte streams, object streams, and
 * listeners that accept byte streams.
 *
 *     static int echo(anyc_byte_stream *stream, void *arg)
 *     {
 *         char buf[4096];
 *         ssize_t n;
 *         int rc = 0;
 *
 *         while (rc >= 0 && (n = anyc_receive(stream, buf, sizeof buf)) > 0)
 *             rc = anyc_send(stream, buf, (size_t)n);
 *         anyc_aclose(stream);
 *         return rc;
 *     }
 *
 * Everything that can be read or written in this way is an anyc_byte_stream, whatever is behind
 * it, and ends with anyc_aclose. Whoever wants to write a stream fills an ops table and calls the
 * init function; the tables say slot by slot what is expected.
 */
#ifndef ANYC_STREAM_H
#define ANYC_STREAM_H

#include <sys/types.h>
#include <sys/uio.h>

#include <anyc/base.h>
#include <anyc/resource.h>
#include <anyc/task.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct anyc_byte_stream anyc_byte_stream;
typedef struct anyc_object_stream anyc_object_stream;
typedef struct anyc_listener anyc_listener;

/* -- byte streams -- */

/** What a byte stream can do. Every slot must be set; the functions named anyc_no_... below fill
 * those of a missing direction. The slots are called by tasks of the stream's loop through the
 * public functions, which have checked the arguments. Each is an asynchronous function: a
 * checkpoint first, which does nothing when cancelled. One task may receive while another sends;
 * a second one in the same direction gets ANYC_EBUSY (or waits its turn, if the stream can keep
 * them apart). */
typedef struct anyc_byte_stream_ops {
    anyc_resource_ops resource;

    /* Wait for at least one byte and store 1..max_bytes of them. max_bytes is 1..SSIZE_MAX. The end
     * is ANYC_EOF, again and again, never 0. Once bytes were taken they must be answered: no
     * cancellation after that. Errors store nothing. */
    ssize_t (*receive)(anyc_byte_stream *stream, void *buf, size_t max_bytes);

    /* Send all bytes, waiting as often as it takes. Answers 0 or an error, by which an unknown part
     * may have been sent. `buf` stays the caller's and is not used after. When len is 0, nothing
     * is sent (no empty packet or record), but the call is a checkpoint all the same, and answers
     * ANYC_ECLOSED if the stream is closed. */
    int (*send)(anyc_byte_stream *stream, const void *buf, size_t len);

    /* The same for several pieces in one go, in order. There may be any number of them, some of
     * them empty, at least one not. anyc_sendv_by_send will do; it uses the stream after each
     * piece, so if it may be freed meanwhile, write a slot that keeps its memory around that. */
    int (*sendv)(anyc_byte_stream *stream, const struct iovec *pieces, int count);

    /* Send a part, at least one byte, waiting until that is possible; len is 1..SSIZE_MAX. Answers
     * how many bytes were sent. After an error, a cancellation above all, none of them was: a
     * stream that must know where it stands (TLS) builds on this slot. anyc_send_some_by_send will
     * do if need be: it sends everything, and is deaf to cancellation meanwhile. */
    ssize_t (*send_some)(anyc_byte_stream *stream, const void *buf, size_t len);

    /* Tell the peer that no more will be sent; receiving goes on. Repeating it is harmless. Later
     * sends answer ANYC_ECLOSED. */
    int (*send_eof)(anyc_byte_stream *stream);
} anyc_byte_stream_ops;

/** A stream of bytes. The fields are for who implements one. */
struct anyc_byte_stream {
    anyc_resource resource; /* resource.ops == &ops->resource */
    const anyc_byte_stream_ops *ops;
};

/**
 * Begin a byte stream of one's own.
 *
 * @param stream  storage, the first member of a larger struct as a rule
 * @param ops     the table, with all slots set; must live as long as the program
 *
 * Returns: 0, or ANYC_EINVAL if a slot is missing; `stream` is unchanged then.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   subclassing abc.ByteStream.
 */
ANYC_MUST_USE ANYC_API int anyc_byte_stream_init(anyc_byte_stream *stream,
                                                 const anyc_byte_stream_ops *ops);

/**
 * Receive at least one byte, waiting until data arrives. A short read is normal.
 *
 * @param stream     open stream; borrowed
 * @param buf        where the bytes go; borrowed, unchanged on error
 * @param max_bytes  room in `buf`, bytes, at least 1
 *
 * Returns: bytes stored, 1..max_bytes, or
 *   ANYC_EINVAL     max_bytes is 0 or larger than SSIZE_MAX; looked at first of all
 *   ANYC_EOF        the peer finished sending; can be had again and again
 *   ANYC_ECLOSED    this side closed the stream, also while it was waiting
 *   ANYC_EBROKEN    the connection failed
 *   ANYC_EBUSY      another task is receiving
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   -ENOTSUP        the stream only sends
 * Owns:    nothing is taken or handed over.
 * Cancel:  checkpoint. When cancelled, no received byte is lost.
 * Threads: the stream's loop only.
 * AnyIO:   abc.ByteReceiveStream.receive (here the end of data is an error code).
 */
ANYC_API ssize_t anyc_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes);

/**
 * Send all of the given bytes.
 *
 * @param stream  open stream; borrowed
 * @param buf     the bytes; borrowed until the call returns
 * @param len     how many; with 0 the call is only a checkpoint that tells a closed stream
 *
 * Returns: 0, or
 *   ANYC_EINVAL     len is larger than SSIZE_MAX
 *   ANYC_ECLOSED    this side closed the stream or ended its sending
 *   ANYC_EBROKEN    the connection failed, or the peer has gone
 *   ANYC_EBUSY      another task is sending
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   -ENOTSUP        the stream only receives
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled at the start nothing was sent; later an unknown part was.
 * Threads: the stream's loop only.
 * AnyIO:   abc.ByteSendStream.send.
 */
ANYC_API int anyc_send(anyc_byte_stream *stream, const void *buf, size_t len);

/**
 * Send several pieces, one after the other, as if they were one.
 *
 * @param stream  open stream; borrowed
 * @param pieces  the pieces, some may be empty; borrowed and unchanged
 * @param count   of pieces; without a single byte in them the call is as anyc_send of 0 bytes
 *
 * Returns: as anyc_send; ANYC_EINVAL too for a negative count.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint, as anyc_send.
 * Threads: the stream's loop only.
 * AnyIO:   no counterpart.
 */
ANYC_API int anyc_sendv(anyc_byte_stream *stream, const struct iovec *pieces, int count);

/**
 * Send a part of the given bytes, at least one, and say how many. For whoever must know how much has
 * gone when the call is cancelled; anyc_send is what programs want as a rule.
 *
 * @param stream  open stream; borrowed
 * @param buf     the bytes; borrowed until the call returns
 * @param len     how many, 1..SSIZE_MAX
 *
 * Returns: bytes sent, 1..len, or an error of anyc_send; ANYC_EINVAL too for a len of 0. After an
 *          error none of these bytes was sent.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, nothing was sent.
 * Threads: the stream's loop only.
 * AnyIO:   no counterpart (socket.send).
 */
ANYC_API ssize_t anyc_send_some(anyc_byte_stream *stream, const void *buf, size_t len);

/**
 * Tell the peer that nothing more will be sent. Receiving goes on.
 *
 * @param stream  open stream; borrowed
 *
 * Returns: 0, also when it was done before, or
 *   ANYC_ECLOSED    this side closed the stream
 *   ANYC_EBROKEN    the connection failed
 *   ANYC_EBUSY      another task is sending
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   -ENOTSUP        the stream only receives, or knows no end of one direction
 * Owns:    nothing is taken.
 * Cancel:  checkpoint.
 * Threads: the stream's loop only.
 * AnyIO:   abc.ByteStream.send_eof.
 */
ANYC_API int anyc_send_eof(anyc_byte_stream *stream);

/** A ready `receive` slot for streams that only send: answers -ENOTSUP. */
ANYC_API ssize_t anyc_no_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes);
/** A ready `send` slot for streams that only receive: answers -ENOTSUP. */
ANYC_API int anyc_no_send(anyc_byte_stream *stream, const void *buf, size_t len);
/** A ready `sendv` slot for streams that only receive: answers -ENOTSUP. */
ANYC_API int anyc_no_sendv(anyc_byte_stream *stream, const struct iovec *pieces, int count);
/** A ready `send_some` slot for streams that only receive: answers -ENOTSUP. */
ANYC_API ssize_t anyc_no_send_some(anyc_byte_stream *stream, const void *buf, size_t len);
/** A ready `send_eof` slot for streams that cannot end one direction: answers -ENOTSUP. */
ANYC_API int anyc_no_send_eof(anyc_byte_stream *stream);
/** A ready `send_some` slot: sends up to 64 KiB by `send`, in a shielded scope; see the slot. */
ANYC_API ssize_t anyc_send_some_by_send(anyc_byte_stream *stream, const void *buf, size_t len);
/** A ready `sendv` slot: sends the pieces one by one; see the slot. */
ANYC_API int anyc_sendv_by_send(anyc_byte_stream *stream, const struct iovec *pieces, int count);

/* -- object streams -- */

/** What an object stream can do. Every slot must be set. What is said of byte streams holds here
 * too, but for the size: items have the size given to the init function. */
typedef struct anyc_object_stream_ops {
    anyc_resource_ops resource;

    /* Wait for one item and store it. Answers 0 or an error, by which nothing was taken. */
    int (*receive)(anyc_object_stream *stream, void *item);

    /* Send one item, waiting for room. Answers 0, or an error, by which the item (and what it
     * points to) is still the sender's. */
    int (*send)(anyc_object_stream *stream, const void *item);

    /* The same without suspending, inside or outside of tasks: ANYC_EWOULDBLOCK when there is no
     * room. */
    int (*send_nowait)(anyc_object_stream *stream, const void *item);

    /* Tell the peer that no more will be sent; receiving goes on. Repeating it is harmless. */
    int (*send_eof)(anyc_object_stream *stream);
} anyc_object_stream_ops;

/** A stream of items of one size, copied by value. The fields are for who implements one. */
struct anyc_object_stream {
    anyc_resource resource; /* resource.ops == &ops->resource */
    const anyc_object_stream_ops *ops;
    size_t item_size; /* bytes */
    bool reliable;    /* items arrive all and in order; false: like datagrams */
};

/**
 * Begin an object stream of one's own.
 *
 * @param stream     storage, the first member of a larger struct as a rule
 * @param ops        the table, with all slots set; must live as long as the program
 * @param item_size  bytes of an item, at least 1
 * @param reliable   do all items arrive, in order?
 *
 * Returns: 0, or ANYC_EINVAL if a slot is missing or the size is 0; `stream` is unchanged then.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   subclassing abc.ObjectStream or abc.UnreliableObjectStream.
 */
ANYC_MUST_USE ANYC_API int anyc_object_stream_init(anyc_object_stream *stream,
                                                   const anyc_object_stream_ops *ops,
                                                   size_t item_size, bool reliable);

/**
 * Receive one item, waiting until there is one.
 *
 * @param stream  open stream; borrowed
 * @param item    room for stream->item_size bytes; unchanged on error
 *
 * Returns: 0, or
 *   ANYC_EOF        the other side finished sending
 *   ANYC_ECLOSED    this side closed the stream, also while it was waiting
 *   ANYC_EBROKEN    the stream failed
 *   ANYC_EBUSY      another task is receiving (streams that can serve only one)
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   -ENOTSUP        the stream only sends
 * Owns:    what the item points to becomes the receiver's.
 * Cancel:  checkpoint. When cancelled, no item is lost.
 * Threads: the stream's loop only.
 * AnyIO:   abc.UnreliableObjectReceiveStream.receive.
 */
ANYC_API int anyc_object_receive(anyc_object_stream *stream, void *item);

/**
 * Send one item, waiting until there is room for it.
 *
 * @param stream  open stream; borrowed
 * @param item    stream->item_size bytes, copied; borrowed until the call returns
 *
 * Returns: 0, or
 *   ANYC_ECLOSED    this side closed the stream or ended its sending
 *   ANYC_EBROKEN    nobody can receive any more, or the stream failed
 *   ANYC_EBUSY      another task is sending (streams that can serve only one)
 *   ANYC_ENOMEM     out of memory; nothing was sent
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   -ENOTSUP        the stream only receives
 * Owns:    what the item points to becomes the receiver's on success, stays the sender's on error.
 * Cancel:  checkpoint. When cancelled, the item was not sent.
 * Threads: the stream's loop only.
 * AnyIO:   abc.UnreliableObjectSendStream.send.
 */
ANYC_API int anyc_object_send(anyc_object_stream *stream, const void *item);

/**
 * Send one item if that is possible without waiting.
 *
 * @param stream  open stream; borrowed
 * @param item    as for anyc_object_send
 *
 * Returns: 0, ANYC_EWOULDBLOCK if there is no room, -ENOTSUP if the stream cannot do this, or the
 *          other errors of anyc_object_send apart from ANYC_ECANCELLED and ANYC_ENOLOOP.
 * Owns:    as anyc_object_send.
 * Cancel:  never suspends.
 * Threads: the stream's loop only (tasks and callbacks of the loop).
 * AnyIO:   MemoryObjectSendStream.send_nowait, StapledObjectStream.send_nowait.
 */
ANYC_API int anyc_object_send_nowait(anyc_object_stream *stream, const void *item);

/**
 * Tell the other side that nothing more will be sent. Receiving goes on.
 *
 * @param stream  open stream; borrowed
 *
 * Returns: as anyc_send_eof.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint.
 * Threads: the stream's loop only.
 * AnyIO:   abc.ObjectStream.send_eof.
 */
ANYC_API int anyc_object_send_eof(anyc_object_stream *stream);

/** A ready `receive` slot for streams that only send: answers -ENOTSUP. */
ANYC_API int anyc_no_object_receive(anyc_object_stream *stream, void *item);
/** A ready `send` slot for streams that only receive: answers -ENOTSUP. */
ANYC_API int anyc_no_object_send(anyc_object_stream *stream, const void *item);
/** A ready `send_nowait` slot for streams that have no such thing: answers -ENOTSUP. */
ANYC_API int anyc_no_object_send_nowait(anyc_object_stream *stream, const void *item);
/** A ready `send_eof` slot for streams that cannot end one direction: answers -ENOTSUP. */
ANYC_API int anyc_no_object_send_eof(anyc_object_stream *stream);

/* -- object streams of bytes -- */

/** The item of an object stream of bytes: one chunk. Memory by anyc_bytes_init. */
typedef struct anyc_bytes {
    void *data;
    size_t len;
} anyc_bytes;

/**
 * Make a chunk that holds a copy of some bytes.
 *
 * @param bytes  storage for it
 * @param data   what to copy; may be NULL if len is 0
 * @param len    bytes
 *
 * Returns: 0, or ANYC_ENOMEM; `bytes` is unchanged then.
 * Owns:    the chunk is the caller's until it is sent.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   bytes().
 */
ANYC_API int anyc_bytes_init(anyc_bytes *bytes, const void *data, size_t len);

/**
 * Free the memory of a chunk, and make it empty.
 *
 * @param bytes  all zero, or by anyc_bytes_init, anyc_object_receive
 *
 * Owns:    the storage stays the caller's.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_bytes_deinit(anyc_bytes *bytes);

/**
 * anyc_bytes_deinit in the form that a memory stream's `destroy_item` wants.
 *
 * @param item  an anyc_bytes
 * @param arg   not used
 *
 * Owns:    the storage stays the caller's.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_bytes_destroy_item(void *item, void *arg);

/**
 * Make a byte stream of an object stream of chunks, so that whatever takes a byte stream takes
 * either. A chunk that does not fit into one receive is given out in parts; empty ones are passed
 * over. Each send makes one chunk.
 *
 * @param objects     a reliable stream of anyc_bytes; taken on success
 * @param out_stream  the new stream
 *
 * Returns: 0, or
 *   ANYC_EINVAL  the stream is unreliable, or its items are not of the size of anyc_bytes
 *   ANYC_ENOMEM  out of memory
 * Owns:    closing the new stream closes `objects`. On failure it stays the caller's.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   abc.AnyByteStream, which is either kind.
 */
ANYC_API int anyc_byte_stream_from_object_stream(anyc_object_stream *objects,
                                                 anyc_byte_stream **out_stream);

/* -- listeners -- */

/** Serves one connection, as a task of its own. It owns `stream`, and ends it with anyc_aclose on
 * every way out, also when it is cancelled. The result is the task's: a failure (other than a
 * cancellation) is logged and cancels the group that the connection's task belongs to. */
typedef int (*anyc_connection_fn)(anyc_byte_stream *stream, void *arg);

/** A call of anyc_listener_serve, for the `serve` slot. A listener over others may copy it and set
 * a handler of its own, which calls this one. */
typedef struct anyc_serving {
    anyc_connection_fn handler;
    void *arg;
    anyc_task_group *task_group; /* where the handlers run */
    struct serve_gate *gate;     /* private: copy it */
} anyc_serving;

/** What a listener can do. Every slot must be set. resource.destroy must call
 * anyc_listener_deinit, so that a call of anyc_listener_serve that still runs lets go of it. */
typedef struct anyc_listener_ops {
    anyc_resource_ops resource;

    /* Wait for a connection; the stream is the caller's. A checkpoint; no connection may be lost
     * by a cancellation. Answers 0, ANYC_ECLOSED, ANYC_EBUSY if another task is accepting, or
     * -errno: those of accept(2) that mean one bad connection or a shortage do not end
     * anyc_listener_serve_by_accept. anyc_no_accept for listeners that only serve. */
    int (*accept)(anyc_listener *listener, anyc_byte_stream **out_stream);

    /* Accept connections and run their handlers, until it fails or is cancelled; 0 after a stop.
     * anyc_listener_serve and anyc_listener_serve_with call it; anyc_listener_serve_by_accept will
     * do for all that can accept. A listener over others hands the call on to them, by
     * anyc_listener_serve_inner. */
    int (*serve)(anyc_listener *listener, const anyc_serving *serving);
} anyc_listener_ops;

/** A source of connections. The fields are for who implements one. */
struct anyc_listener {
    anyc_resource resource; /* resource.ops == &ops->resource */
    const anyc_listener_ops *ops;
    anyc_list serving; /* private: the calls of anyc_listener_serve_by_accept */
};

/**
 * Begin a listener of one's own.
 *
 * @param listener  storage, the first member of a larger struct as a rule
 * @param ops       the table, with all slots set; must live as long as the program
 *
 * Returns: 0, or ANYC_EINVAL if a slot is missing; `listener` is unchanged then.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   subclassing abc.Listener.
 */
ANYC_MUST_USE ANYC_API int anyc_listener_init(anyc_listener *listener,
                                              const anyc_listener_ops *ops);

/**
 * End a listener of one's own, just before its memory is freed: calls of
 * anyc_listener_serve_by_accept that have not returned yet do not touch it again.
 *
 * @param listener  closed
 *
 * Owns:    the storage is the caller's again.
 * Cancel:  never suspends.
 * Threads: the listener's loop only.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_listener_deinit(anyc_listener *listener);

/**
 * Wait for one connection.
 *
 * @param listener    open listener; borrowed
 * @param out_stream  the connection
 *
 * Returns: 0, or
 *   ANYC_ECLOSED    the listener is closed, also while it was waiting
 *   ANYC_EBUSY      another task is accepting
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 *   -ENOTSUP        the listener only serves (a multi-listener)
 *   -errno          of accept(2)
 * Owns:    the stream is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint. When cancelled, no connection is lost.
 * Threads: the listener's loop only.
 * AnyIO:   abc.SocketListener.accept.
 */
ANYC_API int anyc_listener_accept(anyc_listener *listener, anyc_byte_stream **out_stream);

/**
 * Accept connections for ever, and run a handler for each as a task.
 *
 * A connection that failed before it was accepted is passed over. When descriptors or memory run
 * out (EMFILE, ENFILE, ENOMEM, ENOBUFS) this is logged, and accepting goes on after pauses of 10 ms
 * to 1 s, or as soon as a handler of the call's own group ends. The members of a multi-listener
 * accept a few connections at a time each. The listener may be closed and freed meanwhile.
 *
 * anyc_listener_serve_with (anyc/serve.h) adds a limit of connections and a graceful end.
 *
 * @param listener    open listener; borrowed
 * @param handler     the task of a connection, see anyc_connection_fn; a failure of it cancels the
 *                    group that it runs in, and so this call
 * @param arg         handed to every handler; borrowed until they have ended
 * @param task_group  where the handlers run, entered; NULL: in a group of this call's own, which
 *                    ends when all of them have
 *
 * Returns: 0 at once for a multi-listener without members; else never a success, but
 *   ANYC_ECLOSED    the listener is closed, also while it was waiting
 *   ANYC_EBUSY      another task is accepting
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_EINVAL     no handler
 *   ANYC_ENOMEM     no memory to begin with
 *   ANYC_ESTATE     task_group is not entered (any more); the connection was closed
 *   -errno          accepting failed otherwise
 *   other           without a task_group: the first failure of a handler
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. Connections that were accepted always reach a handler or are closed.
 * Threads: the listener's loop only.
 * AnyIO:   abc.Listener.serve.
 */
ANYC_API int anyc_listener_serve(anyc_listener *listener, anyc_connection_fn handler, void *arg,
                                 anyc_task_group *task_group);

/** A ready `accept` slot for listeners that only serve: answers -ENOTSUP. */
ANYC_API int anyc_no_accept(anyc_listener *listener, anyc_byte_stream **out_stream);
/** A ready `serve` slot: calls `accept` in a loop, as anyc_listener_serve describes it. */
ANYC_API int anyc_listener_serve_by_accept(anyc_listener *listener, const anyc_serving *serving);

/**
 * Serve a listener from within the `serve` slot of another one that is over it.
 *
 * @param listener  the inner one
 * @param serving   what the slot was given, or a copy with another handler; borrowed
 *
 * Returns: as anyc_listener_serve.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint, as anyc_listener_serve.
 * Threads: the listener's loop only.
 * AnyIO:   abc.Listener.serve, called by a TLSListener or MultiListener.
 */
ANYC_API int anyc_listener_serve_inner(anyc_listener *listener, const anyc_serving *serving);

#ifdef __cplusplus
}
#endif

#endif
