/* SPDX-License-Identifier: MIT */
/*
 * test_tls_corpus.c - the records in corpus/tls_client and corpus/tls_server: whole ones still get
 * through the handshake and bring data. When they no longer do, because anyc or mbedTLS says
 * something else than it did, record all of them anew:
 *
 *     ANYC_TLS_CORPUS=write test_tls_corpus --backend libuv
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <mbedtls/ssl.h>
#include <mbedtls/version.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/tls_files.h"
#include "support/tls_peer.h"
#include "support/tls_tape.h"
#include "tls_target.h"

#define CORPUS ANYC_TESTS_DIR "/fuzz/corpus/"

/* -- what peers say -- */

static int say_all(struct tls_peer *peer, void *arg)
{
    static const char block[3000];
    int rc = tls_peer_write(peer, "hello", 5);

    (void)arg;
    if (rc == 0)
        rc = tls_peer_write(peer, block, sizeof block);
    return rc != 0 ? rc : tls_peer_send_close_notify(peer);
}

static int say_alerts(struct tls_peer *peer, void *arg)
{
    (void)arg;
    mbedtls_ssl_send_alert_message(peer->ssl, MBEDTLS_SSL_ALERT_LEVEL_WARNING,
                                   MBEDTLS_SSL_ALERT_MSG_NO_RENEGOTIATION);
    mbedtls_ssl_send_alert_message(peer->ssl, MBEDTLS_SSL_ALERT_LEVEL_WARNING,
                                   MBEDTLS_SSL_ALERT_MSG_USER_CANCELED);
    return mbedtls_ssl_send_alert_message(peer->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                          MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR);
}

static int say_nothing_much(struct tls_peer *peer, void *arg)
{
    int rc = 0;

    (void)arg;
    for (int i = 0; i < 5 && rc == 0; i++)
        rc = mbedtls_ssl_write(peer->ssl, (const unsigned char *)"", 0);
    return rc;
}

static int say_anew(struct tls_peer *peer, void *arg)
{
    int rc = mbedtls_ssl_renegotiate(peer->ssl);

    (void)arg;
    return rc != 0 ? rc : say_all(peer, NULL);
}

/* -- files -- */

static const char *path_of(bool is_server, const char *name, char *buf, size_t size)
{
    snprintf(buf, size, "%s%s/%s", CORPUS, is_server ? "tls_server" : "tls_client", name);
    return buf;
}

/* The first byte is the step of tls_target.h. */
static void write_input(bool is_server, const char *name, uint8_t step, const void *data,
                        size_t len)
{
    char path[512];
    FILE *file = fopen(path_of(is_server, name, path, sizeof path), "wb");

    ck_assert_msg(file != NULL, "%s", path);
    ck_assert_uint_eq(fwrite(&step, 1, 1, file), 1);
    ck_assert_uint_eq(fwrite(data, 1, len, file), len);
    ck_assert_int_eq(fclose(file), 0);
}

static void write_record(bool is_server, const char *name, const struct tls_peer_options *peer,
                         tls_peer_script script)
{
    struct tls_tape record;

    tls_tape_record(&record, is_server, peer, script, NULL);
    write_input(is_server, name, 0, record.flights.data, record.flights.len);
    if (strcmp(name, "whole") == 0)
        write_input(is_server, "whole_in_steps", 7, record.flights.data, record.flights.len);
    tls_tape_deinit(&record);
}

#define write_bytes(is_server, name, ...)                               \
    write_input((is_server), (name), 0, (const uint8_t[]){__VA_ARGS__}, \
                sizeof(const uint8_t[]){__VA_ARGS__})

static void write_both(bool is_server)
{
    const char *alpn[] = {"h2", NULL};
    const int rsa_only[] = {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, 0};
    const char *http = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    write_record(is_server, "whole", &(struct tls_peer_options){.tickets = true}, say_all);
    write_record(is_server, "alerts", &(struct tls_peer_options){0}, say_alerts);
    write_record(is_server, "empty_records", &(struct tls_peer_options){0}, say_nothing_much);
    write_record(is_server, "anew", &(struct tls_peer_options){.renegotiation = true}, say_anew);
    write_record(is_server, "protocols", &(struct tls_peer_options){.alpn = alpn}, say_all);
    write_record(is_server, "no_cipher", &(struct tls_peer_options){.ciphersuites = rsa_only},
                 say_all);
    if (tls_peer_can(0x0302))
        write_record(is_server, "old_version", &(struct tls_peer_options){.max_version = 0x0302},
                     say_all);
    write_input(is_server, "plain_text", 0, http, strlen(http));
    write_bytes(is_server, "fatal_alert", 21, 3, 3, 0, 2, 2, 40);
    write_bytes(is_server, "huge_record", 22, 3, 3, 0xff, 0xff, 1, 0, 0, 0);
    write_bytes(is_server, "huge_message", 22, 3, 3, 0, 8, 1, 0xff, 0xff, 0xff, 3, 3, 0, 0);
    write_bytes(is_server, "ssl_2", 0x80, 0x1c, 1, 3, 0, 0, 3, 0, 0, 0, 16, 0, 0, 10);
}

static void write_client_only(void)
{
    static const struct {
        const char *name;
        const char *certificate;
        const char *key;
    } servers[] = {
        {"chain", TLS_FILE("chain_intermediate.pem"), TLS_FILE("localhost.key")},
        {"rsa", TLS_FILE("localhost_rsa.pem"), TLS_FILE("localhost_rsa.key")},
        {"expired", TLS_FILE("expired.pem"), TLS_FILE("localhost.key")},
        {"wrong_name", TLS_FILE("wildcard.pem"), TLS_FILE("localhost.key")},
    };

    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++)
        write_record(false, servers[i].name,
                     &(struct tls_peer_options){.certificate = servers[i].certificate,
                                                .key = servers[i].key},
                     say_all);
    write_record(false, "wants_certificate",
                 &(struct tls_peer_options){.want_client_certificate = true}, say_all);
}

/* -- tests -- */

static void read_and_run(bool is_server, const char *name, long expected)
{
    static uint8_t bytes[TLS_TARGET_MAX];
    char path[512];
    FILE *file = fopen(path_of(is_server, name, path, sizeof path), "rb");
    size_t size;

    ck_assert_msg(file != NULL, "%s", path);
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    ck_assert_int_eq(tls_target_run(is_server, bytes, size), expected);
}

ANYC_TEST(test_tls_corpus__is_written_when_that_is_asked_for)
{
    const char *wish = getenv("ANYC_TLS_CORPUS");

    if (wish == NULL || strcmp(wish, "write") != 0)
        return;
    write_both(false);
    write_both(true);
    write_client_only();
}

ANYC_TEST_PLAIN(test_tls_corpus__whole_records_bring_data)
{
    if (MBEDTLS_VERSION_MAJOR != 2)
        ANYC_TEST_SKIP("the records were made with mbedTLS 2.28");
    read_and_run(false, "whole", 5 + 3000);
    read_and_run(false, "whole_in_steps", 5 + 3000);
    read_and_run(true, "whole", 5 + 3000);
    read_and_run(true, "whole_in_steps", 5 + 3000);
    read_and_run(false, "expired", ANYC_ETLS_CERTIFICATE);
    read_and_run(true, "plain_text", ANYC_ETLS);
    tls_target_end();
}
