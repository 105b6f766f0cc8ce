/* SPDX-License-Identifier: MIT */
/*
 * path_join.c - paths made of a path and a text. AnyIO: Path.joinpath, with_name, relative_to ...
 */
#include "os/path.h"

#include <anyc/error.h>

#include "core/error.h"

#include <string.h>

int anyc_path_joinpath(const anyc_path *path, const char *other, anyc_path **out_path)
{
    int rc = anyc__path_check_text(other);

    if (rc < 0)
        return rc;
    return anyc__path_join(path->text, path->len, other, strlen(other), path->limiter, out_path);
}

/* The path with the name `head` followed by `tail`. */
static int path_rename(const anyc_path *path, anyc_path_piece head, const char *tail,
                       anyc_path **out_path)
{
    const char *old = anyc_path_name(path);
    size_t base_len = path->len - strlen(old);
    size_t name_len = head.len + strlen(tail);
    anyc_path *result;

    if (*old == '\0')
        return anyc__fail(ANYC_EINVAL, 0, "path %s has no name", path->text);
    if (name_len == 0 || memchr(head.text, '/', head.len) != NULL || strchr(tail, '/') != NULL ||
        (name_len == 1 && (head.len == 1 ? *head.text : *tail) == '.'))
        return anyc__fail(ANYC_EINVAL, 0, "path: no valid name: %.*s%s", (int)head.len, head.text,
                          tail);
    result = anyc__path_alloc(base_len + name_len, path->limiter);
    if (result == NULL)
        return ANYC_ENOMEM;
    memcpy(result->text, path->text, base_len);
    memcpy(result->text + base_len, head.text, head.len);
    memcpy(result->text + base_len + head.len, tail, name_len - head.len + 1);
    result->len = base_len + name_len;
    *out_path = result;
    return 0;
}

int anyc_path_with_name(const anyc_path *path, const char *name, anyc_path **out_path)
{
    int rc = anyc__path_check_text(name);

    return rc < 0 ? rc : path_rename(path, (anyc_path_piece){name, strlen(name)}, "", out_path);
}

int anyc_path_with_stem(const anyc_path *path, const char *stem, anyc_path **out_path)
{
    const char *suffix = anyc_path_suffix(path);
    int rc = anyc__path_check_text(stem);

    if (rc < 0)
        return rc;
    if (*suffix != '\0' && *stem == '\0')
        return anyc__fail(ANYC_EINVAL, 0, "path %s has a suffix and needs a stem", path->text);
    return path_rename(path, (anyc_path_piece){stem, strlen(stem)}, suffix, out_path);
}

int anyc_path_with_suffix(const anyc_path *path, const char *suffix, anyc_path **out_path)
{
    int rc = anyc__path_check_text(suffix);

    if (rc < 0)
        return rc;
    if (*suffix != '\0' && (*suffix != '.' || suffix[1] == '\0'))
        return anyc__fail(ANYC_EINVAL, 0, "path: no valid suffix: %s", suffix);
    return path_rename(path, anyc_path_stem(path), suffix, out_path);
}

/* -- one path and another -- */

/* Is the text below or equal to the first `len` bytes of `other`, both normal? */
static bool path_lies_below(const anyc_path *path, const char *other, size_t len)
{
    size_t root_len = anyc__path_root_len(other);

    if (root_len != anyc__path_root_len(path->text))
        return false;
    if (len == root_len || anyc__path_text_is_empty(other))
        return true; /* below its root, or below "." */
    return strncmp(path->text, other, len) == 0 &&
           (path->text[len] == '\0' || path->text[len] == '/');
}

/* How much of `other` the path lies below, and how many parts are to be left before. */
static int path_common(const anyc_path *path, const anyc_path *other, bool walk_up, size_t *out_len,
                       size_t *out_steps)
{
    size_t len = other->len;
    size_t steps = 0;

    if (anyc__path_root_len(path->text) != anyc__path_root_len(other->text))
        return anyc__fail(ANYC_EINVAL, 0, "path: %s and %s have different roots", path->text,
                          other->text);
    while (!path_lies_below(path, other->text, len)) {
        size_t parent_len = anyc__path_parent_len(other->text, len);
        size_t name_len = len - parent_len - (other->text[parent_len] == '/');

        if (!walk_up)
            return anyc__fail(ANYC_EINVAL, 0, "path: %s is not below %s", path->text, other->text);
        if (name_len == 2 && memcmp(other->text + len - 2, "..", 2) == 0)
            return anyc__fail(ANYC_EINVAL, 0, "path: cannot walk back along '..' in %s",
                              other->text);
        len = parent_len;
        steps++;
    }
    *out_len = anyc__path_text_is_empty(other->text) ? 0 : len;
    *out_steps = steps;
    return 0;
}

/* `steps` times "..", then what of the path follows its first `len` bytes. */
static int path_way(const anyc_path *path, size_t len, size_t steps, anyc_path **out_path)
{
    const char *rest = path->text + len;
    anyc_path *way;
    size_t at;

    while (*rest == '/')
        rest++;
    way = anyc__path_alloc(3 * steps + strlen(rest), path->limiter);
    if (way == NULL)
        return ANYC_ENOMEM;
    for (at = 0; at < 3 * steps; at += 3)
        memcpy(way->text + at, "../", 3);
    memcpy(way->text + at, rest, strlen(rest));
    way->len = anyc__path_normalise(way->text, at + strlen(rest), way->text);
    *out_path = way;
    return 0;
}

int anyc_path_relative_to(const anyc_path *path, const char *other, bool walk_up,
                          anyc_path **out_path)
{
    anyc_path *from = NULL;
    size_t len = 0;
    size_t steps = 0;
    int rc = anyc_path_create(other, NULL, &from);

    if (rc < 0)
        return rc;
    rc = path_common(path, from, walk_up, &len, &steps);
    if (rc == 0)
        rc = path_way(path, len, steps, out_path);
    anyc_path_destroy(from);
    return rc;
}

int anyc_path_is_relative_to(const anyc_path *path, const char *other)
{
    anyc_path *from = NULL;
    int rc = anyc_path_create(other, NULL, &from);

    if (rc < 0)
        return rc;
    rc = path_lies_below(path, from->text, from->len);
    anyc_path_destroy(from);
    return rc;
}
