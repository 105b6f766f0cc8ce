/* SPDX-License-Identifier: MIT */
/*
 * temporary_file.h - files and directories that go away by themselves, and names for others.
 *
 *     anyc_temporary_dir *dir;
 *     int rc = anyc_temporary_directory(NULL, &dir);
 *
 *     if (rc == 0)
 *         rc = build_in(anyc_temporary_dir_path(dir));
 *     anyc_aclose(dir);   // removes it with all that is in it
 *
 * Names are eight random characters between a prefix and a suffix. They are made in the directory
 * that is given, else in the first of these that can be written to: $TMPDIR, $TEMP, $TMP, /tmp,
 * /var/tmp, /usr/tmp, the working directory. Paths are absolute, without "." or "//". Files have
 * mode 0600, directories 0700, less the umask, and nothing that exists is ever opened.
 */
#ifndef ANYC_TEMPORARY_FILE_H
#define ANYC_TEMPORARY_FILE_H

#include <anyc/base.h>
#include <anyc/file.h>
#include <anyc/resource.h>
#include <anyc/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a temporary file may be told; all zero means the defaults. */
typedef struct anyc_temporary_file_options {
    const char *suffix; /* of the name, without a slash; NULL: none */
    const char *prefix; /* likewise; NULL: "tmp" */
    const char *dir;    /* NULL: see above */
    const char *mode;   /* as anyc_open_file; NULL: "w+". The file can be used as this says */
    anyc_capacity_limiter *limiter; /* as anyc_open_file_options */

    bool keep;       /* anyc_named_temporary_file only: the file stays when it is closed */
    size_t max_size; /* anyc_spooled_temporary_file only: bytes that it may have in memory; 0: it
                      * goes to disk with its first byte */
} anyc_temporary_file_options;

typedef anyc_temporary_file_options anyc_named_temporary_file_options;
typedef anyc_temporary_file_options anyc_spooled_temporary_file_options;

/** What a temporary directory may be told; all zero means the defaults. */
typedef struct anyc_temporary_directory_options {
    const char *suffix; /* as above */
    const char *prefix;
    const char *dir;
    bool ignore_cleanup_errors; /* removing it removes what it can, and is content */
    bool keep;                  /* closing it leaves it there */
} anyc_temporary_directory_options;

/** What a name may be told; all zero means the defaults. */
typedef struct anyc_mkstemp_options {
    const char *suffix; /* as above */
    const char *prefix;
    const char *dir;
} anyc_mkstemp_options;

typedef anyc_mkstemp_options anyc_mkdtemp_options;

/** A directory that goes when it is closed. */
typedef struct anyc_temporary_dir {
    anyc_resource resource;
} anyc_temporary_dir;

/**
 * Make a file without a name.
 *
 * @param options   NULL or zero fields: defaults
 * @param out_file  the file
 *
 * Returns: 0, or
 *   ANYC_EINVAL     no such mode, or a prefix or suffix with a slash
 *   -ENOENT         no directory can be written to
 *   -EACCES, -ENOSPC, -EMFILE, -EROFS ...  of open(2)
 *   -EEXIST         ten thousand names were taken
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 *   -EAGAIN         no thread, as anyc_to_thread_run_sync
 * Owns:    the file is the caller's: end it with anyc_aclose, which frees its space.
 * Cancel:  checkpoint until the thread begins, then shielded.
 * Threads: tasks only.
 * AnyIO:   TemporaryFile (4.9).
 */
ANYC_API int anyc_temporary_file(const anyc_temporary_file_options *options, anyc_file **out_file);

/**
 * Make a file with a name, anyc_file_path tells it, that is removed when the file is closed.
 *
 * @param options   NULL or zero fields: defaults
 * @param out_file  the file
 *
 * Returns: as anyc_temporary_file.
 * Owns:    the file is the caller's: end it with anyc_aclose.
 * Cancel:  as anyc_temporary_file.
 * Threads: tasks only.
 * AnyIO:   NamedTemporaryFile (4.9).
 */
ANYC_API int anyc_named_temporary_file(const anyc_named_temporary_file_options *options,
                                       anyc_file **out_file);

/**
 * Make a file that stays in memory as long as it is small. A write that would end behind `max_size`
 * puts it on disk first, content and position; so does making it longer than that. Before that no
 * thread is used, but every call is a checkpoint. If the disk refuses, nothing was written and the
 * file is as before.
 *
 * @param options   NULL or zero fields: defaults; its mode must be "w+" or NULL
 * @param out_file  the file
 *
 * Returns: 0, or
 *   ANYC_EINVAL     another mode, or a prefix or suffix with a slash
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 * Owns:    the file is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   SpooledTemporaryFile (4.9).
 */
