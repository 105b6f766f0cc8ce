/* SPDX-License-Identifier: MIT */
/*
 * file_stream.h - files as byte streams, for whatever reads or writes such.
 *
 *     anyc_byte_stream *stream;
 *     int rc = anyc_file_read_stream_from_path("data.bin", &stream);
 *
 *     while (rc == 0 && (n = anyc_receive(stream, buf, sizeof buf)) > 0)
 *         rc = anyc_send(connection, buf, (size_t)n);
 *
 * They work in worker threads (anyc/file.h): a call that has begun in its thread is waited for when
 * its task is cancelled, and answers its own result. One task at a time, else ANYC_EBUSY. Failures
 * of the system are ANYC_EBROKEN, with the errno in anyc_last_error(). The end of a file is ANYC_EOF,
 * which is not final: the file may grow. Closing a write stream flushes it, and tells if that fails.
 */
#ifndef ANYC_FILE_STREAM_H
#define ANYC_FILE_STREAM_H

#include <anyc/base.h>
#include <anyc/file.h>
#include <anyc/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a write stream may be told; all zero means the defaults. */
typedef struct anyc_file_write_stream_options {
    bool append; /* write behind what is there; false: the file is emptied first */
} anyc_file_write_stream_options;

/** anyc_file *: the file inside, which stays the stream's; FileStreamAttribute.file. */
ANYC_API extern const anyc_typed_attribute ANYC_FILE_FILE;

/** const char *: its path, if it has one; FileStreamAttribute.path. */
ANYC_API extern const anyc_typed_attribute ANYC_FILE_PATH;

/** int: its descriptor, if it has one; FileStreamAttribute.fileno. */
ANYC_API extern const anyc_typed_attribute ANYC_FILE_FILENO;

/**
 * Open a file for receiving.
 *
 * @param path        the file's path; copied
 * @param out_stream  the stream
 *
 * Returns: as anyc_open_file.
 * Owns:    the stream is the caller's: end it with anyc_aclose.
 * Cancel:  as anyc_open_file.
 * Threads: tasks only.
 * AnyIO:   FileReadStream.from_path.
 */
ANYC_API int anyc_file_read_stream_from_path(const char *path, anyc_byte_stream **out_stream);

/**
 * Open a file for sending, made if need be.
 *
 * @param path        the file's path; copied
 * @param options     NULL or zero fields: defaults
 * @param out_stream  the stream
 *
 * Returns: as anyc_open_file.
 * Owns:    the stream is the caller's: end it with anyc_aclose.
 * Cancel:  as anyc_open_file.
 * Threads: tasks only.
 * AnyIO:   FileWriteStream.from_path.
 */
ANYC_API int anyc_file_write_stream_from_path(const char *path,
                                              const anyc_file_write_stream_options *options,
                                              anyc_byte_stream **out_stream);

/**
 * Receive from an open file.
 *
 * @param file        open for reading; taken on success
 * @param out_stream  the stream
 *
 * Returns: 0, or ANYC_ENOMEM.
 * Owns:    takes `file` on success; the stream is the caller's.
 * Cancel:  never suspends.
 * Threads: the file's loop only.
 * AnyIO:   FileReadStream().
 */
ANYC_API int anyc_file_read_stream_create(anyc_file *file, anyc_byte_stream **out_stream);

/**
 * Send to an open file.
 *
 * @param file        open for writing; taken on success
 * @param out_stream  the stream
 *
 * Returns: 0, or ANYC_ENOMEM.
 * Owns:    takes `file` on success; the stream is the caller's.
 * Cancel:  never suspends.
 * Threads: the file's loop only.
 * AnyIO:   FileWriteStream().
 */
ANYC_API int anyc_file_write_stream_create(anyc_file *file, anyc_byte_stream **out_stream);

/**
 * Move the position of a file stream.
 *
 * @param stream  one of the above; borrowed
 * @param offset  bytes
 * @param whence  from where: SEEK_SET, SEEK_CUR or SEEK_END
 *
 * Returns: the new position, or
 *   ANYC_EINVAL     another kind of stream, no such whence, or a position before the beginning
 *   ANYC_ECLOSED    the stream is closed
 *   ANYC_EBROKEN    the system refused: ESPIPE if the file has no positions ...
 *   ANYC_EBUSY      another task is using the stream
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    nothing is taken.
 * Cancel:  as anyc_file_seek.
 * Threads: the stream's loop only.
 * AnyIO:   FileReadStream.seek (here for write streams too).
 */
ANYC_API int64_t anyc_file_stream_seek(anyc_byte_stream *stream, int64_t offset, int whence);

/**
 * The position of a file stream.
 *
 * @param stream  one of the above; borrowed
 *
 * Returns: bytes from the beginning, or as anyc_file_stream_seek.
 * Owns:    nothing is taken.
 * Cancel:  as anyc_file_tell.
 * Threads: the stream's loop only.
 * AnyIO:   FileReadStream.tell (here for write streams too).
 */
ANYC_API int64_t anyc_file_stream_tell(anyc_byte_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
