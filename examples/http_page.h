/* SPDX-License-Identifier: MIT */
/*
 * http_page.h - answers a request with a file: http_server --root.
 *
 * The head of the answer is made of what fstat(2) says of the open file, and the same open file is
 * sent behind it: it may be replaced meanwhile, or removed. If it gets shorter, the connection ends
 * early, as nothing else can tell the client.
 */
#ifndef ANYC_EXAMPLES_HTTP_PAGE_H
#define ANYC_EXAMPLES_HTTP_PAGE_H

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/uio.h>

#include <anyc/anyc.h>

#include "http_fields.h"
#include "http_open.h"

enum {
    HTTP_PAGE_HEAD_MAX = 10240,  /* bytes; a Location is as long as the target at most */
    HTTP_PAGE_TLS_BYTES = 65536, /* at a time */
};

/* One answer after the other on a connection. */
struct http_page {
    struct http_opening opening;
    bool tls;
    bool body;     /* GET, not HEAD */
    bool last;     /* the connection ends with it */
    int64_t first; /* of the file: what is still to be sent */
    int64_t left;
    size_t head_len;
    char head[HTTP_PAGE_HEAD_MAX];
};

static inline struct http_page *http_page_create(int root, bool tls)
{
    struct http_page *page = malloc(sizeof *page);

    if (page != NULL) {
        page->opening.root = root;
        page->opening.fd = -1;
        page->tls = tls;
        page->left = 0;
    }
    return page;
}

static inline void http_page_close(struct http_page *page)
{
    if (page->opening.fd >= 0)
        close(page->opening.fd);
    page->opening.fd = -1;
    page->left = 0;
}

static inline void http_page_destroy(struct http_page *page)
{
    if (page != NULL)
        http_page_close(page);
    free(page);
}

static inline void http_page_add_list(struct http_page *page, const char *format, va_list list)
{
    size_t room = sizeof page->head - page->head_len;
    int len = vsnprintf(page->head + page->head_len, room, format, list);

    if (len > 0)
        page->head_len += (size_t)len < room ? (size_t)len : room - 1;
}

__attribute__((format(printf, 2, 3))) static inline void http_page_add(struct http_page *page,
                                                                       const char *format, ...)
{
    va_list list;

    va_start(list, format);
    http_page_add_list(page, format, list);
    va_end(list);
}

/* What every answer has: status, date and, with the last one, the end. */
static inline void http_page_begin(struct http_page *page, const char *status)
{
    char date[32];

    http_print_date(time(NULL), date, sizeof date);
    page->head_len = 0;
    http_page_add(page, "HTTP/1.1 %s\r\nDate: %s\r\n%s", status, date,
                  page->last ? "Connection: close\r\n" : "");
}

/* An answer without a file: the status is its text. `fields`: a format of lines of the head. */
__attribute__((format(printf, 3, 4))) static inline void
http_page_say(struct http_page *page, const char *status, const char *fields, ...)
{
    va_list list;

    http_page_close(page);
    http_page_begin(page, status);
    va_start(list, fields);
    http_page_add_list(page, fields, list);
    va_end(list);
    http_page_add(page, "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s%s",
                  strlen(status) + 1, page->body ? status : "", page->body ? "\n" : "");
}

static inline void http_page_refuse(struct http_page *page, int rc)
{
    http_page_say(page, http_open_status(rc), "%s", "");
}

/* To the same target with a slash behind it, so that what the page names is found from there. More
 * than one slash at the front would be the name of another server. */
static inline void http_page_add_slash(struct http_page *page, struct http_text target)
{
    const char *end = target.text + target.len;
    const char *query = memchr(target.text, '?', target.len);
    const char *path = target.text;

    if (query == NULL)
        query = end;
    while (path < query && *path == '/')
        path++;
    http_page_say(page, "301 Moved Permanently", "Location: /%.*s/%.*s\r\n", (int)(query - path),
                  path, (int)(end - query), query);
}

/* The head of an answer with the file, or with a part of it. */
static inline void http_page_give(struct http_page *page, const struct http_version *version,
                                  enum http_range_kind kind, const struct http_range *range)
{
    http_page_begin(page, kind == HTTP_RANGE_PART ? "206 Partial Content" : "200 OK");
    if (kind == HTTP_RANGE_PART)
        http_page_add(page, "Content-Range: bytes %lld-%lld/%lld\r\n", (long long)range->first,
                      (long long)(range->first + range->count - 1),
                      (long long)page->opening.status.st_size);
    http_page_add(page,
                  "Content-Type: %s\r\nContent-Length: %lld\r\nLast-Modified: %s\r\n"
                  "ETag: %s\r\nAccept-Ranges: bytes\r\n\r\n",
                  http_type(page->opening.path), (long long)range->count, version->date,
                  version->tag);
    page->first = range->first;
    page->left = page->body ? range->count : 0;
}

