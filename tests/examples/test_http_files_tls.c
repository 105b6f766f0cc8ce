/* SPDX-License-Identifier: MIT */
/*
 * test_http_files_tls.c - http_server --root with --tls.
 */
#include "examples/http_site.h"

#include "examples/tls_client.h"

enum { LARGE = 3000000 };

#define LARGE_REQUEST "GET /large" HTTP_HOST "\r\n"

static const char requests[] =
    LARGE_REQUEST "HEAD /large" HTTP_HOST "\r\n"
                  "GET /large" HTTP_HOST "Range: bytes=-7\r\n\r\n"
                  "GET /../secret.txt" HTTP_HOST "Connection: close\r\n\r\n";

/* Reads the head of an answer, and nothing behind it. */
static int read_head(struct tls_peer *peer, char *buf, size_t size)
{
    size_t len = 0;
    int rc = 0;

    for (buf[0] = '\0'; rc == 0 && strstr(buf, "\r\n\r\n") == NULL && len + 1 < size; len++) {
        rc = tls_peer_read_all(peer, buf + len, 1);
        buf[len + 1] = '\0';
    }
    return rc;
}

/* Reads so much of the content, and compares it. */
static int check_content(struct tls_peer *peer, size_t first, size_t len)
{
    char *buf = malloc(len);
    int rc = tls_peer_read_all(peer, buf, len);

    for (size_t i = 0; i < len && rc == 0; i++)
        rc = buf[i] == site_byte(first + i) ? 0 : -1;
    free(buf);
    return rc;
}

static int ask(struct tls_peer *peer, void *arg)
{
    char head[1024];
    int rc = tls_peer_write(peer, requests, sizeof requests - 1);

    (void)arg;
    if (rc == 0)
        rc = read_head(peer, head, sizeof head);
    if (rc == 0)
        rc = check_content(peer, 0, LARGE);
    if (rc == 0)
        rc = read_head(peer, head, sizeof head);
    if (rc == 0)
        rc = read_head(peer, head, sizeof head);
    if (rc == 0)
        rc = has_status(head, 206) ? check_content(peer, LARGE - 7, 7) : -1;
    if (rc == 0)
        rc = read_head(peer, head, sizeof head);
    if (rc == 0)
        rc = has_status(head, 404) ? tls_peer_read_all(peer, head, 14) : -1;
    return rc == 0 ? tls_peer_wait_close_notify(peer) : rc;
}

ANYC_TEST_PLAIN(test_http_files_tls__sends_files)
{
    struct site site;

    site_make(&site);
    site_write_large(&site, "root/large", LARGE);
    program_start(&site.server, "http_server", "--root", site_path(&site, "root"), TLS_LOCALHOST,
                  NULL);
    site_started(&site);
    tls_client_run(site.port, ask, NULL);
    tls_client_run(site.port, ask, NULL);
    site_end(&site);
}

/* Reads the head and then nothing, until it is told to. */
static int ask_and_stay(struct tls_peer *peer, void *arg)
{
    char head[1024];
    int rc = tls_peer_write(peer, LARGE_REQUEST, sizeof LARGE_REQUEST - 1);

    if (rc == 0)
        rc = read_head(peer, head, sizeof head);
    site_await_idle(arg);
    return rc;
}

ANYC_TEST_PLAIN(test_http_files_tls__gives_up_a_client_that_takes_nothing)
{
    struct site site;

    site_make(&site);
    site_write_large(&site, "root/large", 16 * LARGE);
    program_start(&site.server, "http_server", "--root", site_path(&site, "root"), "--timeout",
                  "0.3", TLS_LOCALHOST, NULL);
    site_started(&site);
    tls_client_run(site.port, ask_and_stay, &site);
    site_end(&site);
}
