/* SPDX-License-Identifier: MIT */
/*
 * file.h - what the files that make up anyc_file share: its struct, and the frame of its calls.
 *
 * A call runs `fn` in a worker thread, where it alone uses the stdio stream; for a spooled file in
 * memory it runs it at once. Invariants: closed && stream == NULL, or the stream is open; while
 * at_work nobody else touches the stream, so that who closes meanwhile waits as `closer` or, if it
 * may not wait, leaves the stream to the end of the call.
 */
#ifndef ANYC_OS_FILE_H
#define ANYC_OS_FILE_H

#include <anyc/file.h>

#include "core/task.h"
#include "os/text_buffer.h"
#include "streams/stream.h"
#include "threads/worker_pool.h"

struct spool;

/* What was done last: stdio wants a seek when it changes. */
enum file_turn {
    FILE_TURN_NONE,    /* neither, as after a seek */
    FILE_TURN_UNKNOWN, /* what somebody else did before the stream was wrapped */
    FILE_TURN_READ,
    FILE_TURN_WRITE
};

struct file {
    anyc_file file;
    FILE *stream; /* NULL: closed */
    char *path;   /* or NULL */
    anyc_capacity_limiter *limiter;
    struct stream_life life;
    struct task_wait *closer; /* waits for the end of the call, or NULL */
    struct spool *spool;      /* holds the content of a file in memory; else NULL */
    struct text_buffer line;  /* that anyc_file_next_line gave last */
    enum file_turn turn;
    bool at_work;     /* a task is in a call */
    bool closed;      /* no further call may begin */
    bool rolled;      /* of a spooled file: it is on disk */
    bool keep_open;   /* the stream is somebody else's */
    bool unlink_path; /* when it is closed */
};

/* One call: on its task's stack. */
struct file_call {
    struct worker_job job;
    struct file *file;
    int (*fn)(struct file_call *call); /* answers 0 or a code */

    /* what a spooled file must know beforehand */
    size_t adds;   /* bytes that are written at the position */
    int64_t reach; /* the file's size at least, afterwards */
    bool roll;     /* to disk in any case */

    /* what the function is given and gives; each uses what it needs */
    void *buf;
    size_t size;
    bool at_once;
    const struct iovec *pieces;
    int count;
    int64_t offset;
    int whence;
    struct text_buffer text;
    anyc_bytes *items;
    size_t done;
};

static inline struct file *anyc__file_of(const anyc_file *file)
{
    return ANYC__CONTAINER(file, struct file, file);
}

/* Run a call: 0, or what the public function answers. */
int anyc__file_call(anyc_file *base, struct file_call *call);

/* -- in the thread -- */

/* Get ready to read or write: the position is set anew after the other. 0 or -errno. */
int anyc__file_turn(struct file *file, enum file_turn turn);

/* What a stdio call that failed just now answers: -errno. */
int anyc__file_errno(void);

/* Read until `buf` is full; with `at_once`, by one read(2) at most. *out_done: bytes, 0 at the end. */
int anyc__file_fread(struct file *file, void *buf, size_t size, bool at_once, size_t *out_done);

/* Open a descriptor's stream; `flags` are those of open(2). On failure, -errno, the descriptor is
 * closed. */
int anyc__file_fdopen(int fd, int flags, FILE **out_stream);

/* -- in any thread -- */

/* The flags of open(2), or ANYC_EINVAL for no such mode; that sets no message. */
int anyc__file_mode(const char *mode);

/* A file without a stream yet; NULL without memory. */
struct file *anyc__file_create(anyc_capacity_limiter *limiter);
void anyc__file_destroy(struct file *file);

/* Run a job of files and tell what it failed with, in a message that names `what`. */
int anyc__file_run(anyc_task *task, struct worker_job *job, const char *what);

/* For messages. */
int anyc__file_fail(int rc, const char *what);

#endif
