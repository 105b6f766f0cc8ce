/* SPDX-License-Identifier: MIT */
/*
 * path_disk.h - what holds for all calls that look at what is on the disk at a path, or change it.
 * anyc/path.h includes this header, and this one those with the calls.
 *
 *     rc = anyc_path_is_dir(path, NULL);           // 1, 0, or an error
 *     if (rc == 0)
 *         rc = anyc_path_read_text(path, NULL, &text, NULL);
 *
 * Questions are in anyc/path_stat.h, anyc/path_resolve.h, anyc/path_iterator.h and
 * anyc/path_walk.h, changes in anyc/path_change.h and anyc/path_copy.h, contents in
 * anyc/path_content.h.
 *
 * Each call is one call of a worker thread, under the limiter that the path carries or else the
 * run's own for files (40 tokens). Questions are abandoned when the task is cancelled: the thread
 * goes on, and a limiter that the path carries must live until it is done. No change is left half
 * done by a cancellation: once its thread has begun, the task waits for it. A tilde means nothing
 * here, but see anyc_path_expanduser.
 *
 * Besides what each function names, all answer ANYC_ECANCELLED (the enclosing scope was
 * cancelled), ANYC_ENOLOOP (not called from a task), ANYC_ENOMEM, and -EAGAIN if the system
 * refused a thread. What they write on success is unchanged on failure.
 */
#ifndef ANYC_PATH_DISK_H
#define ANYC_PATH_DISK_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a call may be told about links; all zero means the defaults. */
typedef struct anyc_path_follow_options {
    bool no_follow; /* look at a symbolic link itself, not at what it leads to */
} anyc_path_follow_options;

#ifdef __cplusplus
}
#endif

#include <anyc/path_change.h>
#include <anyc/path_content.h>
#include <anyc/path_copy.h>
#include <anyc/path_iterator.h>
#include <anyc/path_resolve.h>
#include <anyc/path_stat.h>
#include <anyc/path_walk.h>

#endif
