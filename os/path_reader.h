/* SPDX-License-Identifier: MIT */
/*
 * path_reader.h - what iterators and walks have in common: a handle in the loop, and a source that
 * is read in a worker thread, one batch a call.
 *
 * The source belongs to the reader but during a call, when the thread has it. If that call is
 * abandoned, it never comes back: the pool destroys it when the thread is done.
 */
#ifndef ANYC_OS_PATH_READER_H
#define ANYC_OS_PATH_READER_H

#include <anyc/path.h>

#include "streams/stream.h"
#include "threads/worker_pool.h"

struct path_reader;

/* Embed it first in what is read. */
struct path_source {
    int (*read)(struct path_source *source); /* in the thread: the next batch; 0 or a code */
    void (*destroy)(struct path_source *source);
    anyc_capacity_limiter *limiter;
    const char *where; /* set by `read` when it fails: the directory, for the message */

    struct worker_job job;      /* the rest is the reader's */
    struct path_reader *reader; /* whose call it is */
    bool began;                 /* the thread has it */
};

struct path_reader {
    union {
        anyc_resource resource;
        anyc_path_iterator iterator;
        anyc_path_walker walker;
    };
    struct stream_life life;
    bool reading; /* a task is in `next` */
    bool closed;
    bool kept;                  /* the failed call never began: the source is still here */
    struct path_source *source; /* NULL: closed, or a call was abandoned */
};

/* A reader of a source, which it takes also when that fails (ANYC_ENOMEM). */
int anyc__path_reader_create(struct path_source *source, struct path_reader **out_reader);

/* The frame of `next`: begin answers 0, or what `next` is to answer. Only after 0 comes end. */
int anyc__path_reader_begin(struct path_reader *reader);
void anyc__path_reader_end(struct path_reader *reader);

/* Between the two: have the next batch read. 0, or what `next` is to answer. */
int anyc__path_reader_read(struct path_reader *reader);

#endif
