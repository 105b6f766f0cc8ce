/* SPDX-License-Identifier: MIT */
/*
 * http.h - what http_server.c answers, and how the head of a request is read.
 */
#ifndef ANYC_EXAMPLES_HTTP_H
#define ANYC_EXAMPLES_HTTP_H

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <sys/uio.h>

struct http_reply {
    const char *text;
    size_t len;
    size_t body_len; /* at the end; not sent for HEAD */
};

#define HTTP_TEXT(status, len, body) \
    "HTTP/1.1 " status "\r\nContent-Type: text/plain\r\nContent-Length: " len "\r\n\r\n" body
#define HTTP_REPLY(status, len, body)                                                          \
    {                                                                                          \
        HTTP_TEXT(status, len, body), sizeof HTTP_TEXT(status, len, body) - 1, sizeof body - 1 \
    }

static const struct http_reply http_hello = HTTP_REPLY("200 OK", "13", "Hello, World!");
static const struct http_reply http_bad = HTTP_REPLY("400 Bad Request", "12", "Bad request\n");
static const struct http_reply http_missing = HTTP_REPLY("404 Not Found", "10", "Not found\n");
static const struct http_reply http_refused =
    HTTP_REPLY("405 Method Not Allowed", "12", "Not allowed\n");
static const struct http_reply http_large =
    HTTP_REPLY("431 Request Header Fields Too Large", "10", "Too large\n");

struct http_request {
    struct iovec reply; /* what to answer */
    bool last;          /* the connection ends with it: asked for, HTTP/1.0, or it has a body */
};

static inline struct iovec http_piece(const struct http_reply *reply, bool body)
{
    return (struct iovec){(void *)reply->text, reply->len - (body ? 0 : reply->body_len)};
}

/* "METHOD /path HTTP/1.x", up to `end`. */
static inline bool http_read_first_line(struct http_request *out, const char *line, const char *end)
{
    const char *path = memchr(line, ' ', (size_t)(end - line));
    const char *version = NULL;
    bool head = strncmp(line, "HEAD ", 5) == 0;

    if (path != NULL)
        version = memchr(path + 1, ' ', (size_t)(end - path - 1));
    if (version == NULL || path == line || path[1] != '/' || end - version != 9 ||
        strncmp(version, " HTTP/1.", 8) != 0)
        return false;
    if (!head && strncmp(line, "GET ", 4) != 0)
        out->reply = http_piece(&http_refused, true);
    else
        out->reply = http_piece(version - path == 2 ? &http_hello : &http_missing, !head);
    out->last = version[8] == '0';
    return true;
}

/* "Name: value" lines up to `end`. */
static inline bool http_read_headers(struct http_request *out, const char *line, const char *end)
{
    bool host = out->last; /* HTTP/1.0 does without */

    while (line < end) {
        const char *next = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
        const char *colon = memchr(line, ':', (size_t)(next - line));

        if (colon == NULL || colon == line || *line == ' ' || *line == '\t')
            return false;
        host = host || strncasecmp(line, "Host:", 5) == 0;
        out->last = out->last || strncasecmp(line, "Connection: close", 17) == 0 ||
                    strncasecmp(line, "Content-Length:", 15) == 0 ||
                    strncasecmp(line, "Transfer-Encoding:", 18) == 0;
        line = next;
    }
    return host;
}

/* The request at the front of a buffer: its length, 0 if it is not complete, -1 if it is none. */
static inline long http_read_request(struct http_request *out, const char *buf, size_t len)
{
    const char *blank = memmem(buf, len, "\r\n\r\n", 4);
    const char *line_end;

    if (blank == NULL)
        return 0;
    line_end = memmem(buf, len, "\r\n", 2);
    if (!http_read_first_line(out, buf, line_end) ||
        !http_read_headers(out, line_end + 2, blank + 2))
        return -1;
    return blank + 4 - buf;
}

#endif
