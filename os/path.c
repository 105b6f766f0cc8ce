/* SPDX-License-Identifier: MIT */
/*
 * path.c - paths as values: their parts, and paths made of others. AnyIO: the part of anyio.Path
 * that is pathlib.PurePath. No I/O here.
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

/* A path with room for a text of so many bytes. */
static anyc_path *path_alloc(size_t room, anyc_capacity_limiter *limiter)
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
    anyc_path *path = path_alloc(len, limiter);

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
    path = path_alloc(base_len + 1 + other_len, limiter);
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

static int path_check_text(const char *text)
{
    return text != NULL ? 0 : anyc__fail(ANYC_EINVAL, 0, "path: no text");
}

int anyc_path_create(const char *text, anyc_capacity_limiter *limiter, anyc_path **out_path)
{
    int rc = path_check_text(text);

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

const char *anyc_path_name(const anyc_path *path)
{
    const char *slash = strrchr(path->text, '/');

    if (anyc__path_text_is_empty(path->text))
        return "";
    return slash == NULL ? path->text : slash + 1;
}

const char *anyc_path_suffix(const anyc_path *path)
{
    const char *name = anyc_path_name(path);
    const char *dot = strrchr(name, '.');

    return dot == NULL || dot == name || dot[1] == '\0' ? "" : dot;
}

anyc_path_piece anyc_path_stem(const anyc_path *path)
{
    const char *name = anyc_path_name(path);

    return (anyc_path_piece){name, strlen(name) - strlen(anyc_path_suffix(path))};
}

bool anyc_path_suffixes(const anyc_path *path, size_t index, anyc_path_piece *out_piece)
{
    const char *name = anyc_path_name(path);
    size_t len = strlen(name);
    const char *dot;

    if (len == 0 || name[len - 1] == '.')
        return false;
    dot = strchr(name + strspn(name, "."), '.');
    for (; dot != NULL && index > 0; index--)
        dot = strchr(dot + 1, '.');
    if (dot == NULL)
        return false;
    *out_piece = (anyc_path_piece){dot, 1 + strcspn(dot + 1, ".")};
    return true;
}

bool anyc_path_parts(const anyc_path *path, size_t index, anyc_path_piece *out_piece)
{
    size_t root_len = anyc__path_root_len(path->text);
    const char *part = path->text + root_len;

    if (root_len > 0 && index-- == 0) {
        *out_piece = (anyc_path_piece){path->text, root_len};
        return true;
    }
    if (anyc__path_text_is_empty(path->text))
        return false;
    for (; index > 0 && *part != '\0'; index--) {
        part += strcspn(part, "/");
        part += *part == '/';
    }
    if (*part == '\0')
        return false;
    *out_piece = (anyc_path_piece){part, strcspn(part, "/")};
    return true;
}

const char *anyc_path_root(const anyc_path *path)
{
    static const char *const roots[] = {"", "/", "//"};

    return roots[anyc__path_root_len(path->text)];
}

const char *anyc_path_anchor(const anyc_path *path)
{
    return anyc_path_root(path);
}

bool anyc_path_is_absolute(const anyc_path *path)
{
    return path->text[0] == '/';
}

/* -- paths made of this one -- */

/* The length of the parent's text. */
static size_t path_parent_len(const char *text, size_t len)
{
    size_t root_len = anyc__path_root_len(text);

    while (len > root_len && text[len - 1] != '/')
        len--;
    return len > root_len ? len - 1 : len;
}

int anyc_path_parent(const anyc_path *path, anyc_path **out_path)
{
    return anyc__path_make(path->text, path_parent_len(path->text, path->len), path->limiter,
                           out_path);
}

int anyc_path_parents(const anyc_path *path, size_t index, anyc_path **out_path)
{
    size_t root_len = anyc__path_root_len(path->text);
    size_t len = anyc__path_text_is_empty(path->text) ? 0 : path->len;

    for (size_t i = 0; i <= index; i++) {
        if (len == root_len)
            return anyc__fail_plain(ANYC_EOF);
        len = path_parent_len(path->text, len);
    }
    return anyc__path_make(path->text, len, path->limiter, out_path);
}

int anyc_path_joinpath(const anyc_path *path, const char *other, anyc_path **out_path)
{
    int rc = path_check_text(other);

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
    result = path_alloc(base_len + name_len, path->limiter);
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
    int rc = path_check_text(name);

    return rc < 0 ? rc : path_rename(path, (anyc_path_piece){name, strlen(name)}, "", out_path);
}

int anyc_path_with_stem(const anyc_path *path, const char *stem, anyc_path **out_path)
{
    const char *suffix = anyc_path_suffix(path);
    int rc = path_check_text(stem);

    if (rc < 0)
        return rc;
    if (*suffix != '\0' && *stem == '\0')
        return anyc__fail(ANYC_EINVAL, 0, "path %s has a suffix and needs a stem", path->text);
    return path_rename(path, (anyc_path_piece){stem, strlen(stem)}, suffix, out_path);
}

int anyc_path_with_suffix(const anyc_path *path, const char *suffix, anyc_path **out_path)
{
    int rc = path_check_text(suffix);

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
        size_t parent_len = path_parent_len(other->text, len);
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
    way = path_alloc(3 * steps + strlen(rest), path->limiter);
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
    size_t len;
    size_t steps;
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
