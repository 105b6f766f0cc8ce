/* SPDX-License-Identifier: MIT */
/*
 * path_iterator.c - listings and searches, path by path. AnyIO: Path.iterdir, glob, rglob.
 */
#include <anyc/path.h>

#include <anyc/error.h>

#include "core/error.h"
#include "os/path_scan.h"

static int iterator_create(const anyc_path *path, const char *prefix, const char *pattern,
                           unsigned flags, anyc_path_iterator **out_iterator)
{
    struct path_reader *reader;
    struct path_scan *scan;
    int rc = anyc__path_scan_create(path, prefix, pattern, flags, &scan);

    if (rc == 0)
        rc = anyc__path_reader_create(anyc__path_scan_source(scan), &reader);
    if (rc == 0)
        *out_iterator = &reader->iterator;
    return rc;
}

static unsigned iterator_flags(const anyc_path_glob_options *options)
{
    if (options == NULL)
        return 0;
    return (options->ignore_case ? SCAN_IGNORE_CASE : 0u) |
           (options->recurse_symlinks ? SCAN_FOLLOW : 0u);
}

int anyc_path_iterdir(const anyc_path *path, anyc_path_iterator **out_iterator)
{
    return iterator_create(path, "", "*", SCAN_LISTING, out_iterator);
}

int anyc_path_glob(const anyc_path *path, const char *pattern,
                   const anyc_path_glob_options *options, anyc_path_iterator **out_iterator)
{
    return iterator_create(path, "", pattern, iterator_flags(options), out_iterator);
}

int anyc_path_rglob(const anyc_path *path, const char *pattern,
                    const anyc_path_glob_options *options, anyc_path_iterator **out_iterator)
{
    return iterator_create(path, "**/", pattern, iterator_flags(options), out_iterator);
}

static int iterator_take(struct path_reader *reader, const anyc_path **out_path)
{
    const anyc_path *path = NULL;
    bool ended = false;
    int rc = 0;

    while (rc == 0 && path == NULL) {
        path = anyc__path_scan_take((struct path_scan *)(void *)reader->source, &ended);
        if (ended)
            rc = anyc__fail_plain(ANYC_EOF);
        else if (path == NULL)
            rc = anyc__path_reader_read(reader);
    }
    if (rc == 0)
        *out_path = path;
    return rc;
}

int anyc_path_iterator_next(anyc_path_iterator *iterator, const anyc_path **out_path)
{
    struct path_reader *reader = ANYC__CONTAINER(iterator, struct path_reader, iterator);
    int rc = anyc__path_reader_begin(reader);

    if (rc < 0)
        return rc;
    rc = iterator_take(reader, out_path);
    anyc__path_reader_end(reader);
    return rc;
}
