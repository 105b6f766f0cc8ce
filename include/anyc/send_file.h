/* SPDX-License-Identifier: MIT */
/*
 * send_file.h - send a file of the disk over any byte stream.
 *
 *     int64_t n = anyc_send_file(connection, "page.html", 0, -1);
 *
 *     if (n < 0)
 *         return (int)n;
 *
 * Where the stream is a socket, the system moves the bytes (sendfile(2)); what is not in its cache
 * is first fetched by a worker thread, so that the loop does not wait for the disk. For any other
 * stream, TLS among them, and for file systems that do not say what is in the cache, worker threads
 * read 256 KiB at a time.
 *
 * A socket is taken until the call returns: another sender is told ANYC_EBUSY. Any other stream is
 * taken for 256 KiB at a time, between which another task can send something: keep it from that. If
 * the file changes meanwhile, the peer gets some of it as it was and some as it is.
 */
#ifndef ANYC_SEND_FILE_H
#define ANYC_SEND_FILE_H

#include <anyc/base.h>
#include <anyc/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Send a file, or a part of it.
 *
 * @param stream  open stream; borrowed, and not to be freed meanwhile
 * @param path    of a regular file; borrowed until the call returns
 * @param offset  where to begin, bytes
 * @param count   how many bytes; -1: to the end that the file has when it is opened
 *
 * Returns: how many bytes were sent: fewer than `count` if the file has no more, or
 *   ANYC_EINVAL     no path, a negative offset or count, or not a regular file
 *   -ENOENT, -EACCES, -EISDIR, -EMFILE ...  of open(2)
 *   -EIO ...        of read(2); an unknown part was sent
 *   ANYC_ECLOSED    this side closed the stream or ended its sending
 *   ANYC_EBROKEN    the connection failed, or the peer has gone
 *   ANYC_EBUSY      another task is sending
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 *   -EAGAIN         no thread, as anyc_to_thread_run_sync
 *   -ENOTSUP        the stream only receives
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled at the start nothing was sent; later a part was, and
 *          anyc_last_error() says how much.
 * Threads: the stream's loop only.
 * AnyIO:   no counterpart (loop.sendfile of asyncio).
 */
ANYC_API int64_t anyc_send_file(anyc_byte_stream *stream, const char *path, int64_t offset,
                                int64_t count);

/**
 * Send a part of a file that is open: for a caller who has looked at it first, or who goes on where
 * a call before was cancelled.
 *
 * @param stream  open stream; borrowed, and not to be freed meanwhile
 * @param fd      of a regular file, to be read; borrowed. Its own position is neither used nor moved
 * @param offset  where to begin, bytes; moved behind what was sent, whatever is returned
 * @param count   how many bytes
 *
 * Returns: how many bytes were sent: fewer than `count` only if the file has no more, or
 *   ANYC_EINVAL     no file or offset, or a negative number
 *   any code of anyc_send_file but those of open(2)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. Where the stream is a socket, `offset` then says exactly how much was sent.
 *          Of another stream a part of the next 256 KiB may have been sent too, so that nothing can
 *          follow.
 * Threads: the stream's loop only.
 * AnyIO:   no counterpart (loop.sendfile of asyncio, which moves the file's position in this way).
 */
ANYC_API int64_t anyc_send_open_file(anyc_byte_stream *stream, int fd, int64_t *offset,
                                     int64_t count);

#ifdef __cplusplus
}
#endif

#endif