ANYC_API int anyc_spooled_temporary_file(const anyc_spooled_temporary_file_options *options,
                                         anyc_file **out_file);

/**
 * Put a spooled file on disk now, if it is not there yet.
 *
 * @param file  by anyc_spooled_temporary_file; any other is on disk already
 *
 * Returns: 0, or as anyc_temporary_file, or ANYC_EBUSY or ANYC_ECLOSED.
 * Owns:    nothing is taken.
 * Cancel:  as anyc_temporary_file.
 * Threads: the file's loop only.
 * AnyIO:   SpooledTemporaryFile.rollover (4.9).
 */
ANYC_API int anyc_spooled_temporary_file_rollover(anyc_file *file);

/**
 * Is a spooled file on disk?
 *
 * @param file  by anyc_spooled_temporary_file
 *
 * Returns: true once it went there.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the file's loop only.
 * AnyIO:   SpooledTemporaryFile._rolled.
 */
ANYC_API bool anyc_spooled_temporary_file_rolled(const anyc_file *file);

/**
 * Make a directory that is removed, with all that is in it, when it is closed. That follows no
 * links, and is done in a worker thread whatever is cancelled (anyc_aclose_forcefully: at once, in
 * the loop's thread); what cannot be removed stays, the rest goes, and the first failure is told.
 *
 * @param options  NULL or zero fields: defaults
 * @param out_dir  the directory
 *
 * Returns: as anyc_temporary_file.
 * Owns:    the directory is the caller's: end it with anyc_aclose.
 * Cancel:  as anyc_temporary_file.
 * Threads: tasks only.
 * AnyIO:   TemporaryDirectory (4.9).
 */
ANYC_API int anyc_temporary_directory(const anyc_temporary_directory_options *options,
                                      anyc_temporary_dir **out_dir);

/**
 * The path of a temporary directory.
 *
 * @param dir  borrowed, also when it is closed
 *
 * Returns: the path, absolute.
 * Owns:    the text is the directory's.
 * Cancel:  never suspends.
 * Threads: the directory's loop only.
 * AnyIO:   TemporaryDirectory.name (4.9).
 */
ANYC_API const char *anyc_temporary_dir_path(const anyc_temporary_dir *dir);

/**
 * Remove a temporary directory now, with all that is in it. It may be repeated, and the directory may
 * be gone; it is the caller's until anyc_aclose.
 *
 * @param dir  borrowed
 *
 * Returns: 0, or
 *   -EACCES, -EPERM, -EBUSY, -ENOTEMPTY ...  the first failure, of unlink(2), rmdir(2) or open(2)
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 *   -EAGAIN         no thread, as anyc_to_thread_run_sync
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread begins, then shielded.
 * Threads: the directory's loop only.
 * AnyIO:   TemporaryDirectory.cleanup (4.9).
 */
ANYC_API int anyc_temporary_dir_cleanup(anyc_temporary_dir *dir);

/**
 * Make a file with a new name, which stays.
 *
 * @param options   NULL or zero fields: defaults
 * @param out_fd    open for reading and writing, close-on-exec
 * @param out_path  its path, ended by a '\0' that is not counted
 *
 * Returns: as anyc_temporary_file.
 * Owns:    the descriptor, the file and the path's memory (anyc_bytes_deinit) are the caller's.
 * Cancel:  as anyc_temporary_file.
 * Threads: tasks only.
 * AnyIO:   mkstemp (4.9).
 */
ANYC_API int anyc_mkstemp(const anyc_mkstemp_options *options, int *out_fd, anyc_bytes *out_path);

/**
 * Make a directory with a new name, which stays.
 *
 * @param options   NULL or zero fields: defaults
 * @param out_path  its path, ended by a '\0' that is not counted
 *
 * Returns: as anyc_temporary_file; of mkdir(2).
 * Owns:    the directory and the path's memory (anyc_bytes_deinit) are the caller's.
 * Cancel:  as anyc_temporary_file.
 * Threads: tasks only.
 * AnyIO:   mkdtemp (4.9).
 */
ANYC_API int anyc_mkdtemp(const anyc_mkdtemp_options *options, anyc_bytes *out_path);

/**
 * The directory that temporary names are made in; see the top of this header. The environment is
 * looked at anew each time.
 *
 * @param out_path  its path, ended by a '\0' that is not counted
 *
 * Returns: 0, or
 *   -ENOENT         none of them can be written to
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 *   -EAGAIN         no thread, as anyc_to_thread_run_sync
 * Owns:    the path's memory is the caller's (anyc_bytes_deinit).
 * Cancel:  as anyc_temporary_file.
 * Threads: tasks only.
 * AnyIO:   gettempdir, gettempdirb (4.9).
 */
ANYC_API int anyc_gettempdir(anyc_bytes *out_path);

#ifdef __cplusplus
}
#endif

#endif
