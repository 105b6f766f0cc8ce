/* SPDX-License-Identifier: MIT */
/*
 * path_parts.c - the parts of paths. AnyIO: Path.name, suffix, parts, parents ...
 */
#include "os/path.h"

#include <anyc/error.h>

#include "core/error.h"

#include <string.h>

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

size_t anyc__path_parent_len(const char *text, size_t len)
{
    size_t root_len = anyc__path_root_len(text);

    while (len > root_len && text[len - 1] != '/')
        len--;
    return len > root_len ? len - 1 : len;
}

int anyc_path_parent(const anyc_path *path, anyc_path **out_path)
{
    return anyc__path_make(path->text, anyc__path_parent_len(path->text, path->len), path->limiter,
                           out_path);
}

int anyc_path_parents(const anyc_path *path, size_t index, anyc_path **out_path)
{
    size_t root_len = anyc__path_root_len(path->text);
    size_t len = anyc__path_text_is_empty(path->text) ? 0 : path->len;

    for (size_t i = 0; i <= index; i++) {
        if (len == root_len)
            return anyc__fail_plain(ANYC_EOF);
        len = anyc__path_parent_len(path->text, len);
    }
    return anyc__path_make(path->text, len, path->limiter, out_path);
}
