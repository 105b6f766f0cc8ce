/* SPDX-License-Identifier: MIT */
/*
 * buffered_stream.h - receive exactly so many bytes, or up to a delimiter.
 *
 *     anyc_buffered_stream *lines;
 *     char line[256];
 *     ssize_t len;
 *
 *     anyc_buffered_stream_create(stream, &lines);
 *     len = anyc_buffered_receive_until(lines, "\r\n", 2, sizeof line, line, sizeof line);
 *     ...
 *     anyc_aclose(lines);      // closes `stream` too
 *
 * It is a byte stream itself (&lines->stream): what it sends passes through, and what it receives
 * comes out of the buffer first. One task may receive at a time. No error takes anything out of
 * the buffer.
 */
#ifndef ANYC_BUFFERED_STREAM_H
#define ANYC_BUFFERED_STREAM_H

#include <anyc/base.h>
#include <anyc/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A byte stream with a buffer for what was received too early. */
typedef struct anyc_buffered_stream {
    union {
        anyc_resource resource;
        anyc_byte_stream stream;
    };
} anyc_buffered_stream;

/**
 * Put a buffer over a byte stream. An object stream of chunks becomes one by
 * anyc_byte_stream_from_object_stream; the rest of a chunk then goes into the buffer.
 *
 * @param inner       the stream, for receiving or for both directions; taken on success
 * @param out_stream  the buffered stream
 *
 * Returns: 0 or ANYC_ENOMEM.
 * Owns:    closing the new stream closes `inner`. On failure it stays the caller's.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   BufferedByteReceiveStream, BufferedByteStream (4.10).
 */
ANYC_API int anyc_buffered_stream_create(anyc_byte_stream *inner,
                                         anyc_buffered_stream **out_stream);

/**
 * Receive a number of bytes, not one more or less.
 *
 * @param stream  open stream; borrowed
 * @param buf     where the bytes go; borrowed, unchanged on error
 * @param len     how many; 0 takes nothing
 *
 * Returns: 0, or
 *   ANYC_EINCOMPLETE the stream ended before; what came is still in the buffer
 *   ANYC_ECLOSED     this side closed the stream, also while the task was waiting
 *   ANYC_EBUSY       another task is receiving
 *   ANYC_ECANCELLED  the enclosing scope was cancelled; what came is still in the buffer
 *   ANYC_ENOMEM      the buffer could not grow
 *   ANYC_ENOLOOP     not called from a task
 *   other            what receiving from the inner stream answered
 * Owns:    nothing is taken or handed over.
 * Cancel:  checkpoint. When cancelled, no received byte is lost.
 * Threads: the stream's loop only.
 * AnyIO:   BufferedByteReceiveStream.receive_exactly.
 */
ANYC_API int anyc_buffered_receive_exactly(anyc_buffered_stream *stream, void *buf, size_t len);

/**
 * Receive what comes before a delimiter, which is taken out of the stream too but not stored.
 *
 * @param stream         open stream; borrowed
 * @param delimiter      its bytes; borrowed
 * @param delimiter_len  how many, at least 1
 * @param max_bytes      give up when so many bytes came without the delimiter. One that is in the
 *                       buffer already counts, wherever it stands
 * @param buf            where the bytes before it go; borrowed, unchanged on error
 * @param size           room in `buf`; as a rule max_bytes
 *
 * Returns: bytes stored, 0 or more, or
 *   ANYC_EDELIMITER  not found within max_bytes
 *   -ENOBUFS         found, but there is no room for what stands before it: try again with more
 *   ANYC_EINCOMPLETE the stream ended before; what came is still in the buffer
 *   ANYC_EINVAL      the delimiter is empty
 *   ANYC_ECLOSED, ANYC_EBUSY, ANYC_ECANCELLED, ANYC_ENOMEM, ANYC_ENOLOOP, other: as
 *                    anyc_buffered_receive_exactly
 * Owns:    nothing is taken or handed over.
 * Cancel:  checkpoint. When cancelled, no received byte is lost.
 * Threads: the stream's loop only.
 * AnyIO:   BufferedByteReceiveStream.receive_until.
 */
ANYC_API ssize_t anyc_buffered_receive_until(anyc_buffered_stream *stream, const void *delimiter,
                                             size_t delimiter_len, size_t max_bytes, void *buf,
                                             size_t size);

/**
 * What is in the buffer.
 *
 * @param stream   the stream, closed or not
 * @param out_len  bytes
 *
 * Returns: the bytes; NULL or not if there are none.
 * Owns:    borrowed, valid until the next call on the stream or checkpoint.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   BufferedByteReceiveStream.buffer.
 */
ANYC_API const void *anyc_buffered_buffer(const anyc_buffered_stream *stream, size_t *out_len);

/**
 * Append bytes to the buffer, as if they had been received.
 *
 * @param stream  open stream; borrowed
 * @param data    the bytes; copied
 * @param len     how many
 *
 * Returns: 0, or
 *   ANYC_ECLOSED this side closed the stream
 *   ANYC_EBUSY   a task is waiting for bytes to come into the buffer
 *   ANYC_ENOMEM  the buffer could not grow
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   BufferedByteReceiveStream.feed_data (4.10).
 */
ANYC_API int anyc_buffered_feed_data(anyc_buffered_stream *stream, const void *data, size_t len);

#ifdef __cplusplus
}
#endif

#endif
