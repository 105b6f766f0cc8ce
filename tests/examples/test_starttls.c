/* SPDX-License-Identifier: MIT */
/*
 * test_starttls.c - examples/starttls.c, against a server in this process that plays a script, well
 * or badly.
 */
#include <check.h>

#include <anyc/testing.h>

#include <stdio.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "examples/tls_client.h"

#define MAIL "Subject: a test\n\nhello\n.\n..dots\r\nthe last line"
#define MAIL_ON_THE_WIRE "Subject: a test\r\n\r\nhello\r\n..\r\n...dots\r\nthe last line\r\n.\r\n"

/* What the server does, and what it heard. */
struct server {
    const char *offer;     /* the answer to EHLO in plain text */
    const char *ready;     /* to STARTTLS; with more behind it, somebody interfered */
    const char *late;      /* in plain text, once the client had time to go on; NULL: nothing */
    const char *recipient; /* the answer to RCPT */
    bool rude;             /* goes when it has the mail */
    char plain[1024];      /* what the client said before TLS */
    char secret[4096];     /* within TLS */
};

static const struct server good = {
    .offer = "250-test.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
    .ready = "220 go on\r\n",
    .recipient = "250 good\r\n",
};

typedef int read_fn(struct tls_peer *peer, void *buf, size_t len);
typedef int write_fn(struct tls_peer *peer, const void *data, size_t len);

/* Appends a line, with its end, to what was heard. */
static int hear(struct tls_peer *peer, read_fn *read_bytes, char *heard, size_t size)
{
    size_t len = strlen(heard);
    int rc = 0;

    do {
        rc = len + 1 < size ? read_bytes(peer, heard + len, 1) : -1;
        len += rc == 0;
        heard[len] = '\0';
    } while (rc == 0 && heard[len - 1] != '\n');
    return rc;
}

static int say(struct tls_peer *peer, write_fn *write_bytes, const char *text)
{
    return write_bytes(peer, text, strlen(text));
}

/* A round in plain text. */
static int hear_plain(struct tls_peer *peer, struct server *server, const char *answer)
{
    int rc = hear(peer, tls_peer_raw_read, server->plain, sizeof server->plain);

    return rc != 0 ? rc : say(peer, tls_peer_raw_write, answer);
}

static int talk_plain(struct tls_peer *peer, void *arg)
{
    struct server *server = arg;
    unsigned char byte;
    int rc = say(peer, tls_peer_raw_write, "220 test.example ESMTP\r\n");

    if (rc == 0)
        rc = hear_plain(peer, server, server->offer);
    if (rc == 0)
        rc = hear_plain(peer, server, server->ready);
    if (rc == 0 && server->late != NULL) {
        rc = recv(tls_peer_fd(peer), &byte, 1, MSG_PEEK) == 1 ? 0 : -1; /* its part of TLS */
        if (rc == 0)
            rc = say(peer, tls_peer_raw_write, server->late);
    }
    return rc;
}

/* A round within TLS. */
static int hear_secret(struct tls_peer *peer, struct server *server, const char *answer)
{
    int rc = hear(peer, tls_peer_read_all, server->secret, sizeof server->secret);

    return rc != 0 ? rc : say(peer, tls_peer_write, answer);
}

static int take_mail(struct tls_peer *peer, struct server *server)
{
    int rc = 0;

    while (rc == 0 && strstr(server->secret, "\r\n.\r\n") == NULL)
        rc = hear(peer, tls_peer_read_all, server->secret, sizeof server->secret);
    return rc != 0 ? rc : say(peer, tls_peer_write, "250 taken\r\n");
}

static int talk_secretly(struct tls_peer *peer, void *arg)
{
    struct server *server = arg;
    int rc = hear_secret(peer, server, "250 test.example\r\n");

    if (rc == 0)
        rc = hear_secret(peer, server, "250 good\r\n");
    if (rc == 0)
        rc = hear_secret(peer, server, server->recipient);
    if (rc == 0)
        rc = hear_secret(peer, server, "354 go on\r\n");
    if (rc == 0)
        rc = take_mail(peer, server);
    if (rc != 0 || server->rude)
        return rc;
    rc = hear_secret(peer, server, "221 bye\r\n");
    return rc != 0 ? rc : tls_peer_close_notify(peer);
}

/* One run of the program, with a mail from a file or, if that is NULL, from its input. */
static struct program_result *deliver(struct server *server, struct tls_peer *peer,
                                      const char *certificate, const char *file)
{
    static struct program_result result;
    const struct tls_peer_options options = {
        .certificate = certificate, .key = TLS_FILE("localhost.key"), .before = talk_plain};
    struct program program;
    char port[16];

    tls_peer_server_start(peer, AF_INET, &options, talk_secretly, server);
    snprintf(port, sizeof port, "%d", peer->port);
    program_start(&program, "starttls", "--ca", TLS_FILE("ca.pem"), "--name", "localhost",
                  "127.0.0.1", port, "ann@a.example", "bob@b.example", file, NULL);
    program_feed(&program, MAIL);
    program_wait(&program, &result);
    tls_peer_join(peer);
    return &result;
}

/* The program gave up, and nobody heard of the mail. */
static void check_refuses(struct server *server, const char *certificate, const char *words)
{
    struct tls_peer peer;
    const struct program_result *result = deliver(server, &peer, certificate, NULL);

    ck_assert_int_eq(result->code, 1);
    ck_assert_msg(strstr(result->err, words) != NULL, "%s", result->err);
    ck_assert_ptr_null(strstr(server->plain, "MAIL"));
    ck_assert_str_eq(server->secret, "");
}

