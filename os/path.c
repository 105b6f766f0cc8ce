/* SPDX-License-Identifier: MIT */
/*
 * path.c - paths as values. AnyIO: the part of anyio.Path that is pathlib.PurePath, as path_parts.c,
 * path_join.c, path_match.c and path_uri.c too. No I/O there.
 */
#include "os/path.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"

#include <string.h>

size_t anyc__path_normalise(const char *text, size_t len, char *out)
{
    size_t root_len = 0;
    size_t at = 0;
    size_t done;

    while (root_len < len && text[root_len] == '/')
        root_len++;
    at = root_len;
    root_len = root_len > 2 ? 1 : root_len;
    memset(out, '/', root_len);
    done = root_len;
    while (at < len) {
        const char *slash = memchr(text + at, '/', len - at);
        size_t part_len = slash == NULL ? len - at : (size_t)(slash - (text + at));

        if (part_len > 1 || (part_len == 1 && text[at] != '.')) {
            if (done > root_len)
                out[done++] = '/';
            memmove(out + done, text + at, part_len);
            done += part_len;
        }
        at += part_len + 1;
    }
    if (done == 0)
        out[done++] = '.';
    out[done] = '\0';
    return done;
}

anyc_path *anyc__path_alloc(size_t room, anyc_capacity_limiter *limiter)
{
    anyc_path *path = NULL;

    if (room < SIZE_MAX - sizeof *path - 2)
        path = anyc__alloc(sizeof *path + room + 2); /* "." of an empty text, and NUL */
    if (path == NULL)
        (void)anyc__fail_plain(ANYC_ENOMEM); /* NULL says it */
    else
        path->limiter = limiter;
    return path;
}

int anyc__path_make(const char *text, size_t len, anyc_capacity_limiter *limiter,
                    anyc_path **out_path)
{
    anyc_path *path = anyc__path_alloc(len, limiter);

    if (path == NULL)
        return ANYC_ENOMEM;
    path->len = anyc__path_normalise(text, len, path->text);
    *out_path = path;
    return 0;
}

int anyc__path_join(const char *base, size_t base_len, const char *other, size_t other_len,
                    anyc_capacity_limiter *limiter, anyc_path **out_path)
{
    anyc_path *path;

    if (other_len > 0 && other[0] == '/')
        return anyc__path_make(other, other_len, limiter, out_path);
    path = anyc__path_alloc(base_len + 1 + other_len, limiter);
    if (path == NULL)
        return ANYC_ENOMEM;
    memcpy(path->text, base, base_len);
    if (base_len > 0 && base[base_len - 1] != '/')
        path->text[base_len++] = '/'; /* behind a root it would be one too many */
    memcpy(path->text + base_len, other, other_len);
    path->len = anyc__path_normalise(path->text, base_len + other_len, path->text);
    *out_path = path;
    return 0;
}

/* -- making and reading -- */

int anyc__path_check_text(const char *text)
{
    return text != NULL ? 0 : anyc__fail(ANYC_EINVAL, 0, "path: no text");
}

int anyc_path_create(const char *text, anyc_capacity_limiter *limiter, anyc_path **out_path)
{
    int rc = anyc__path_check_text(text);

    return rc < 0 ? rc : anyc__path_make(text, strlen(text), limiter, out_path);
}

int anyc_path_clone(const anyc_path *path, anyc_path **out_path)
{
    return anyc__path_make(path->text, path->len, path->limiter, out_path);
}

void anyc_path_destroy(anyc_path *path)
{
    anyc__free(path);
}

void anyc_path_free(void *data)
{
    anyc__free(data);
}

const char *anyc_path_str(const anyc_path *path)
{
    return path->text;
}

anyc_capacity_limiter *anyc_path_limiter(const anyc_path *path)
{
    return path->limiter;
}

/* A byte's place in the order: a slash ends a part, so it comes before all but the end. */
static int path_rank(char c)
{
    return c == '/' ? 1 : c == '\0' ? 0 : 1 + (unsigned char)c;
}

int anyc_path_compare(const anyc_path *path, const anyc_path *other)
{
    const char *a = path->text;
    const char *b = other->text;

    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return path_rank(*a) - path_rank(*b);
}
