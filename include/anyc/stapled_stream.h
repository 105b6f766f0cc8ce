/* SPDX-License-Identifier: MIT */
/*
 * stapled_stream.h - two one-way streams as one two-way stream, and several listeners as one.
 *
 *     anyc_byte_stream *both;
 *
 *     anyc_stapled_byte_stream_create(to_peer, from_peer, &both);
 *     anyc_send(both, "ping", 4);
 *     n = anyc_receive(both, buf, sizeof buf);
 *     anyc_aclose(both);       // closes the two halves
 *
 * The end of sending is the close of the sending half. Attributes come from the receiving half,
 * and those that it lacks from the sending half.
 */
#ifndef ANYC_STAPLED_STREAM_H
#define ANYC_STAPLED_STREAM_H

#include <anyc/base.h>
#include <anyc/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Staple two byte streams together. Closing the new stream closes both halves, the sending one
 * first, whatever the first one answers; the first error is the result.
 *
 * @param send_stream     what to send to; taken on success
 * @param receive_stream  what to receive from, another stream; taken on success
 * @param out_stream      the new stream
 *
 * Returns: 0, ANYC_EINVAL if both halves are the same stream, or ANYC_ENOMEM.
 * Owns:    both halves belong to the new stream. On failure they stay the caller's.
 * Cancel:  never suspends.
 * Threads: the streams' loop only.
 * AnyIO:   StapledByteStream (its close leaves the receiving half open if the other one fails).
 */
ANYC_API int anyc_stapled_byte_stream_create(anyc_byte_stream *send_stream,
                                             anyc_byte_stream *receive_stream,
                                             anyc_byte_stream **out_stream);

/**
 * The half that a stapled byte stream sends to.
 *
 * @param stream  made by anyc_stapled_byte_stream_create
 *
 * Returns: the half; NULL for any other stream.
 * Owns:    borrowed, valid until the stapled stream is freed.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   StapledByteStream.send_stream.
 */
ANYC_API anyc_byte_stream *anyc_stapled_byte_stream_send_stream(const anyc_byte_stream *stream);

/**
 * The half that a stapled byte stream receives from.
 *
 * @param stream  made by anyc_stapled_byte_stream_create
 *
 * Returns: the half; NULL for any other stream.
 * Owns:    borrowed, valid until the stapled stream is freed.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   StapledByteStream.receive_stream.
 */
ANYC_API anyc_byte_stream *anyc_stapled_byte_stream_receive_stream(const anyc_byte_stream *stream);

/**
 * Staple two object streams together. The new stream is reliable if both halves are.
 *
 * @param send_stream     what to send to; taken on success
 * @param receive_stream  what to receive from, another stream; taken on success
 * @param out_stream      the new stream
 *
 * Returns: 0, or
 *   ANYC_EINVAL both halves are the same stream, or their items have different sizes
 *   ANYC_ENOMEM out of memory
 * Owns:    both halves belong to the new stream. On failure they stay the caller's.
 * Cancel:  never suspends.
 * Threads: the streams' loop only.
 * AnyIO:   StapledObjectStream.
 */
ANYC_API int anyc_stapled_object_stream_create(anyc_object_stream *send_stream,
                                               anyc_object_stream *receive_stream,
                                               anyc_object_stream **out_stream);

/**
 * The half that a stapled object stream sends to.
 *
 * @param stream  made by anyc_stapled_object_stream_create
 *
 * Returns: the half; NULL for any other stream.
 * Owns:    borrowed, valid until the stapled stream is freed.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   StapledObjectStream.send_stream.
 */
ANYC_API anyc_object_stream *
anyc_stapled_object_stream_send_stream(const anyc_object_stream *stream);

/**
 * The half that a stapled object stream receives from.
 *
 * @param stream  made by anyc_stapled_object_stream_create
 *
 * Returns: the half; NULL for any other stream.
 * Owns:    borrowed, valid until the stapled stream is freed.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   StapledObjectStream.receive_stream.
 */
ANYC_API anyc_object_stream *
anyc_stapled_object_stream_receive_stream(const anyc_object_stream *stream);

/**
 * Make one listener of several. Serving serves all of them; their attributes are the new
 * listener's, those of the last one first. It cannot accept.
 *
 * @param listeners      taken on success. The members of a multi-listener among them move to the
 *                       new one; itself it stays behind without any, valid as long as the new one
 * @param count          of listeners; 0 gives one that has nothing to serve
 * @param out_listener   the new listener
 *
 * Returns: 0 or ANYC_ENOMEM; nothing has moved then.
 * Owns:    all of `listeners` belong to the new one, emptied multi-listeners too. On failure they
 *          stay the caller's. The array itself is only read.
 * Cancel:  never suspends.
 * Threads: the listeners' loop only.
 * AnyIO:   MultiListener.
 */
ANYC_API int anyc_multi_listener_create(anyc_listener *const *listeners, size_t count,
                                        anyc_listener **out_listener);

/**
 * The members of a multi-listener.
 *
 * @param listener   made by anyc_multi_listener_create
 * @param out_count  how many there are; 0 if its members moved to another
 *
 * Returns: the members; NULL if there are none, or the listener is of another kind.
 * Owns:    borrowed, valid until the listener is freed or its members move.
 * Cancel:  never suspends.
 * Threads: the listener's loop only.
 * AnyIO:   MultiListener.listeners.
 */
ANYC_API anyc_listener *const *anyc_multi_listener_listeners(const anyc_listener *listener,
                                                             size_t *out_count);

#ifdef __cplusplus
}
#endif

#endif
