/* SPDX-License-Identifier: MIT */
/*
 * file.h - files of the disk, whose calls run in worker threads, so that the loop goes on meanwhile.
 *
 *     anyc_file *file;
 *     char *line;
 *     int rc = anyc_open_file("names.txt", "r", NULL, &file);
 *
 *     if (rc < 0)
 *         return rc;
 *     while (anyc_file_next_line(file, &line) > 0)
 *         fputs(line, stdout);
 *     return anyc_aclose(file);
 *
 * A file works as one of stdio, and has one inside (anyc_file_wrapped): it is buffered, has one
 * position for reading and writing, and may be read and written in turn without a seek between.
 * Content is bytes; anyc/text_stream.h has encodings. All offsets have 64 bits.
 *
 * One task at a time: a second one gets ANYC_EBUSY. A call that waits for a thread can be cancelled,
 * and has done nothing then; one that has begun in its thread is waited for, whatever happens. So a
 * cancellation leaves the file as it was or the call done, and the file usable. A call that needs
 * nothing but the buffer, as for most short lines, is done at once, without a thread.
 *
 * The end of a file is no failure: reading answers 0 bytes there, and goes on when the file has
 * grown. What is written may stay in the buffer; anyc_file_flush and anyc_aclose tell of a disk that
 * turns out to be full. After such a failure, told once, what was in the buffer is lost. Closing by
 * force writes it too, but not to a pipe that is full: it waits for nothing.
 */
#ifndef ANYC_FILE_H
#define ANYC_FILE_H

#include <stdio.h>

#include <sys/types.h>
#include <sys/uio.h>

#include <anyc/base.h>
#include <anyc/capacity_limiter.h>
#include <anyc/resource.h>
#include <anyc/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An open file. */
typedef struct anyc_file {
    anyc_resource resource;
} anyc_file;

/** What a file that is opened may be told; all zero means the defaults. */
typedef struct anyc_open_file_options {
    anyc_capacity_limiter *limiter; /* of its calls, borrowed until it is closed; NULL: the run's
                                     * own for files, which has 40 tokens */
    mode_t permissions;             /* of a file that is made, less the umask; 0: 0666 */
} anyc_open_file_options;

/** What a wrapped file may be told; all zero means the defaults. */
typedef struct anyc_wrap_file_options {
    anyc_capacity_limiter *limiter; /* as above */
    bool keep_open; /* the FILE stays the caller's: closing this one leaves it alone, unflushed */
} anyc_wrap_file_options;

/** Lines of a file. */
typedef struct anyc_file_lines {
    anyc_bytes *items; /* with their line ends, and a '\0' after each that is not counted */
    size_t count;
    void *text; /* private: what the items point into */
} anyc_file_lines;

/**
 * Open a file.
 *
 * The mode is one of "r" (read; it must exist), "w" (write, emptied first), "a" (write at the end)
 * and "x" (write; it must not exist), with "+" for reading and writing, and "b" or "t", which make
 * no difference, in any order.
 *
 * @param path      the file's path; copied
 * @param mode      see above; NULL: "r"
 * @param options   NULL or zero fields: defaults
 * @param out_file  the file, its descriptor close-on-exec
 *
 * Returns: 0, or
 *   ANYC_EINVAL     there is no such mode
 *   -ENOENT, -EEXIST, -EACCES, -EISDIR, -EMFILE ...  of open(2); a directory is never opened
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 *   -EAGAIN         no thread, as anyc_to_thread_run_sync
 * Owns:    the file is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint until the thread begins, then shielded. A FIFO without its other end keeps the
 *          task waiting.
 * Threads: tasks only.
 * AnyIO:   open_file.
 */
ANYC_API int anyc_open_file(const char *path, const char *mode,
                            const anyc_open_file_options *options, anyc_file **out_file);

/**
 * Make a file of one that stdio has opened, of any kind.
 *
 * @param stream    open; taken on success, unless `keep_open`. Nothing else uses it while a call is
 *                  under way. Where its descriptor does not block, calls answer -EAGAIN
 * @param options   NULL or zero fields: defaults
 * @param out_file  the file
 *
 * Returns: 0, ANYC_EINVAL if `stream` is NULL, or ANYC_ENOMEM.
 * Owns:    takes `stream` on success; the file is the caller's: end it with anyc_aclose.
 * Cancel:  never suspends.
 * Threads: the loop's thread, or before it runs.
 * AnyIO:   wrap_file.
 */
ANYC_API int anyc_wrap_file(FILE *stream, const anyc_wrap_file_options *options,
                            anyc_file **out_file);

