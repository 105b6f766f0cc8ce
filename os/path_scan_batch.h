/* SPDX-License-Identifier: MIT */
/*
 * path_scan_batch.h - paths that were found in a worker thread, one behind the other in one memory.
 */
#ifndef ANYC_OS_PATH_SCAN_BATCH_H
#define ANYC_OS_PATH_SCAN_BATCH_H

#include <stdbool.h>

#include "os/path.h"

/* All zero is an empty one. */
struct scan_batch {
    char *data; /* anyc_path after anyc_path, each at a multiple of 8 */
    size_t len;
    size_t room;
    size_t count; /* paths, taken ones too */
    size_t taken; /* bytes */
};

/* ANYC_ENOMEM. The text is normal. */
int anyc__scan_batch_add(struct scan_batch *batch, const char *text, size_t len,
                         anyc_capacity_limiter *limiter);

/* Is there enough in it to hand it over? */
bool anyc__scan_batch_is_full(const struct scan_batch *batch);

/* The next path, valid until the batch is cleared; NULL: all were taken. */
const anyc_path *anyc__scan_batch_take(struct scan_batch *batch);

/* Empties it; its memory is kept for the next paths. */
void anyc__scan_batch_clear(struct scan_batch *batch);
void anyc__scan_batch_deinit(struct scan_batch *batch);

#endif