/* For a regular file that is open. */
static inline void http_page_offer(struct http_page *page, struct http_text head)
{
    int64_t size = page->opening.status.st_size;
    struct http_range range = {0, size};
    enum http_range_kind kind = HTTP_RANGE_NONE;
    struct http_version version;

    http_version_of(&page->opening.status, time(NULL), &version);
    if (http_is_known(head, &version)) {
        http_page_close(page);
        http_page_begin(page, "304 Not Modified");
        http_page_add(page, "Last-Modified: %s\r\nETag: %s\r\n\r\n", version.date, version.tag);
        return;
    }
    if (page->body && http_range_applies(head, &version))
        kind = http_read_range(http_field(head, "Range"), size, &range);
    if (kind == HTTP_RANGE_UNSATISFIABLE)
        http_page_say(page, "416 Range Not Satisfiable", "Content-Range: bytes */%lld\r\n",
                      (long long)size);
    else
        http_page_give(page, &version, kind, &range);
}

/* The answer to a GET or HEAD of the target. */
static inline void http_page_look_up(struct http_page *page, struct http_text head,
                                     struct http_text target)
{
    int rc = http_target_to_path(&page->opening, target.text, target.len);

    if (rc == 0)
        rc = http_open(&page->opening);
    if (rc < 0)
        http_page_refuse(page, rc);
    else if (S_ISDIR(page->opening.status.st_mode) && !page->opening.is_index)
        http_page_add_slash(page, target);
    else if (!S_ISREG(page->opening.status.st_mode))
        http_page_refuse(page, -ENOENT);
    else
        http_page_offer(page, head);
}

/* The answer to a proper request, but for the content of a file: that is sent behind it. */
static inline struct iovec http_page_find(struct http_page *page, struct http_text head, bool last)
{
    const char *target = (const char *)memchr(head.text, ' ', head.len) + 1;
    const char *end = memchr(target, ' ', (size_t)(head.text + head.len - target));

    page->last = last;
    page->body = strncmp(head.text, "HEAD ", 5) != 0;
    if (page->body && strncmp(head.text, "GET ", 4) != 0)
        http_page_say(page, "405 Method Not Allowed", "Allow: GET, HEAD\r\n");
    else
        http_page_look_up(page, head, (struct http_text){target, (size_t)(end - target)});
    return (struct iovec){page->head, page->head_len};
}

/* Sends some of the content: all of it, if the client takes it within some seconds. */
static inline int http_page_send_some(struct http_page *page, anyc_byte_stream *stream,
                                      double seconds)
{
    bool part = page->tls && page->left > HTTP_PAGE_TLS_BYTES;
    int64_t count = part ? HTTP_PAGE_TLS_BYTES : page->left;
    int64_t first = page->first;
    anyc_cancel_scope scope;
    int64_t n;
    int rc;

    anyc_fail_after(&scope, seconds > 0 ? seconds : INFINITY, false);
    n = anyc_send_open_file(stream, page->opening.fd, &page->first, count);
    rc = anyc_cancel_scope_exit(&scope, n < 0 ? (int)n : 0);
    page->left -= page->first - first;
    if (rc == ANYC_ETIMEDOUT && page->first > first)
        return 0;                                    /* a slow client, but it does take something */
    return rc == 0 && n < count ? ANYC_EBROKEN : rc; /* the file has become shorter */
}

/* Sends the content. There is no limit to the time that it takes as a whole: the client must take
 * something within `seconds`. The system sees that in pieces of some 64 KiB. With TLS, which cannot
 * go on with half a record, it must be 64 KiB, and the socket's buffer must have room for them: the
 * system calls it full until a third of it is free, which may be a MiB. */
static inline int http_page_send(struct http_page *page, anyc_byte_stream *stream, double seconds)
{
    int rc = 0;

    while (rc >= 0 && page->left > 0)
        rc = http_page_send_some(page, stream, seconds);
    http_page_close(page);
    return rc;
}

#endif
