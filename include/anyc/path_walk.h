/* SPDX-License-Identifier: MIT */
/*
 * path_walk.h - a tree, directory by directory. anyc/path_disk.h includes it, and says what holds
 * for all calls.
 *
 *     rc = anyc_path_walk(directory, NULL, &walker);
 *     if (rc < 0)
 *         return rc;
 *     while ((rc = anyc_path_walker_next(walker, &step)) == 0)
 *         printf("%s: %zu files\n", anyc_path_str(step.path), step.file_count);
 *     anyc_aclose(walker);
 *     return rc == ANYC_EOF ? 0 : rc;
 */
#ifndef ANYC_PATH_WALK_H
#define ANYC_PATH_WALK_H

#include <anyc/base.h>
#include <anyc/path.h>
#include <anyc/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Called of a directory that cannot be read.
 *
 * @param path   that directory; borrowed for the call
 * @param error  why: -errno, the code of anyc_last_error
 * @param arg    of the options
 *
 * Returns: 0: it is passed over. A negative code: anyc_path_walker_next answers that code, and when
 *          called once more tries the directory again.
 * Owns:    nothing.
 * Cancel:  may suspend, since it is called by anyc_path_walker_next in its task; it may close the
 *          walk.
 * Threads: the walk's loop only.
 * AnyIO:   Path.walk(on_error=...).
 */
typedef int (*anyc_path_walk_error_fn)(const anyc_path *path, int error, void *arg);

/** What a walk may be told; all zero means the defaults. */
typedef struct anyc_path_walk_options {
    bool bottom_up;       /* a directory comes after what is in it */
    bool follow_symlinks; /* links to directories are entered, and not among the files */

    /* NULL: what may not be read, or is gone, is passed over; other errors are answered. */
    anyc_path_walk_error_fn on_error;
    void *arg; /* of on_error; both must last as long as the walk */
} anyc_path_walk_options;

/** A walk under way. End it by anyc_aclose, which does not wait. */
typedef struct anyc_path_walker {
    anyc_resource resource;
} anyc_path_walker;

/** One directory of a walk. All of it is borrowed from the walk until its next step. */
typedef struct anyc_path_walk_step {
    const anyc_path *path;
    const char **dirs; /* names; set one to NULL, and it will not be entered (not with bottom_up) */
    size_t dir_count;
    const char **files; /* names of all else */
    size_t file_count;
} anyc_path_walk_step;

/**
 * Go through a directory and all those below it, a directory at a time.
 *
 * @param path        the directory; copied
 * @param options     NULL or zero fields: defaults
 * @param out_walker  the walk
 *
 * Returns: 0, or ANYC_ENOMEM.
 * Owns:    end the walk with anyc_aclose.
 * Cancel:  never suspends.
 * Threads: the loop's thread, which then is the only one that may use the walk.
 * AnyIO:   Path.walk.
 */
ANYC_MUST_USE ANYC_API int anyc_path_walk(const anyc_path *path,
                                          const anyc_path_walk_options *options,
                                          anyc_path_walker **out_walker);

/**
 * The next directory. One that may not be read, or is gone, is passed over, unless there is an
 * on_error: that is then asked, of any error of the system.
 *
 * @param walker    borrowed
 * @param out_step  the directory and what is in it
 *
 * Returns: 0, or
 *   ANYC_EOF        there are no more
 *   ANYC_EBUSY      another task is asking, or on_error is
 *   ANYC_ECLOSED    the walk is closed
 *   ANYC_EBROKEN    an earlier call was cancelled while its thread was reading
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory; nothing is lost
 *   -errno          without on_error, a directory cannot be read for another reason, such as
 *                   -EMFILE or -EIO; nothing is lost
 *   what on_error answered
 * Owns:    all of the step is borrowed until the next call, or the end of the walk.
 * Cancel:  checkpoint. The reading is abandoned.
 * Threads: tasks of the walk's loop only.
 * AnyIO:   the result of Path.walk: __anext__.
 */
ANYC_MUST_USE ANYC_API int anyc_path_walker_next(anyc_path_walker *walker,
                                                 anyc_path_walk_step *out_step);

#ifdef __cplusplus
}
#endif

#endif
