/* SPDX-License-Identifier: MIT */
/*
 * test_tls_verify.c - whose certificates are accepted, and what is said of the others.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/testing.h>
#include <anyc/tls_context.h>

#include <stdio.h>

#include "streams/tls_settings.h"
#include "streams/tls_shim_key.h"
#include "support/fail_alloc.h"
#include "support/steps.h"
#include "support/tls_files.h"
#include "tls_shake.h"

#define ALERT_BAD_CERTIFICATE 42
#define ALERT_UNSUPPORTED_CERTIFICATE 43
#define ALERT_CERTIFICATE_EXPIRED 45
#define ALERT_CERTIFICATE_UNKNOWN 46
#define ALERT_UNKNOWN_CA 48
#define ALERT_ACCESS_DENIED 49

/* A client that trusts ca.pem and a server with this certificate: what the client finds wrong. */
static void expect_refusal_by(int version, const char *certificate, const char *key,
                              const char *hostname, uint32_t flags, const char *word, uint8_t alert)
{
    anyc_tls_context *client =
        tls_shake_client(NULL, (anyc_tls_context_options){.max_version = version});
    anyc_tls_context *server = tls_shake_server(certificate, key, (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = hostname};

    ck_assert_int_lt(tls_shake_run(&shake, client, server), 0);
    ck_assert_uint_eq(shake.client.verification.flags, flags);
    ck_assert_str_eq(shake.client.verification.problem, word);
    if (alert != 0)
        ck_assert_int_eq(shake.server.alert, alert);
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

/* In every version. What the server hears of it is looked at with TLS 1.2: mbedTLS's clients send
 * alerts of TLS 1.3 in plain text, which its servers do not understand. */
static void expect_refusal(const char *certificate, const char *key, const char *hostname,
                           uint32_t flags, const char *word, uint8_t alert)
{
    expect_refusal_by(ANYC_TLS_1_2, certificate, key, hostname, flags, word, alert);
    if (ANYC__TLS_NEWEST >= ANYC_TLS_1_3)
        expect_refusal_by(ANYC_TLS_1_3, certificate, key, hostname, flags, word, 0);
}

static void expect_accepted(const char *certificate, const char *key, const char *hostname)
{
    anyc_tls_context *client = tls_shake_client(NULL, (anyc_tls_context_options){0});
    anyc_tls_context *server = tls_shake_server(certificate, key, (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = hostname};

    tls_shake_run(&shake, client, server);
    if (shake.client.verification.problem != NULL)
        ck_abort_msg("%s: %s", hostname, shake.client.verification.problem);
    ck_assert_int_eq(shake.client.code, 0);
    ck_assert_int_eq(shake.server.code, 0);
    ck_assert_uint_eq(shake.client.verification.flags, 0);
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

#define LOCALHOST_KEY TLS_FILE("localhost.key")

/* -- good ones -- */

ANYC_TEST_PLAIN(test_tls_verify__a_trusted_certificate_with_the_name_is_accepted)
{
    expect_accepted(TLS_FILE("localhost.pem"), LOCALHOST_KEY, "localhost");
    expect_accepted(TLS_FILE("localhost_rsa.pem"), TLS_FILE("localhost_rsa.key"), "localhost");
    expect_accepted(TLS_FILE("chain_intermediate.pem"), LOCALHOST_KEY, "localhost");
}

ANYC_TEST_PLAIN(test_tls_verify__names_are_compared_without_case_and_final_dot)
{
    expect_accepted(TLS_FILE("localhost.pem"), LOCALHOST_KEY, "LocalHost");
    expect_accepted(TLS_FILE("localhost.pem"), LOCALHOST_KEY, "localhost.");
}

/* TL-R014 */
ANYC_TEST_PLAIN(test_tls_verify__addresses_are_compared_with_addresses)
{
    expect_accepted(TLS_FILE("localhost.pem"), LOCALHOST_KEY, "127.0.0.1");
    expect_accepted(TLS_FILE("localhost.pem"), LOCALHOST_KEY, "::1");
    expect_accepted(TLS_FILE("localhost.pem"), LOCALHOST_KEY, "0:0:0:0:0:0:0:1");
    expect_accepted(TLS_FILE("localhost.pem"), LOCALHOST_KEY, "::1%lo");
    expect_refusal(TLS_FILE("localhost.pem"), LOCALHOST_KEY, "127.0.0.2", ANYC_TLS_WRONG_NAME,
                   "wrong host name: expected 127.0.0.2, "
                   "certificate names localhost, 127.0.0.1, ::1",
                   ALERT_BAD_CERTIFICATE);
    expect_refusal(TLS_FILE("no_ip.pem"), LOCALHOST_KEY, "127.0.0.1", ANYC_TLS_WRONG_NAME,
                   "wrong host name: expected 127.0.0.1, certificate names localhost",
                   ALERT_BAD_CERTIFICATE);
}

/* TL-R018, TL-R021: IDNA 2008 and nothing else */
ANYC_TEST_PLAIN(test_tls_verify__names_beyond_ascii_are_compared_in_their_idna_2008_form)
{
    expect_accepted(TLS_FILE("fass.pem"), TLS_FILE("fass.key"), "faß.de");
    expect_accepted(TLS_FILE("fass.pem"), TLS_FILE("fass.key"), "xn--fa-hia.de");
    expect_refusal(TLS_FILE("fass.pem"), TLS_FILE("fass.key"), "fass.de", ANYC_TLS_WRONG_NAME,
                   "wrong host name: expected fass.de, certificate names xn--fa-hia.de",
                   ALERT_BAD_CERTIFICATE);
}

ANYC_TEST_PLAIN(test_tls_verify__a_wildcard_stands_for_one_label)
{
    expect_accepted(TLS_FILE("wildcard.pem"), LOCALHOST_KEY, "a.wild.example");
    expect_accepted(TLS_FILE("wildcard.pem"), LOCALHOST_KEY, "B.WILD.example");
    expect_refusal(TLS_FILE("wildcard.pem"), LOCALHOST_KEY, "wild.example", ANYC_TLS_WRONG_NAME,
                   "wrong host name: expected wild.example, certificate names *.wild.example",
                   ALERT_BAD_CERTIFICATE);
    expect_refusal(TLS_FILE("wildcard.pem"), LOCALHOST_KEY, "a.b.wild.example", ANYC_TLS_WRONG_NAME,
                   "wrong host name: expected a.b.wild.example, certificate names *.wild.example",
                   ALERT_BAD_CERTIFICATE);
}

ANYC_TEST_PLAIN(test_tls_verify__a_wildcard_elsewhere_stands_for_nothing)
{
    static const char *const hosts[] = {"a.b.wild.example", "bwild.example", "b1.wild.example",
                                        "a.c.wild.example"};

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        char word[256];

        snprintf(word, sizeof word,
                 "wrong host name: expected %s, certificate names a.*.wild.example, "
                 "*wild.example, b*.wild.example, *.*.wild.example",
                 hosts[i]);
        expect_refusal(TLS_FILE("wildcard_wrong.pem"), LOCALHOST_KEY, hosts[i], ANYC_TLS_WRONG_NAME,
                       word, ALERT_BAD_CERTIFICATE);
    }
}

/* -- bad ones -- */

ANYC_TEST_PLAIN(test_tls_verify__an_expired_certificate_is_refused)
{
    expect_refusal(TLS_FILE("expired.pem"), LOCALHOST_KEY, "localhost", ANYC_TLS_EXPIRED,
                   "expired on 2021-01-01", ALERT_CERTIFICATE_EXPIRED);
}

ANYC_TEST_PLAIN(test_tls_verify__a_certificate_of_the_future_is_refused)
{
    expect_refusal(TLS_FILE("not_yet.pem"), LOCALHOST_KEY, "localhost", ANYC_TLS_NOT_YET_VALID,
                   "not valid before 2110-01-01", ALERT_CERTIFICATE_UNKNOWN);
}

ANYC_TEST_PLAIN(test_tls_verify__a_self_signed_certificate_is_refused)
{
    expect_refusal(TLS_FILE("self_signed.pem"), LOCALHOST_KEY, "localhost", ANYC_TLS_NOT_TRUSTED,
                   "self-signed", ALERT_UNKNOWN_CA);
}

ANYC_TEST_PLAIN(test_tls_verify__a_certificate_of_an_unknown_ca_is_refused)
{
    expect_refusal(TLS_FILE("unknown_ca.pem"), LOCALHOST_KEY, "localhost", ANYC_TLS_NOT_TRUSTED,
                   "unknown CA: CN=anyc test other CA", ALERT_UNKNOWN_CA);
}

ANYC_TEST_PLAIN(test_tls_verify__a_bad_signature_is_refused)
{
    expect_refusal(TLS_FILE("bad_signature.pem"), LOCALHOST_KEY, "localhost", ANYC_TLS_NOT_TRUSTED,
                   "bad signature: not made by CN=anyc test CA", ALERT_UNKNOWN_CA);
}

ANYC_TEST_PLAIN(test_tls_verify__another_name_is_refused)
{
    expect_refusal(
        TLS_FILE("server_a.pem"), TLS_FILE("server_a.key"), "b.example", ANYC_TLS_WRONG_NAME,
        "wrong host name: expected b.example, certificate names a.example", ALERT_BAD_CERTIFICATE);
}

ANYC_TEST_PLAIN(test_tls_verify__a_common_name_is_no_host_name)
{
    expect_refusal(
        TLS_FILE("common_name_only.pem"), LOCALHOST_KEY, "localhost", ANYC_TLS_WRONG_NAME,
        "wrong host name: expected localhost, certificate names none", ALERT_BAD_CERTIFICATE);
}

ANYC_TEST_PLAIN(test_tls_verify__a_weak_key_is_refused)
{
    expect_refusal(TLS_FILE("weak_rsa.pem"), TLS_FILE("weak_rsa.key"), "localhost",
                   ANYC_TLS_WEAK_KEY, "key too weak", ALERT_UNSUPPORTED_CERTIFICATE);
}

ANYC_TEST_PLAIN(test_tls_verify__a_clients_certificate_is_not_for_servers)
{
    anyc_tls_context *client = tls_shake_client(NULL, (anyc_tls_context_options){0});
    anyc_tls_context *server = tls_shake_server(TLS_FILE("client.pem"), TLS_FILE("client.key"),
                                                (anyc_tls_context_options){0});
    struct tls_config *config = anyc__tls_context_config(server);
    struct tls_shake shake = {.hostname = "client"};

    /* mbedTLS would not show it; a peer might */
    anyc__tls_shim_forgive_usage(&config->parts->identities.items[0].chain);
    ck_assert_int_lt(tls_shake_run_with(&shake, anyc__tls_context_config(client), config), 0);
    ck_assert_uint_eq(shake.client.verification.flags,
                      ANYC_TLS_WRONG_NAME | ANYC_TLS_WRONG_EXT_KEY_USAGE);
    ck_assert_str_eq(shake.client.verification.problem,
                     "wrong host name: expected client, certificate names none; "
                     "not for servers (extended key usage)");
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_verify__several_problems_are_all_told)
{
    expect_refusal(TLS_FILE("expired.pem"), LOCALHOST_KEY, "other.example",
                   ANYC_TLS_EXPIRED | ANYC_TLS_WRONG_NAME,
                   "expired on 2021-01-01; wrong host name: expected other.example, "
                   "certificate names localhost, 127.0.0.1, ::1",
                   ALERT_BAD_CERTIFICATE);
}

ANYC_TEST_PLAIN(test_tls_verify__who_trusts_nobody_says_so)
{
    anyc_tls_context *client = tls_shake_client(NULL, (anyc_tls_context_options){0});
    anyc_tls_context *server =
        tls_shake_server(TLS_FILE("localhost.pem"), LOCALHOST_KEY,
                         (anyc_tls_context_options){.verify = ANYC_TLS_VERIFY_REQUIRED});
    struct tls_config *config = anyc__tls_context_config(client);
    struct tls_shake shake = {.hostname = "localhost"};

    mbedtls_x509_crt_free(&config->parts->settings->trusted); /* a system without certificates */
    ck_assert_int_lt(tls_shake_run_with(&shake, config, anyc__tls_context_config(server)), 0);
    ck_assert_str_eq(shake.client.verification.problem,
                     "unknown CA: CN=anyc test CA (no certificate is trusted at all)");
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

/* -- what can be switched off -- */

ANYC_TEST_PLAIN(test_tls_verify__without_the_check_of_names_any_name_will_do)
{
    anyc_tls_context *client =
        tls_shake_client(NULL, (anyc_tls_context_options){.no_hostname_check = true});
    anyc_tls_context *server = tls_shake_server(TLS_FILE("server_a.pem"), TLS_FILE("server_a.key"),
                                                (anyc_tls_context_options){0});
    static const char *const names[] = {"b.example", "10.0.0.1", NULL};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct tls_shake shake = {.hostname = names[i]};

        ck_assert_ok(tls_shake_run(&shake, client, server));
        ck_assert_uint_eq(shake.client.verification.flags, 0);
        tls_shake_end(&shake);
    }
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_verify__without_the_check_of_names_the_chain_still_counts)
{
    anyc_tls_context *client =
        tls_shake_client(NULL, (anyc_tls_context_options){.no_hostname_check = true});
    anyc_tls_context *server =
        tls_shake_server(TLS_FILE("unknown_ca.pem"), LOCALHOST_KEY, (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = "b.example"};

    ck_assert_int_lt(tls_shake_run(&shake, client, server), 0);
    ck_assert_uint_eq(shake.client.verification.flags, ANYC_TLS_NOT_TRUSTED);
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_verify__without_verification_a_client_takes_anything)
{
    anyc_tls_context *client =
        tls_shake_client(NULL, (anyc_tls_context_options){.verify = ANYC_TLS_VERIFY_NONE});
    anyc_tls_context *server =
        tls_shake_server(TLS_FILE("self_signed.pem"), LOCALHOST_KEY, (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = "b.example"};

    ck_assert_ok(tls_shake_run(&shake, client, server));
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_verify__optional_is_required_for_a_client)
{
    anyc_tls_context *client =
        tls_shake_client(NULL, (anyc_tls_context_options){.verify = ANYC_TLS_VERIFY_OPTIONAL});
    anyc_tls_context *server =
        tls_shake_server(TLS_FILE("self_signed.pem"), LOCALHOST_KEY, (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = "localhost"};

    ck_assert_int_lt(tls_shake_run(&shake, client, server), 0);
    ck_assert_uint_eq(shake.client.verification.flags, ANYC_TLS_NOT_TRUSTED);
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

/* -- names that cannot be -- */

static int init_with(const char *hostname)
{
    anyc_tls_context *client = tls_shake_client(NULL, (anyc_tls_context_options){0});
    struct tls_config *config = anyc__tls_context_config(client);
    struct tls_verification verification;
    int rc = anyc__tls_verification_init(&verification, config, hostname);

    anyc__tls_verification_deinit(&verification);
    anyc__tls_config_unref(config);
    anyc_tls_context_destroy(client);
    return rc;
}

ANYC_TEST_PLAIN(test_tls_verify__names_that_cannot_be_are_refused_at_once)
{
    char name[300];

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_int_eq(init_with(name), ANYC_EENCODE);
    ck_assert_int_eq(init_with(""), ANYC_EINVAL);
    ck_assert_int_eq(init_with("."), ANYC_EINVAL);
    ck_assert_int_eq(init_with("\xff.example"), ANYC_EENCODE);
    name[255] = '\0';
    ck_assert_int_eq(init_with(name), 0);
}

/* -- memory -- */

/* Each allocation in turn fails, in handshakes with a verify function and with much to be said. */
ANYC_TEST_PLAIN(test_tls_verify__without_memory_nothing_is_accepted_and_nothing_leaks)
{
    long before;
    int failed = 0;

    fail_alloc_install();
    before = fail_alloc_live();
    for (long n = 1; n <= 40; n++) {
        anyc_tls_context *client = tls_shake_client(NULL, (anyc_tls_context_options){0});
        anyc_tls_context *server =
            tls_shake_server(TLS_FILE("expired.pem"), LOCALHOST_KEY, (anyc_tls_context_options){0});
        struct tls_config *config = anyc__tls_context_config(client);
        struct tls_verification verification;
        struct tls_shake shake = {.hostname = "other.example"};

        fail_alloc_arm(n);
        if (anyc__tls_verification_init(&verification, config, "faß.de") == 0)
            anyc__tls_verification_deinit(&verification);
        failed += fail_alloc_disarm();
        tls_shake_start(&shake, client, server);
        fail_alloc_arm(n);
        ck_assert_int_lt(tls_shake_go(&shake), 0);
        failed += fail_alloc_disarm();
        ck_assert_uint_eq(shake.client.verification.flags, ANYC_TLS_EXPIRED | ANYC_TLS_WRONG_NAME);
        tls_shake_end(&shake);
        anyc__tls_config_unref(config);
        anyc_tls_context_destroy(client);
        anyc_tls_context_destroy(server);
    }
    ck_assert_int_gt(failed, 3);
    anyc_last_error(); /* whose block is the thread's */
    ck_assert_int_le(fail_alloc_live() - before, 1);
}