/**
 * Read up to a number of bytes, fewer only at the end.
 *
 * @param file       open; borrowed
 * @param max_bytes  SIZE_MAX: all that is left
 * @param out_bytes  what was read, and a '\0' after it that is not counted; empty at the end
 *
 * Returns: 0, or
 *   ANYC_EBUSY      another task is using the file
 *   ANYC_ECLOSED    the file is closed
 *   -EBADF          it was not opened for this
 *   -EIO ...        of read(2); the position is as before. If the file cannot seek and some bytes had
 *                   come before that, they are the answer, and the failure comes with the next call
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory; as with -EIO
 *   -EAGAIN         no thread, as anyc_to_thread_run_sync
 * Owns:    the bytes are the caller's: free them with anyc_bytes_deinit.
 * Cancel:  checkpoint until the thread begins, then shielded. When cancelled, nothing was read.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.read.
 */
ANYC_API int anyc_file_read(anyc_file *file, size_t max_bytes, anyc_bytes *out_bytes);

/**
 * Read what there is with one read(2) at most: what is buffered, else what that brings.
 *
 * @param file       open; borrowed
 * @param max_bytes  as above
 * @param out_bytes  as above
 *
 * Returns: as anyc_file_read.
 * Owns:    as anyc_file_read.
 * Cancel:  as anyc_file_read.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.read1.
 */
ANYC_API int anyc_file_read1(anyc_file *file, size_t max_bytes, anyc_bytes *out_bytes);

/**
 * As anyc_file_read into memory of the caller's.
 *
 * @param file  open; borrowed
 * @param buf   where the bytes go; borrowed
 * @param size  room there, bytes, at most SSIZE_MAX
 *
 * Returns: bytes, 0 at the end (or if there is no room), or an error of anyc_file_read; ANYC_EINVAL
 *          for a larger size.
 * Owns:    nothing is taken.
 * Cancel:  as anyc_file_read.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.readinto.
 */
ANYC_API ssize_t anyc_file_readinto(anyc_file *file, void *buf, size_t size);

/**
 * As anyc_file_read1 into memory of the caller's.
 *
 * @param file  open; borrowed
 * @param buf   where the bytes go; borrowed
 * @param size  room there, bytes, at most SSIZE_MAX
 *
 * Returns: as anyc_file_readinto.
 * Owns:    nothing is taken.
 * Cancel:  as anyc_file_read.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.readinto1.
 */
ANYC_API ssize_t anyc_file_readinto1(anyc_file *file, void *buf, size_t size);

/**
 * Read a line, of any length. Its end, '\n', is part of it; the last line may have none.
 *
 * @param file       open; borrowed
 * @param max_bytes  read no more of the line than this; SIZE_MAX: no limit
 * @param out_line   the line, and a '\0' after it that is not counted; empty at the end
 *
 * Returns: as anyc_file_read, but a failure in the middle of a line is told at once; if the file
 *          cannot seek, that part of the line is lost.
 * Owns:    the line is the caller's: free it with anyc_bytes_deinit.
 * Cancel:  as anyc_file_read.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.readline.
 */
ANYC_API int anyc_file_readline(anyc_file *file, size_t max_bytes, anyc_bytes *out_line);

/**
 * Read all lines that are left, up to the first end of the file.
 *
 * @param file       open; borrowed
 * @param hint       stop after the line with which they have more bytes than that; 0: no limit
 * @param out_lines  the lines
 *
 * Returns: as anyc_file_readline.
 * Owns:    the lines are the caller's: free them with anyc_free_file_lines.
 * Cancel:  as anyc_file_read.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.readlines.
 */
ANYC_API int anyc_file_readlines(anyc_file *file, size_t hint, anyc_file_lines *out_lines);

/**
 * Free the memory of lines, and make their list empty.
 *
 * @param lines  all zero, or by anyc_file_readlines
 *
 * Owns:    the storage stays the caller's.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_free_file_lines(anyc_file_lines *lines);

/**
 * The next line, for loops over all of them.
 *
 * @param file      open; borrowed
 * @param out_line  the line with its end, and a '\0' after it
 *
 * Returns: the line's length in bytes, at least 1; ANYC_EOF at the end; or as anyc_file_readline.
 * Owns:    the line is the file's, and valid until the next call of this function or the close.
 * Cancel:  as anyc_file_read.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.__anext__.
 */
ANYC_API ssize_t anyc_file_next_line(anyc_file *file, char **out_line);

