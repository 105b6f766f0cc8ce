/* SPDX-License-Identifier: MIT */
/*
 * path.h - the inside of a path, for the files of os/ that work on paths.
 */
#ifndef ANYC_OS_PATH_H
#define ANYC_OS_PATH_H

#include <anyc/path.h>

/* Invariants: `text` is in normal form (see include/anyc/path.h), has `len` bytes, none NUL,
 * and a NUL behind them. */
struct anyc_path {
    anyc_capacity_limiter *limiter; /* or NULL */
    size_t len;
    char text[];
};

/* Bring a text into normal form, at most max(len, 1) bytes and a NUL at `out`, which may be `text`
 * itself. Answers the bytes written. */
size_t anyc__path_normalise(const char *text, size_t len, char *out);

/* How many slashes the normal text begins with: 0, 1 or 2. */
static inline size_t anyc__path_root_len(const char *text)
{
    if (text[0] != '/')
        return 0;
    return text[1] == '/' ? 2 : 1;
}

/* Is the normal text that of the empty path? */
static inline bool anyc__path_text_is_empty(const char *text)
{
    return text[0] == '.' && text[1] == '\0';
}

/* The length of the parent's text, of a normal one. */
size_t anyc__path_parent_len(const char *text, size_t len);

/* ANYC_EINVAL for NULL, else 0. */
int anyc__path_check_text(const char *text);

/* A path with room for a text of so many bytes; NULL without memory. */
anyc_path *anyc__path_alloc(size_t room, anyc_capacity_limiter *limiter);

/* A path of a text that needs not be normal; ANYC_ENOMEM. */
int anyc__path_make(const char *text, size_t len, anyc_capacity_limiter *limiter,
                    anyc_path **out_path);

/* The text of `other` behind `base` (if it is not absolute), as a path. */
int anyc__path_join(const char *base, size_t base_len, const char *other, size_t other_len,
                    anyc_capacity_limiter *limiter, anyc_path **out_path);

#endif
