/* SPDX-License-Identifier: MIT */
/*
 * path_content.h - whole contents of files, and files opened by their paths. anyc/path_disk.h
 * includes it, and says what holds for all calls.
 *
 *     rc = anyc_path_read_text(path, NULL, &text, NULL);
 *     if (rc < 0)
 *         return rc;
 *     fputs(text, stdout);
 *     anyc_path_free(text);
 */
#ifndef ANYC_PATH_CONTENT_H
#define ANYC_PATH_CONTENT_H

#include <anyc/base.h>
#include <anyc/file.h>
#include <anyc/path.h>
#include <anyc/text_errors.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the reading and writing of text may be told; all zero means the defaults. */
typedef struct anyc_path_text_options {
    const char *encoding; /* NULL: UTF-8; the names are those of anyc/text_stream.h */

    /* NULL: reading makes CR LF and CR to LF, writing keeps LF. "": nothing changes. "\n", "\r" or
     * "\r\n": writing makes LF to that, reading changes nothing. */
    const char *newline;

    anyc_text_errors errors; /* for what cannot be decoded or encoded */
} anyc_path_text_options;

/**
 * The whole contents of a file.
 *
 * @param path      borrowed
 * @param out_data  the bytes, and a NUL behind them
 * @param out_len   how many bytes
 *
 * Returns: 0, or
 *   -ENOENT          the file does not exist
 *   -EISDIR          it is a directory
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the bytes with anyc_path_free.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.read_bytes.
 */
ANYC_MUST_USE ANYC_API int anyc_path_read_bytes(const anyc_path *path, uint8_t **out_data,
                                                size_t *out_len);

/**
 * Make these bytes the whole contents of a file, which is made or cut short first.
 *
 * @param path  borrowed
 * @param data  the bytes; borrowed
 * @param len   how many
 *
 * Returns: 0, or
 *   -ENOSPC          the disk is full; the file holds a part
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.write_bytes.
 */
ANYC_MUST_USE ANYC_API int anyc_path_write_bytes(const anyc_path *path, const void *data,
                                                 size_t len);

/**
 * The whole contents of a file as UTF-8. Unless told otherwise, CR LF and CR become LF.
 *
 * @param path      borrowed
 * @param options   NULL or zero fields: defaults
 * @param out_text  the text, and a NUL behind it
 * @param out_len   its length, bytes; may be NULL
 *
 * Returns: 0, or
 *   -ENOENT          the file does not exist
 *   ANYC_EDECODE     the contents are no text in the encoding (errors are strict)
 *   ANYC_EINVAL      no such encoding, or no such form of line ends
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the text with anyc_path_free.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.read_text.
 */
ANYC_MUST_USE ANYC_API int anyc_path_read_text(const anyc_path *path,
                                               const anyc_path_text_options *options,
                                               char **out_text, size_t *out_len);

/**
 * Make this text the whole contents of a file. Nothing is written if the text cannot be encoded.
 *
 * @param path     borrowed
 * @param text     UTF-8; borrowed
 * @param len      bytes
 * @param options  NULL or zero fields: defaults
 *
 * Returns: 0, or
 *   ANYC_EENCODE     the text is no UTF-8, or has no form in the encoding (errors are strict)
 *   ANYC_EINVAL      no such encoding, or no such form of line ends
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.write_text.
 */
ANYC_MUST_USE ANYC_API int anyc_path_write_text(const anyc_path *path, const char *text, size_t len,
                                                const anyc_path_text_options *options);

/**
 * Open the file at a path.
 *
 * @param path      borrowed; if it carries a limiter, the file's calls use that one
 * @param mode      as for anyc_open_file
 * @param options   NULL or zero fields: defaults; a limiter in it comes before that of the path
 * @param out_file  the file
 *
 * Returns: as anyc_open_file.
 * Owns:    as anyc_open_file.
 * Cancel:  as anyc_open_file.
 * Threads: tasks only.
 * AnyIO:   Path.open.
 */
ANYC_MUST_USE ANYC_API int anyc_path_open(const anyc_path *path, const char *mode,
                                          const anyc_open_file_options *options,
                                          anyc_file **out_file);

#ifdef __cplusplus
}
#endif

#endif
