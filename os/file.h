/* SPDX-License-Identifier: MIT */
/*
 * file.h - what the files that make up anyc_file share: its struct, and the frame of its calls.
 *
 * A call runs `fn` in a worker thread, where it alone uses the stdio stream; at once, if that needs
 * no more than what is in memory: the stream's buffer, or a spooled file. Invariants: closed &&
 * stream == NULL, or the stream is open; while at_work nobody else touches the stream, so that who
 * closes meanwhile waits as `closer` or, if it may not wait, leaves the stream to the end of the call.
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
    int failed_rc; /* what the next read answers: it came behind bytes that could not go back; or 0 */
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
    const char *what;                  /* is done with the file, for messages */
    int (*fn)(struct file_call *call); /* answers 0 or a code */

    /* Has the stream in its buffer all that `fn` needs? Asked under its lock. NULL: never. */
    bool (*at_hand)(const struct file_call *call);

    /* what a spooled file must know beforehand */
    size_t adds;   /* bytes that are written at the position */
    int64_t reach; /* the file's size at least, afterwards; -1: the position */
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

/* The same, for calls that answer bytes: those of call->text, which are the caller's. */
int anyc__file_text_call(anyc_file *base, struct file_call *call, anyc_bytes *out_bytes);

/* -- in the thread -- */

/* Get ready to read or write: the position is set anew after the other. 0 or -errno: -ESPIPE if what
 * was read ahead would be lost, or what a read before this one has failed with. */
int anyc__file_turn(struct file *file, enum file_turn turn);

/* What a stdio call that failed just now answers: -errno. */
int anyc__file_errno(void);

/* Read until `buf` is full; with `at_once`, by one read(2) at most. *out_done: bytes, 0 at the end. */
int anyc__file_fread(struct file *file, void *buf, size_t size, bool at_once, size_t *out_done);

/* Give back the last `len` bytes that were read. False: the file cannot seek. */
bool anyc__file_unread(struct file *file, size_t len);

/* Open a descriptor's stream; `flags` are those of open(2). On failure, -errno, the descriptor is
 * closed. */
int anyc__file_fdopen(int fd, int flags, FILE **out_stream);

/* For file_call.at_hand: are call->size bytes read ahead? */
bool anyc__file_is_ahead(const struct file_call *call);

/* -- in any thread -- */

/* The flags of open(2), or ANYC_EINVAL for no such mode; that sets no message. */
int anyc__file_mode(const char *mode);

/* A file without a stream yet; NULL without memory. */
struct file *anyc__file_create(anyc_capacity_limiter *limiter);
void anyc__file_destroy(struct file *file);

/* Run a job of files and tell what it failed with. */
int anyc__file_run(anyc_task *task, struct worker_job *job, const char *what, const char *path);

/* A failure in a message such as "writing PATH: ..."; the path may be NULL. Answers `rc`. */
int anyc__file_fail(int rc, const char *what, const char *path);

#endif
