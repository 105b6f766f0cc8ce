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

enum { LINE_ROOM = 1000, PIECE = 1000 };

static int send_request(const struct url *url, anyc_byte_stream *stream)
{
    static const char rest[] = "\r\nUser-Agent: fetch\r\nConnection: close\r\n\r\n";
    const char *texts[] = {"GET ", url->path, " HTTP/1.1\r\nHost: ", url->authority, rest};
    struct iovec pieces[5];

    for (int i = 0; i < 5; i++)
        pieces[i] = (struct iovec){(void *)texts[i], strlen(texts[i])};
    return anyc_sendv(stream, pieces, 5);
}

/* A line without its end: its length or an error. */
static int read_line(anyc_buffered_stream *in, char *line)
{
    ssize_t len = anyc_buffered_receive_until(in, "\r\n", 2, LINE_ROOM, line, LINE_ROOM);

    line[len < 0 ? 0 : len] = '\0';
    return (int)len;
}

/* Copies `len` bytes to stdout; less than 0: all until the end. */
static int copy_body(anyc_buffered_stream *in, long long len)
{
    char piece[PIECE];
    ssize_t n = 1;

    while (n > 0 && len != 0) {
        n = anyc_receive(&in->stream, piece, len < 0 || len > PIECE ? PIECE : (size_t)len);
        if (n > 0)
            fwrite(piece, 1, (size_t)n, stdout);
        len -= len > 0 && n > 0 ? n : 0;
    }
    if (n == ANYC_EOF)
        return len < 0 ? 0 : ANYC_EINCOMPLETE;
    return n < 0 ? (int)n : 0;
}

static int copy_chunks(anyc_buffered_stream *in)
{
    char line[LINE_ROOM + 1];
    long long len = 1;
    int rc = 0;

    while (rc >= 0 && len > 0) {
        rc = read_line(in, line);
        len = strtoll(line, NULL, 16);
        if (rc >= 0)
            rc = len < 0 ? -EBADMSG : copy_body(in, len);
        if (rc >= 0)
            rc = read_line(in, line); /* after a chunk; trailers are not read */
    }
    return rc;
}

static int read_response(anyc_buffered_stream *in)
{
    char line[LINE_ROOM + 1];
    bool chunked = false;
    long long len = -1;
    int rc = read_line(in, line);

    if (rc >= 0)
        fprintf(stderr, "%s\n", line);
    while (rc > 0) {
        rc = read_line(in, line);
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            len = strtoll(line + 15, NULL, 10);
        if (strncasecmp(line, "Transfer-Encoding: chunked", 26) == 0)
            chunked = true;
    }
    if (rc < 0)
        return rc;
    return chunked ? copy_chunks(in) : copy_body(in, len);
}

static int fetch(void *arg)
{
    const struct url *url = arg;
    anyc_byte_stream *stream;
    anyc_buffered_stream *in;
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

    if (!options_parse(argc, argv, &options))
        return 2;
    if (options.argument_count != 1 || !url_parse(options.arguments[0], &url)) {
        fprintf(stderr, "usage: %s [--backend NAME] http://HOST[:PORT]/PATH\n", argv[0]);
        return 2;
    }
    return options_run(&options, fetch, &url);
}
