/* SPDX-License-Identifier: MIT */
/*
 * fetch.c - gets pages by HTTP: the bodies go to stdout, the status lines to stderr.
 *
 *     fetch [--backend NAME] [--ca FILE] URL...        https://HOST[:PORT]/PATH, or http
 *
 * Each page has a task of its own, so all servers are asked at once; what they answer is printed in
 * the order of the URLs, and waits in the sockets until then. A buffered stream cuts an answer into
 * lines and pieces of known length.
 *
 * Servers are verified by the certificates in FILE, or else in SSL_CERT_FILE, or else by the
 * system's. A name beyond ASCII is looked up and verified in its IDNA form.
 */
#include <string.h>
#include <strings.h>

#include <anyc/anyc.h>

#include "options.h"
#include "url.h"

enum { LINE_ROOM = 8192, GOODBYE = 1 /* seconds */ };

/* One page. */
struct page {
    struct url url;
    const char *text;          /* the URL as it was given */
    anyc_tls_context *context; /* if it comes by TLS; NULL: the default one */
    struct page *before;       /* is printed first; NULL: this is the first */
    anyc_event printed;        /* there is no more to print of it */
    bool failed;
    anyc_buffered_stream *in;
    char line[LINE_ROOM + 1]; /* or piece: the last that was read */
};

struct fetch {
    struct page *pages;
    int count;
};

static int send_request(struct page *page, anyc_byte_stream *stream)
{
    int len = snprintf(page->line, sizeof page->line,
                       "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", page->url.path,
                       page->url.authority);

    return len < LINE_ROOM ? anyc_send(stream, page->line, (size_t)len) : -ENAMETOOLONG;
}

/* The next line without its end: its length or an error. */
static int read_line(struct page *page)
{
    ssize_t len =
        anyc_buffered_receive_until(page->in, "\r\n", 2, LINE_ROOM, page->line, LINE_ROOM);

    page->line[len < 0 ? 0 : len] = '\0';
    return (int)len;
}

/* Copies `len` bytes to stdout; less than 0: all until the end. */
static int copy_body(struct page *page, long long len)
{
    ssize_t n = 1;

    while (n > 0 && len != 0) {
        n = anyc_receive(&page->in->stream, page->line,
                         len < 0 || len > LINE_ROOM ? LINE_ROOM : (size_t)len);
        if (n > 0)
            fwrite(page->line, 1, (size_t)n, stdout);
        len -= len > 0 && n > 0 ? n : 0;
    }
    if (n == ANYC_EOF)
        return len < 0 ? 0 : ANYC_EINCOMPLETE;
    return n < 0 ? (int)n : 0;
}

static int copy_chunks(struct page *page)
{
    long long len = 1;
    int rc = 0;

    while (rc >= 0 && len > 0) {
        rc = read_line(page);
        len = strtoll(page->line, NULL, 16);
        if (rc >= 0)
            rc = len < 0 ? -EBADMSG : copy_body(page, len);
        if (rc >= 0)
            rc = read_line(page); /* after a chunk; trailers are not read */
    }
    return rc;
}

static int print_response(struct page *page)
{
    bool chunked = false;
    long long len = -1;
    int rc = read_line(page);

    if (rc >= 0)
        fprintf(stderr, "%s\n", page->line);
    while (rc > 0) {
        rc = read_line(page);
        if (strncasecmp(page->line, "Content-Length:", 15) == 0)
            len = strtoll(page->line + 15, NULL, 10);
        chunked = chunked || strncasecmp(page->line, "Transfer-Encoding: chunked", 26) == 0;
    }
    if (rc == 0)
        rc = chunked ? copy_chunks(page) : copy_body(page, len);
    return rc;
}

/* Connects and asks; the answer can wait. */
static int ask(struct page *page)
{
    anyc_connect_tcp_options tls = {.tls = true, .tls_context = page->context};
    anyc_byte_stream *stream;
    int rc = anyc_connect_tcp(page->url.host, page->url.port, page->url.tls ? &tls : NULL, &stream);

    if (rc < 0)
        return rc;
    rc = send_request(page, stream);
    if (rc == 0)
        rc = anyc_buffered_stream_create(stream, &page->in);
    if (rc < 0)
        anyc_aclose_forcefully(stream);
    return rc;
}

/* TLS has a last word to exchange, so that both sides know that nothing was cut. Not every server
 * says it, and the page is there: so this may fail, but it may not take long. */
static int part(struct page *page)
{
    anyc_cancel_scope scope;

    anyc_move_on_after(&scope, GOODBYE, false);
    return anyc_cancel_scope_exit(&scope, anyc_aclose(page->in)); /* and the stream below */
}

/* The task of a page. That one fails is no reason not to get the others. */
static int get(void *arg)
{
    struct page *page = arg;
    int asked_rc = ask(page);
    int parted_rc = 0;
    int rc = 0;

    if (page->before != NULL)
        rc = anyc_event_wait(&page->before->printed);
    if (rc == 0)
        rc = asked_rc == 0 ? print_response(page) : asked_rc;
    if (rc < 0 && !anyc_is_cancelled(rc))
        fprintf(stderr, "%s: %s: %s\n", page->text, anyc_error_name(rc), why(rc));
    page->failed = rc < 0;
    anyc_event_set(&page->printed);
    if (asked_rc == 0)
        parted_rc = part(page);
    return anyc_is_cancelled(rc) || anyc_is_cancelled(parted_rc) ? ANYC_ECANCELLED : 0;
}

static int fetch(void *arg)
{
    const struct fetch *job = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool failed = false;
    int rc = 0;

    anyc_task_group_enter(&group);
    for (int i = 0; rc == 0 && i < job->count; i++)
        rc = anyc_task_group_start_soon(&group, get, &job->pages[i], NULL);
    rc = anyc_task_group_exit(&group, rc);
    for (int i = 0; i < job->count; i++)
        failed = failed || job->pages[i].failed;
    return rc < 0 ? rc : failed;
}

/* False if one of the arguments is no URL. */
static bool prepare(struct page *pages, const struct options *options, anyc_tls_context *context)
{
    bool good = options->argument_count > 0;

    for (int i = 0; i < options->argument_count; i++) {
        pages[i].text = options->arguments[i];
        pages[i].context = context;
        pages[i].before = i > 0 ? &pages[i - 1] : NULL;
        good = good && url_parse(pages[i].text, &pages[i].url);
    }
    return good;
}

/* The context is NULL without --ca: then anyc makes one, when it is needed. */
static int run(const struct options *options, anyc_tls_context *context)
{
    struct fetch job = {.count = options->argument_count};
    int rc = 2;

    job.pages = calloc((size_t)job.count + 1, sizeof *job.pages);
    if (job.pages == NULL)
        return EXIT_FAILURE;
    if (prepare(job.pages, options, context))
        rc = options_run(options, fetch, &job);
    else
        usage("fetch [--backend NAME] [--ca FILE] URL...\n"
              "a URL is https://HOST[:PORT]/PATH or http://HOST[:PORT]/PATH");
    free(job.pages);
    return rc;
}

int main(int argc, char **argv)
{
    struct options options = {.host = NULL};
    anyc_tls_context_options trust = {.ca.file = NULL};
    anyc_tls_context *context = NULL;
    int rc = 0;

    if (!options_parse(argc, argv, &options))
        return 2;
    trust.ca.file = options.ca;
    if (options.ca != NULL)
        rc = anyc_tls_context_create(&trust, &context);
    if (rc < 0)
        return failed(rc);
    rc = run(&options, context);
    anyc_tls_context_destroy(context);
    return rc;
}
