/* SPDX-License-Identifier: MIT */
/*
 * test_http_sending.c - http_server --root: large files, slow clients and those that vanish, many
 * at once, scarce descriptors, TLS.
 */
#include "examples/http_site.h"

#include <sys/resource.h>

enum { LARGE = 64 << 20, PART = 1 << 20 };

#define LARGE_REQUEST "GET /large" HTTP_HOST "\r\n"

/* A site with a large file. */
static void large_start(struct site *site, const char *option, const char *value)
{
    site_make(site);
    site_write_large(site, "root/large", LARGE);
    site_serve(site, option, value);
}

/* A client whose system takes little at a time, and that has asked for the large file. */
static int large_ask(const struct site *site)
{
    int client = program_connect(site->port);
    int size = 65536;

    ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    program_send(client, LARGE_REQUEST);
    return client;
}

/* Reads the head of an answer, and nothing behind it. */
static void read_head(int client, char *buf, size_t size)
{
    size_t len = 0;

    for (buf[0] = '\0'; strstr(buf, "\r\n\r\n") == NULL; buf[++len] = '\0') {
        ck_assert_uint_lt(len + 1, size);
        ck_assert_uint_eq(peer_receive(client, buf + len, 1), 1);
    }
}

/* Reads so much of the content, and compares it; how much of it there was. */
static size_t check_content(int client, size_t first, size_t len)
{
    static char buf[PART];
    size_t got = 0;
    size_t n = 1;

    while (got < len && n > 0) {
        n = peer_receive(client, buf, len - got < PART ? len - got : PART);
        for (size_t i = 0; i < n; i++) {
            if (buf[i] != site_byte(first + got + i))
                ck_abort_msg("byte %zu is wrong", first + got + i);
        }
        got += n;
    }
    return got;
}

/* The limit is for a client that takes nothing: this one takes longer, but it does take something.
 * What it gets is the file that it asked for, though its name is gone. */
ANYC_TEST_PLAIN(test_http_sending__lets_a_slow_client_have_all_of_a_large_file)
{
    const struct timespec pause = {.tv_nsec = 25000000};
    struct site site;
    char head[1024];
    int client;

    large_start(&site, "--timeout", "1");
    client = large_ask(&site);
    read_head(client, head, sizeof head);
    ck_assert_ptr_nonnull(strstr(head, "\r\nContent-Length: 67108864\r\n"));
    ck_assert_int_eq(unlink(site_path(&site, "root/large")), 0);
    for (size_t first = 0; first < LARGE; first += PART) { /* takes 1.6 seconds */
        nanosleep(&pause, NULL);
        ck_assert_uint_eq(check_content(client, first, PART), PART);
    }
    program_send(client, "GET /a.txt" HTTP_HOST "\r\n");
    program_receive(client, "0123456789", head, sizeof head);
    close(client);
    site_end(&site);
}

ANYC_TEST_PLAIN(test_http_sending__sends_the_end_of_a_large_file)
{
    struct site site;
    char head[1024];
    int client;

    large_start(&site, NULL, NULL);
    client = program_connect(site.port);
    program_send(client, "GET /large" HTTP_HOST "Range: bytes=60000001-\r\n\r\n");
    read_head(client, head, sizeof head);
    ck_assert_ptr_nonnull(strstr(head, " bytes 60000001-67108863/67108864\r\n"));
    ck_assert_uint_eq(check_content(client, 60000001, LARGE - 60000001), LARGE - 60000001);
    close(client);
    site_end(&site);
}

ANYC_TEST_PLAIN(test_http_sending__gives_up_a_client_that_takes_nothing)
{
    struct site site;
    int client;

    large_start(&site, "--timeout", "0.2");
    client = large_ask(&site);
    peer_wait_readable(client); /* the file is open now */
    site_await_idle(&site);
    ck_assert_uint_lt(check_content(client, 0, 0), LARGE);
    close(client);
    ck_assert_str_eq(content_of(site_get(&site, "/a.txt", "")), "0123456789");
    site_end(&site);
}

