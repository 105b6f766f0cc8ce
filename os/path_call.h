/* SPDX-License-Identifier: MIT */
/*
 * path_call.h - disk calls of paths, each as one job of a worker thread.
 *
 *     rc = anyc__path_ask(path, "stat", stat_fn, &args, &answer);    // may be abandoned
 *     rc = anyc__path_do(path, "rmdir", rmdir_fn, &args, &answer);   // shielded
 *
 * The function runs in the thread, with nothing but its arguments: it answers 0 or a code, -errno
 * mostly, and leaves no last error behind (anyc__failure_take). What an abandoned call has answered
 * is freed.
 */
#ifndef ANYC_OS_PATH_CALL_H
#define ANYC_OS_PATH_CALL_H

#include <sys/stat.h>

#include "os/path.h"

struct path_args {
    const char *text;  /* of the path; set by the call */
    const char *other; /* a second text, or NULL */
    const char *third; /* and one more */
    const void *data;  /* anyc__path_do only */
    size_t data_len;
    mode_t mode;
    unsigned flags; /* of the function's own */
};

struct path_answer {
    int yes;
    struct stat stat;
    char *text; /* by anyc__alloc; the caller's */
    size_t len;
    struct task_failure
        *failure; /* of a call that failed: what to tell besides its code, or NULL */
};

typedef int (*path_fn)(const struct path_args *args, struct path_answer *answer);

/* Both begin with anyc__enter. On failure the answer is unchanged. `what` is for messages. */
int anyc__path_ask(const anyc_path *path, const char *what, path_fn fn,
                   const struct path_args *args, struct path_answer *answer);
int anyc__path_do(const anyc_path *path, const char *what, path_fn fn, const struct path_args *args,
                  struct path_answer *answer);

/* A path, with the limiter of `path`, of the text that a call answered; frees that. */
int anyc__path_of_answer(const anyc_path *path, int rc, struct path_answer *answer,
                         anyc_path **out_path);

/* For the functions: a file's whole contents, with a NUL behind them; by anyc__alloc. */
int anyc__path_read_all(const char *text, char **out_data, size_t *out_len);
int anyc__path_write_all(const char *text, const void *data, size_t len);

/* The arguments of anyc__path_stat, which sets the answer's `stat`: by stat(2) or lstat(2). */
struct path_args anyc__path_stat_args(const anyc_path_follow_options *options);
int anyc__path_stat(const struct path_args *args, struct path_answer *answer);

struct text_buffer;

/* Where a link points to, in place of what the buffer held. 0, ANYC_ENOMEM or -errno. */
int anyc__path_read_link(const char *path, struct text_buffer *out);

/* Does the code say of a directory that it may not be read, or is gone, or never was one? Walks and
 * searches pass over it then. */
bool anyc__path_passes_over(int rc);

/* -errno of a system call that failed, else 0. */
int anyc__path_errno(int result);

#endif
