/* SPDX-License-Identifier: MIT */
/*
 * spooled_file.h - the content of a spooled file as long as it is in memory, behind a stdio stream
 * without a buffer.
 */
#ifndef ANYC_OS_SPOOLED_FILE_H
#define ANYC_OS_SPOOLED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct spool;

/* Would writing so much at the position, or such a size (-1: the position), be more than may be in
 * memory? */
bool anyc__spool_is_too_small(const struct spool *spool, size_t adds, int64_t reach);

/* What can be read, and where it is. */
size_t anyc__spool_ahead(const struct spool *spool, const char **out_data);

/* Room for so many bytes at the position, so that writing them cannot fail. 0 or ANYC_ENOMEM. */
int anyc__spool_reserve(struct spool *spool, size_t adds);

/* Likewise for a size, filled up with zeros. */
int anyc__spool_truncate(struct spool *spool, size_t size);

/* Move the file's content and position to the disk; in a worker thread. On failure, -errno, it is
 * as before. */
int anyc__spool_roll(struct file *file);

void anyc__spool_destroy(struct spool *spool);

#endif