/**
 * Write bytes, into the buffer as far as they fit.
 *
 * @param file  open; borrowed
 * @param buf   the bytes; borrowed until the call returns
 * @param len   how many, at most SSIZE_MAX
 *
 * Returns: `len`, or
 *   ANYC_EBUSY      another task is using the file
 *   ANYC_ECLOSED    the file is closed
 *   -EBADF          it was not opened for this
 *   -ENOSPC, -EDQUOT, -EFBIG, -EIO ...  of write(2): a part may have been written
 *   -ESPIPE         something was read ahead of a file that has no positions, and would be lost: it
 *                   must be read first
 *   ANYC_EINVAL     a larger len
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 *   -EAGAIN         no thread, as anyc_to_thread_run_sync
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread begins, then shielded. When cancelled, nothing was written.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.write.
 */
ANYC_API ssize_t anyc_file_write(anyc_file *file, const void *buf, size_t len);

/**
 * Write several pieces, one after the other; no line ends are put between them.
 *
 * @param file    open; borrowed
 * @param pieces  the pieces; borrowed until the call returns
 * @param count   of pieces
 *
 * Returns: 0, or an error of anyc_file_write; ANYC_EINVAL for a negative count.
 * Owns:    nothing is taken.
 * Cancel:  as anyc_file_write.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.writelines.
 */
ANYC_API int anyc_file_writelines(anyc_file *file, const struct iovec *pieces, int count);

/**
 * Cut the file, or make it longer with zeros. The position stays.
 *
 * @param file  open; borrowed
 * @param size  bytes; -1: up to the position
 *
 * Returns: the new size, or as anyc_file_write; ANYC_EINVAL if the file cannot be cut.
 * Owns:    nothing is taken.
 * Cancel:  as anyc_file_write.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.truncate.
 */
ANYC_API int64_t anyc_file_truncate(anyc_file *file, int64_t size);

/**
 * Move the position. What was written before goes to the disk first.
 *
 * @param file    open; borrowed
 * @param offset  bytes
 * @param whence  from where: SEEK_SET, SEEK_CUR or SEEK_END
 *
 * Returns: the new position, or as anyc_file_write, or
 *   ANYC_EINVAL  no such whence, or a position before the beginning
 *   -ESPIPE      the file has no positions: a pipe, a terminal
 * Owns:    nothing is taken.
 * Cancel:  as anyc_file_write.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.seek.
 */
ANYC_API int64_t anyc_file_seek(anyc_file *file, int64_t offset, int whence);

/**
 * The position.
 *
 * @param file  open; borrowed
 *
 * Returns: bytes from the beginning, or as anyc_file_seek.
 * Owns:    nothing is taken.
 * Cancel:  as anyc_file_read.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.tell.
 */
ANYC_API int64_t anyc_file_tell(anyc_file *file);

/**
 * Hand what is in the buffer to the system.
 *
 * @param file  open; borrowed
 *
 * Returns: 0, or an error of anyc_file_write.
 * Owns:    nothing is taken.
 * Cancel:  as anyc_file_write.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.flush.
 */
ANYC_API int anyc_file_flush(anyc_file *file);

/**
 * The stdio stream inside. Not to be used while a call is under way.
 *
 * @param file  borrowed
 *
 * Returns: the stream; NULL if the file is closed. That of a spooled file that is in memory has no
 *          descriptor.
 * Owns:    the stream stays the file's.
 * Cancel:  never suspends.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile.wrapped.
 */
ANYC_API FILE *anyc_file_wrapped(const anyc_file *file);

/**
 * The path that the file was opened by, or that it was given as a temporary file.
 *
 * @param file  borrowed, also when it is closed
 *
 * Returns: the path; NULL if it has none.
 * Owns:    the text is the file's.
 * Cancel:  never suspends.
 * Threads: the file's loop only.
 * AnyIO:   the name of the wrapped file.
 */
ANYC_API const char *anyc_file_path(const anyc_file *file);

/**
 * The limiter that the file was given.
 *
 * @param file  borrowed
 *
 * Returns: the limiter; NULL if it uses the run's.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the file's loop only.
 * AnyIO:   AsyncFile's limiter.
 */
ANYC_API anyc_capacity_limiter *anyc_file_limiter(const anyc_file *file);

/**
 * Is the file closed?
 *
 * @param file  borrowed
 *
 * Returns: true from the beginning of its closing on.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the file's loop only.
 * AnyIO:   the closed attribute of the wrapped file.
 */
ANYC_API bool anyc_file_closed(const anyc_file *file);

#ifdef __cplusplus
}
#endif

#endif
