/* SPDX-License-Identifier: MIT */
/*
 * path_scan_batch.c - paths that were found in a worker thread, one behind the other in one memory.
 */
#include "os/path_scan_batch.h"

#include <anyc/error.h>

#include "core/alloc.h"

#include <string.h>

#define BATCH_COUNT 512 /* paths */
#define BATCH_BYTES ((size_t)64 * 1024)

static int batch_reserve(struct scan_batch *batch, size_t wanted)
{
    char *data;

    if (wanted <= batch->room)
        return 0;
    data = anyc__realloc_array(batch->data, 2, wanted);
    if (data == NULL)
        return ANYC_ENOMEM;
    batch->data = data;
    batch->room = 2 * wanted;
    return 0;
}

/* What a path takes up. */
static size_t batch_size(size_t len)
{
    return (sizeof(anyc_path) + len + 1 + 7) & ~(size_t)7;
}

int anyc__scan_batch_add(struct scan_batch *batch, const char *text, size_t len,
                         anyc_capacity_limiter *limiter)
{
    size_t size = batch_size(len);
    int rc = batch_reserve(batch, batch->len + size);
    anyc_path *path;

    if (rc < 0)
        return rc;
    path = (anyc_path *)(void *)(batch->data + batch->len);
    path->limiter = limiter;
    path->len = len;
    memcpy(path->text, text, len);
    path->text[len] = '\0';
    batch->len += size;
    batch->count++;
    return 0;
}

bool anyc__scan_batch_is_full(const struct scan_batch *batch)
{
    return batch->count >= BATCH_COUNT || batch->len >= BATCH_BYTES;
}

const anyc_path *anyc__scan_batch_take(struct scan_batch *batch)
{
    const anyc_path *path;

    if (batch->taken == batch->len)
        return NULL;
    path = (const anyc_path *)(const void *)(batch->data + batch->taken);
    batch->taken += batch_size(path->len);
    return path;
}

void anyc__scan_batch_clear(struct scan_batch *batch)
{
    batch->len = 0;
    batch->count = 0;
    batch->taken = 0;
}

void anyc__scan_batch_deinit(struct scan_batch *batch)
{
    anyc__free(batch->data);
    batch->data = NULL;
}
