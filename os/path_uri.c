/* SPDX-License-Identifier: MIT */
/*
 * path_uri.c - paths as URIs, RFC 8089. AnyIO: Path.as_uri, Path.from_uri.
 */
#include "os/path.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"

#include <string.h>

#define URI_SAFE "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~/"

int anyc_path_as_uri(const anyc_path *path, char **out_uri)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *scheme = "file://";
    char *uri;
    char *end;

    if (!anyc_path_is_absolute(path))
        return anyc__fail(ANYC_EINVAL, 0, "a relative path has no URI: %s", path->text);
    uri = anyc__alloc(strlen(scheme) + 3 * path->len + 1);
    if (uri == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    memcpy(uri, scheme, strlen(scheme));
    end = uri + strlen(scheme);
    for (const char *c = path->text; *c != '\0'; c++) {
        if (strchr(URI_SAFE, *c) != NULL) {
            *end++ = *c;
            continue;
        }
        *end++ = '%';
        *end++ = digits[(unsigned char)*c >> 4];
        *end++ = digits[(unsigned char)*c & 15];
    }
    *end = '\0';
    *out_uri = uri;
    return 0;
}

/* The value of a hexadecimal digit, or -1. */
static int uri_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Writes the text with each %XX replaced; a % without two digits stays. Answers its length. */
static size_t uri_unquote(const char *text, char *out)
{
    size_t len = 0;

    while (*text != '\0') {
        int high = *text == '%' ? uri_digit(text[1]) : -1;
        int low = high >= 0 ? uri_digit(text[2]) : -1;

        out[len++] = low >= 0 ? (char)(high * 16 + low) : *text;
        text += low >= 0 ? 3 : 1;
    }
    return len;
}

/* The path in a URI, still quoted; NULL: it is no such URI. */
static const char *uri_path(const char *uri)
{
    if (uri == NULL || strncmp(uri, "file:", 5) != 0)
        return NULL;
    uri += 5;
    if (strncmp(uri, "///", 3) == 0)
        return uri + 2; /* no host */
    return strncmp(uri, "//localhost/", 12) == 0 ? uri + 11 : uri;
}

int anyc_path_from_uri(const char *uri, anyc_capacity_limiter *limiter, anyc_path **out_path)
{
    const char *quoted = uri_path(uri);
    char *text;
    size_t len;
    int rc;

    if (quoted == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "not a URI of a file: %s", uri == NULL ? "" : uri);
    text = anyc__alloc(strlen(quoted) + 1);
    if (text == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    len = uri_unquote(quoted, text);
    if (len == 0 || text[0] != '/' || memchr(text, '\0', len) != NULL)
        rc = anyc__fail(ANYC_EINVAL, 0, "no absolute path in the URI %s", uri);
    else
        rc = anyc__path_make(text, len, limiter, out_path);
    anyc__free(text);
    return rc;
}
