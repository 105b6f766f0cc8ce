/* SPDX-License-Identifier: MIT */
/*
 * fetch.c - gets a page by HTTP: the body goes to stdout, the status line to stderr.
 *
 *     fetch [--backend NAME] http://HOST[:PORT]/PATH
 *
 * A buffered stream cuts the answer into lines and pieces of known length.
 */
#include <strings.h>

#include <anyc/anyc.h>

#include "options.h"
#include "url.h"

enum { LINE_ROOM = 8192 };

static char line[LINE_ROOM + 1]; /* or piece: the last that was read */

static int send_request(const struct url *url, anyc_byte_stream *stream)
{
    int len =
        snprintf(line, sizeof line, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                 url->path, url->authority);

    return len < LINE_ROOM ? anyc_send(stream, line, (size_t)len) : -ENAMETOOLONG;
}

/* The next line without its end: its length or an error. */
static int read_line(anyc_buffered_stream *in)
{
    ssize_t len = anyc_buffered_receive_until(in, "\r\n", 2, LINE_ROOM, line, LINE_ROOM);

    line[len < 0 ? 0 : len] = '\0';
    return (int)len;
}

/* Copies `len` bytes to stdout; less than 0: all until the end. */
static int copy_body(anyc_buffered_stream *in, long long len)
{
    ssize_t n = 1;

    while (n > 0 && len != 0) {
        n = anyc_receive(&in->stream, line, len < 0 || len > LINE_ROOM ? LINE_ROOM : (size_t)len);
        if (n > 0)
            fwrite(line, 1, (size_t)n, stdout);
        len -= len > 0 && n > 0 ? n : 0;
    }
    if (n == ANYC_EOF)
        return len < 0 ? 0 : ANYC_EINCOMPLETE;
    return n < 0 ? (int)n : 0;
}

static int copy_chunks(anyc_buffered_stream *in)
{
    long long len = 1;
    int rc = 0;

    while (rc >= 0 && len > 0) {
        rc = read_line(in);
        len = strtoll(line, NULL, 16);
        if (rc >= 0)
            rc = len < 0 ? -EBADMSG : copy_body(in, len);
        if (rc >= 0)
            rc = read_line(in); /* after a chunk; trailers are not read */
    }
    return rc;
}

static int read_response(anyc_buffered_stream *in)
{
    bool chunked = false;
    long long len = -1;
    int rc = read_line(in);

    if (rc >= 0)
        fprintf(stderr, "%s\n", line);
    while (rc > 0) {
        rc = read_line(in);
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            len = strtoll(line + 15, NULL, 10);
        chunked = chunked || strncasecmp(line, "Transfer-Encoding: chunked", 26) == 0;
    }
    if (rc == 0)
        rc = chunked ? copy_chunks(in) : copy_body(in, len);
    return rc;
}

static int fetch(void *arg)
{
    const struct url *url = arg;
    anyc_byte_stream *stream = NULL;
    anyc_buffered_stream *in = NULL;
    int rc = anyc_connect_tcp(url->host, url->port, NULL, &stream);

    if (rc < 0)
        return rc;
    rc = send_request(url, stream);
    if (rc == 0)
        rc = anyc_buffered_stream_create(stream, &in);
    if (rc < 0) {
        anyc_aclose(stream);
        return rc;
    }
    rc = read_response(in);
    anyc_aclose(in); /* and `stream` with it */
    return rc < 0 ? rc : 0;
}

int main(int argc, char **argv)
{
    struct options options = {.host = NULL};
    struct url url;

    if (!options_parse(argc, argv, &options) || options.argument_count != 1 ||
        !url_parse(options.arguments[0], &url))
        return usage("fetch [--backend NAME] http://HOST[:PORT]/PATH");
    return options_run(&options, fetch, &url);
}
