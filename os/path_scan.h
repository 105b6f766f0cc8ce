/* SPDX-License-Identifier: MIT */
/*
 * path_scan.h - the search for paths that match a pattern, as it goes on in worker threads.
 */
#ifndef ANYC_OS_PATH_SCAN_H
#define ANYC_OS_PATH_SCAN_H

#include "os/path.h"
#include "os/path_reader.h"
#include "os/path_scan_pattern.h"

struct path_scan;

/* A search below `root` for a relative pattern, `prefix` and a slash before it if there is one.
 * `flags`: SCAN_... ANYC_EINVAL or ANYC_ENOMEM. */
int anyc__path_scan_create(const anyc_path *root, const char *prefix, const char *pattern,
                           unsigned flags, struct path_scan **out_scan);

struct path_source *anyc__path_scan_source(struct path_scan *scan);

/* The next path of the batch, valid until the next reading; NULL: another has to be read, or
 * *out_ended. */
const anyc_path *anyc__path_scan_take(struct path_scan *scan, bool *out_ended);

#endif