/* -- a server that is what it should be -- */

ANYC_TEST_PLAIN(test_starttls__hands_over_the_mail_in_tls)
{
    struct server server = good;
    const struct program_result *result;
    struct tls_peer peer;

    result = deliver(&server, &peer, TLS_FILE("localhost.pem"), NULL);
    ck_assert_msg(result->code == 0, "%s%s", result->out, result->err);
    ck_assert_int_eq(peer.handshake, 0);
    ck_assert_int_eq(peer.result, 0);
    ck_assert_int_eq(strncmp(server.plain, "EHLO ", 5), 0);
    ck_assert_str_eq(strstr(server.plain, "\r\n"), "\r\nSTARTTLS\r\n");
    ck_assert_int_eq(strncmp(server.secret, "EHLO ", 5), 0);
    ck_assert_str_eq(strstr(server.secret, "\r\n"), "\r\nMAIL FROM:<ann@a.example>\r\n"
                                                    "RCPT TO:<bob@b.example>\r\n"
                                                    "DATA\r\n" MAIL_ON_THE_WIRE "QUIT\r\n");
}

ANYC_TEST_PLAIN(test_starttls__reads_the_mail_from_a_file)
{
    struct server server = good;
    struct tls_peer peer;
    const struct program_result *result =
        deliver(&server, &peer, TLS_FILE("localhost.pem"), TLS_FILE("README.md"));

    ck_assert_msg(result->code == 0, "%s%s", result->out, result->err);
    ck_assert_ptr_nonnull(strstr(server.secret, "DATA\r\n# Certificates of the tests\r\n\r\n"));
}

ANYC_TEST_PLAIN(test_starttls__says_that_it_cannot_read_the_mail)
{
    static struct program_result result;
    struct program program;

    program_start(&program, "starttls", "localhost", "25", "ann@a.example", "bob@b.example",
                  "/nowhere/mail", NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "/nowhere/mail"));
}

/* Whoever is told of a failure sends the mail again. */
ANYC_TEST_PLAIN(test_starttls__a_mail_that_was_taken_is_no_failure)
{
    struct server server = good;
    const struct program_result *result;
    struct tls_peer peer;

    server.rude = true;
    result = deliver(&server, &peer, TLS_FILE("localhost.pem"), NULL);
    ck_assert_msg(result->code == 0, "%s%s", result->out, result->err);
    ck_assert_ptr_nonnull(strstr(server.secret, MAIL_ON_THE_WIRE));
}

ANYC_TEST_PLAIN(test_starttls__stops_when_the_server_refuses)
{
    struct server server = good;
    const struct program_result *result;
    struct tls_peer peer;

    server.recipient = "550-there is\r\n550 no bob\r\n";
    result = deliver(&server, &peer, TLS_FILE("localhost.pem"), NULL);
    ck_assert_int_eq(result->code, 1);
    ck_assert_msg(strstr(result->err, "the server refuses: 550-there is\n") != NULL, "%s",
                  result->err);
    ck_assert_ptr_null(strstr(server.secret, "DATA"));
}

/* -- somebody in between -- */

ANYC_TEST_PLAIN(test_starttls__sends_nothing_without_tls)
{
    struct server server = good;

    server.offer = "250-test.example\r\n250 8BITMIME\r\n";
    check_refuses(&server, TLS_FILE("localhost.pem"), "offers no TLS");
    ck_assert_ptr_null(strstr(server.plain, "STARTTLS"));
    server = good;
    server.ready = "454 not now\r\n";
    check_refuses(&server, TLS_FILE("localhost.pem"), "the server refuses: 454 not now");
}

/* CVE-2011-0411, from the client's side: a line that is not from within TLS must not be taken for
 * one that is. */
ANYC_TEST_PLAIN(test_starttls__plain_text_behind_the_answer_to_starttls_is_an_error)
{
    struct server server = good;

    server.ready = "220 go on\r\n250 not from the server\r\n";
    check_refuses(&server, TLS_FILE("localhost.pem"), "more behind the answer to STARTTLS");
    server = good;
    server.late = "250 not from the server\r\n";
    check_refuses(&server, TLS_FILE("localhost.pem"), "ANYC_ETLS: TLS: what the peer sent is not");
}

ANYC_TEST_PLAIN(test_starttls__says_nothing_to_somebody_else)
{
    struct server server = good;

    check_refuses(&server, TLS_FILE("unknown_ca.pem"), "ANYC_ETLS_CERTIFICATE");
    server = good;
    check_refuses(&server, TLS_FILE("wildcard.pem"), "wild.example");
}

/* -- what is no mail -- */

ANYC_TEST_PLAIN(test_starttls__refuses_addresses_that_are_commands)
{
    static const char *const bad[] = {"", "bob@b.example>\r\nRSET", "bob\n", "<bob>"};
    static struct program_result result;
    struct program program;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        program_start(&program, "starttls", "localhost", "25", "ann@a.example", bad[i], NULL);
        program_wait(&program, &result);
        ck_assert_int_eq(result.code, 2);
        ck_assert_ptr_nonnull(strstr(result.err, "usage: starttls"));
    }
}