ANYC_TEST_PLAIN(test_http_sending__outlives_clients_that_vanish)
{
    enum { COUNT = 20 };
    struct site site;

    large_start(&site, NULL, NULL);
    for (int i = 0; i < COUNT; i++) {
        char head[1024];
        int client = large_ask(&site);

        if (i % 2 == 0)
            read_head(client, head, sizeof head);
        peer_reset(client);
    }
    site_await_idle(&site);
    ck_assert_str_eq(content_of(site_get(&site, "/a.txt", "")), "0123456789");
    site_end(&site);
}

/* Nothing else can tell the client that the length in the head has become wrong. */
ANYC_TEST_PLAIN(test_http_sending__ends_the_connection_when_the_file_gets_shorter)
{
    struct site site;
    char head[1024];
    size_t got;
    int client;

    large_start(&site, NULL, NULL);
    client = large_ask(&site);
    read_head(client, head, sizeof head);
    ck_assert_int_eq(truncate(site_path(&site, "root/large"), 1000), 0);
    while (recv(client, head, sizeof head, 0) > 0)
        continue; /* what was under way may be either the old content or zeros */
    close(client);
    site_await_idle(&site);
    client = program_connect(site.port);
    program_send(client, LARGE_REQUEST);
    read_head(client, head, sizeof head);
    got = check_content(client, 0, 1000);
    ck_assert_uint_eq(got, 1000);
    close(client);
    site_end(&site);
}

ANYC_TEST_PLAIN(test_http_sending__answers_pipelined_requests_in_order)
{
    struct site site;
    char head[1024];
    int client;

    large_start(&site, NULL, NULL);
    client = program_connect(site.port);
    program_send(client, "GET /large" HTTP_HOST "Range: bytes=5-3000004\r\n\r\n"
                         "GET /missing" HTTP_HOST "\r\nHEAD /large" HTTP_HOST "\r\n"
                         "GET /large" HTTP_HOST "Range: bytes=-4\r\n\r\n");
    read_head(client, head, sizeof head);
    ck_assert_uint_eq(check_content(client, 5, 3000000), 3000000);
    read_head(client, head, sizeof head);
    ck_assert(has_status(head, 404));
    ck_assert_uint_eq(peer_receive(client, head, 14), 14);
    read_head(client, head, sizeof head);
    ck_assert(has_status(head, 200));
    read_head(client, head, sizeof head);
    ck_assert(has_status(head, 206));
    ck_assert_uint_eq(check_content(client, LARGE - 4, 4), 4);
    close(client);
    site_end(&site);
}

ANYC_TEST_PLAIN(test_http_sending__serves_a_hundred_clients_at_once)
{
    enum { COUNT = 100, LENGTH = 1000000 };
    struct site site;
    int clients[COUNT];

    site_make(&site);
    site_write_large(&site, "root/large", LENGTH);
    site_serve(&site, NULL, NULL);
    for (int i = 0; i < COUNT; i++)
        clients[i] = large_ask(&site);
    for (int i = COUNT - 1; i >= 0; i--) {
        char head[1024];

        read_head(clients[i], head, sizeof head);
        ck_assert_uint_eq(check_content(clients[i], 0, LENGTH), LENGTH);
        close(clients[i]);
    }
    site_end(&site);
}

ANYC_TEST_PLAIN(test_http_sending__says_that_descriptors_are_out)
{
    const struct rlimit none = {0, RLIM_INFINITY};
    struct rlimit old;
    struct site site;
    char buf[1024];
    int client;

    site_start(&site);
    client = program_connect(site.port);
    program_send(client, "GET /a.txt" HTTP_HOST "\r\n");
    program_receive(client, "0123456789", buf, sizeof buf);
    ck_assert_int_eq(prlimit(site.server.pid, RLIMIT_NOFILE, NULL, &old), 0);
    ck_assert_int_eq(prlimit(site.server.pid, RLIMIT_NOFILE,
                             &(struct rlimit){none.rlim_cur, old.rlim_max}, NULL),
                     0);
    program_send(client, "GET /a.txt" HTTP_HOST "\r\n");
    program_receive(client, "Unavailable\n", buf, sizeof buf);
    ck_assert(has_status(buf, 503));
    ck_assert_int_eq(prlimit(site.server.pid, RLIMIT_NOFILE, &old, NULL), 0);
    program_send(client, "GET /a.txt" HTTP_HOST "\r\n");
    program_receive(client, "0123456789", buf, sizeof buf);
    close(client);
    site_end(&site);
}
