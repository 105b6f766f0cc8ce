/* SPDX-License-Identifier: MIT */
/*
 * path_call.h - disk calls of paths, each as one job of a worker thread.
 *
 *     rc = anyc__path_ask(path, "stat", stat_fn, &args, &answer);    // may be abandoned
 *     rc = anyc__path_do(path, "rmdir", rmdir_fn, &args, &answer);   // shielded
 *
 * The function runs in the thread, with nothing but its arguments: it answers 0 or a code, -errno
 * mostly, and sets no last error. What an abandoned call has answered is freed.
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

/* For the functions: the text of a file's whole contents, with a NUL behind it. */
int anyc__path_read_all(const char *text, char **out_data, size_t *out_len);

/* -errno of a system call that failed, else 0. */
int anyc__path_errno(int result);

#endif
