/* SPDX-License-Identifier: MIT */
/*
 * test_tls_verify_peer.c - the certificates of clients, and verification by the program itself.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/testing.h>
#include <anyc/tls_context.h>

#include <stdio.h>

#include "support/fail_alloc.h"
#include "support/steps.h"
#include "support/tls_files.h"
#include "tls_shake.h"

#define ALERT_CERTIFICATE_EXPIRED 45
#define ALERT_UNKNOWN_CA 48
#define ALERT_ACCESS_DENIED 49

#define LOCALHOST_KEY TLS_FILE("localhost.key")

/* -- clients' certificates -- */

/* A server that verifies so, and a client with this certificate, or NULL. */
static void shake_with_client(struct tls_shake *shake, anyc_tls_verify verify,
                              const char *certificate)
{
    const anyc_tls_certificate own = {.chain.file = certificate,
                                      .key.file = TLS_FILE("client.key")};
    anyc_tls_context *client =
        tls_shake_client(NULL, (anyc_tls_context_options){.certificates = &own,
                                                          .certificate_count = certificate != NULL,
                                                          .max_version = ANYC_TLS_1_2});
    anyc_tls_context *server = tls_shake_server(
        TLS_FILE("localhost.pem"), LOCALHOST_KEY,
        (anyc_tls_context_options){.verify = verify, .ca.file = TLS_FILE("ca.pem")});

    *shake = (struct tls_shake){.hostname = "localhost"};
    tls_shake_run(shake, client, server);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_verify_peer__a_server_that_requires_certificates_takes_good_ones_only)
{
    struct tls_shake shake;

    shake_with_client(&shake, ANYC_TLS_VERIFY_REQUIRED, TLS_FILE("client.pem"));
    ck_assert_int_eq(shake.server.code, 0);
    ck_assert_ptr_nonnull(mbedtls_ssl_get_peer_cert(&shake.server.ssl));
    tls_shake_end(&shake);

    shake_with_client(&shake, ANYC_TLS_VERIFY_REQUIRED, NULL);
    ck_assert_int_eq(shake.server.code, ANYC__TLS_NO_CERTIFICATE);
    ck_assert_uint_eq(shake.server.verification.flags, ANYC_TLS_MISSING);
    ck_assert_str_eq(shake.server.verification.problem, "there is none");
    tls_shake_end(&shake);

    shake_with_client(&shake, ANYC_TLS_VERIFY_REQUIRED, TLS_FILE("client_expired.pem"));
    ck_assert_str_eq(shake.server.verification.problem, "expired on 2021-01-01");
    ck_assert_int_eq(shake.client.alert, ALERT_CERTIFICATE_EXPIRED);
    tls_shake_end(&shake);

    shake_with_client(&shake, ANYC_TLS_VERIFY_REQUIRED, TLS_FILE("client_unknown.pem"));
    ck_assert_str_eq(shake.server.verification.problem, "unknown CA: CN=anyc test other CA");
    ck_assert_int_eq(shake.client.alert, ALERT_UNKNOWN_CA);
    tls_shake_end(&shake);
}

ANYC_TEST_PLAIN(test_tls_verify_peer__a_server_with_optional_certificates_takes_none_or_good_ones)
{
    struct tls_shake shake;

    shake_with_client(&shake, ANYC_TLS_VERIFY_OPTIONAL, NULL);
    ck_assert_int_eq(shake.server.code, 0);
    ck_assert_ptr_null(mbedtls_ssl_get_peer_cert(&shake.server.ssl));
    tls_shake_end(&shake);

    shake_with_client(&shake, ANYC_TLS_VERIFY_OPTIONAL, TLS_FILE("client.pem"));
    ck_assert_int_eq(shake.server.code, 0);
    ck_assert_ptr_nonnull(mbedtls_ssl_get_peer_cert(&shake.server.ssl));
    tls_shake_end(&shake);

    shake_with_client(&shake, ANYC_TLS_VERIFY_OPTIONAL, TLS_FILE("client_expired.pem"));
    ck_assert_int_lt(shake.server.code, 0);
    ck_assert_str_eq(shake.server.verification.problem, "expired on 2021-01-01");
    ck_assert_int_eq(shake.client.alert, ALERT_ACCESS_DENIED);
    tls_shake_end(&shake);

    shake_with_client(&shake, ANYC_TLS_VERIFY_OPTIONAL, TLS_FILE("client_unknown.pem"));
    ck_assert_int_lt(shake.server.code, 0);
    ck_assert_uint_eq(shake.server.verification.flags, ANYC_TLS_NOT_TRUSTED);
    tls_shake_end(&shake);
}

ANYC_TEST_PLAIN(test_tls_verify_peer__a_server_that_asks_for_none_gets_none)
{
    struct tls_shake shake;

    shake_with_client(&shake, ANYC_TLS_VERIFY_DEFAULT, TLS_FILE("client_expired.pem"));
    ck_assert_int_eq(shake.server.code, 0);
    ck_assert_ptr_null(mbedtls_ssl_get_peer_cert(&shake.server.ssl));
    tls_shake_end(&shake);
}

ANYC_TEST_PLAIN(test_tls_verify_peer__other_failures_are_none_of_the_certificates)
{
    anyc_tls_context *client = tls_shake_client(NULL, (anyc_tls_context_options){0});
    anyc_tls_context *server =
        tls_shake_server(TLS_FILE("unknown_ca.pem"), LOCALHOST_KEY, (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = "localhost"};

    ck_assert_int_lt(tls_shake_run(&shake, client, server), 0);
    ck_assert_uint_ne(shake.client.verification.flags, 0);
    ck_assert_uint_eq(shake.server.verification.flags, 0);
    ck_assert_ptr_null(shake.server.verification.problem);
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

/* The certificate of a server, shown by a client. */
ANYC_TEST_PLAIN(test_tls_verify_peer__a_servers_certificate_is_not_for_clients)
{
    const anyc_tls_certificate own = {.chain.file = TLS_FILE("localhost.pem"),
                                      .key.file = LOCALHOST_KEY};
    anyc_tls_context *client = tls_shake_client(
        NULL, (anyc_tls_context_options){.certificates = &own, .certificate_count = 1});
    anyc_tls_context *server =
        tls_shake_server(TLS_FILE("localhost.pem"), LOCALHOST_KEY,
                         (anyc_tls_context_options){.verify = ANYC_TLS_VERIFY_OPTIONAL,
                                                    .ca.file = TLS_FILE("ca.pem")});
    struct tls_shake shake = {.hostname = "localhost"};

    ck_assert_int_lt(tls_shake_run(&shake, client, server), 0);
    ck_assert_uint_eq(shake.server.verification.flags, ANYC_TLS_WRONG_EXT_KEY_USAGE);
    ck_assert_str_eq(shake.server.verification.problem, "not for clients (extended key usage)");
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

/* -- the program's own verification -- */

/* What a verify function was shown, and what it is to answer. */
struct judge {
    int verdict;
    int calls;
    size_t chain_len;
    size_t first_len;
    uint32_t flags;
    char problem[128];
    char hostname[64];
};

static int judge_peer(const anyc_tls_peer *peer, void *arg)
{
    struct judge *judge = arg;

    judge->calls++;
    judge->chain_len = peer->chain_len;
    judge->first_len = peer->chain_len > 0 ? peer->chain[0].len : 0;
    judge->flags = peer->flags;
    snprintf(judge->problem, sizeof judge->problem, "%s", peer->problem);
    snprintf(judge->hostname, sizeof judge->hostname, "%s",
             peer->hostname != NULL ? peer->hostname : "(NULL)");
    return judge->verdict;
}

static int shake_with_judge(struct tls_shake *shake, struct judge *judge, const char *certificate)
{
    anyc_tls_context *client = tls_shake_client(
        NULL, (anyc_tls_context_options){
                  .verify_peer = judge_peer, .verify_arg = judge, .max_version = ANYC_TLS_1_2});
    anyc_tls_context *server =
        tls_shake_server(certificate, LOCALHOST_KEY, (anyc_tls_context_options){0});
    int rc = tls_shake_run(shake, client, server);

    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
    return rc;
}

/* TL-012 */
ANYC_TEST_PLAIN(test_tls_verify_peer__a_verify_function_sees_the_whole_chain)
{
    struct tls_shake shake = {.hostname = "LOCALHOST."};
    struct judge judge = {0};

    ck_assert_ok(shake_with_judge(&shake, &judge, TLS_FILE("chain_intermediate.pem")));
    ck_assert_int_eq(judge.calls, 1);
    ck_assert_uint_eq(judge.chain_len, 2);
    ck_assert_uint_eq(judge.first_len, mbedtls_ssl_get_peer_cert(&shake.client.ssl)->raw.len);
    ck_assert_uint_eq(judge.flags, 0);
    ck_assert_str_eq(judge.problem, "");
    ck_assert_str_eq(judge.hostname, "LOCALHOST.");
    tls_shake_end(&shake);
}

/* TL-012 */
ANYC_TEST_PLAIN(test_tls_verify_peer__a_verify_function_can_refuse_what_anyc_accepts)
{
    struct tls_shake shake = {.hostname = "localhost"};
    struct judge judge = {.verdict = -EACCES};

    ck_assert_int_lt(shake_with_judge(&shake, &judge, TLS_FILE("localhost.pem")), 0);
    ck_assert_int_eq(shake.client.verification.refused, -EACCES);
    ck_assert_uint_eq(shake.client.verification.flags, 0);
    ck_assert_ptr_null(shake.client.verification.problem);
    ck_assert_int_eq(shake.server.alert, ALERT_ACCESS_DENIED);
    tls_shake_end(&shake);
}

ANYC_TEST_PLAIN(test_tls_verify_peer__a_verify_function_can_refuse_for_anycs_reasons)
{
    struct tls_shake shake = {.hostname = "localhost"};
    struct judge judge = {.verdict = 1}; /* nor is this an acceptance */

    ck_assert_int_lt(shake_with_judge(&shake, &judge, TLS_FILE("expired.pem")), 0);
    ck_assert_int_eq(shake.client.verification.refused, ANYC_ETLS_CERTIFICATE);
    ck_assert_uint_eq(judge.flags, ANYC_TLS_EXPIRED);
    ck_assert_str_eq(judge.problem, "expired on 2021-01-01");
    ck_assert_int_eq(shake.server.alert, ALERT_CERTIFICATE_EXPIRED);
    tls_shake_end(&shake);
}

ANYC_TEST_PLAIN(test_tls_verify_peer__a_verify_function_can_accept_what_anyc_refuses)
{
    static const char *const certificates[] = {TLS_FILE("expired.pem"), TLS_FILE("unknown_ca.pem"),
                                               TLS_FILE("self_signed.pem"), TLS_FILE("no_ip.pem")};

    for (size_t i = 0; i < sizeof certificates / sizeof *certificates; i++) {
        struct tls_shake shake = {.hostname = "127.0.0.1"};
        struct judge judge = {0};

        ck_assert_ok(shake_with_judge(&shake, &judge, certificates[i]));
        ck_assert_int_eq(shake.client.verification.refused, 0);
        ck_assert_uint_ne(judge.flags, i == 3 ? 0 : ANYC_TLS_WRONG_NAME);
        tls_shake_end(&shake);
    }
}

ANYC_TEST_PLAIN(test_tls_verify_peer__a_servers_verify_function_decides_about_clients)
{
    const anyc_tls_certificate own = {.chain.file = TLS_FILE("localhost.pem"),
                                      .key.file = LOCALHOST_KEY};
    anyc_tls_context *client = tls_shake_client(
        NULL, (anyc_tls_context_options){.certificates = &own, .certificate_count = 1});

    for (int verdict = 0; verdict >= -1; verdict--) {
        for (int verify = ANYC_TLS_VERIFY_OPTIONAL; verify <= ANYC_TLS_VERIFY_REQUIRED; verify++) {
            struct judge judge = {.verdict = verdict};
            anyc_tls_context *server =
                tls_shake_server(TLS_FILE("localhost.pem"), LOCALHOST_KEY,
                                 (anyc_tls_context_options){.verify = (anyc_tls_verify)verify,
                                                            .verify_peer = judge_peer,
                                                            .verify_arg = &judge});
            struct tls_shake shake = {.hostname = "localhost"};

            ck_assert_int_eq(tls_shake_run(&shake, client, server), verdict);
            ck_assert_uint_eq(judge.flags, ANYC_TLS_NOT_TRUSTED | ANYC_TLS_WRONG_EXT_KEY_USAGE);
            ck_assert_str_eq(judge.hostname, "(NULL)");
            tls_shake_end(&shake);
            anyc_tls_context_destroy(server);
        }
    }
    anyc_tls_context_destroy(client);
}

/* The chain that the function is shown needs memory. */
ANYC_TEST_PLAIN(test_tls_verify_peer__without_memory_a_certificate_is_refused)
{
    struct judge judge = {0};
    long before;
    anyc_tls_context *client;
    anyc_tls_context *server;
    struct tls_shake shake = {.hostname = "localhost"};

    fail_alloc_install();
    before = fail_alloc_live();
    client = tls_shake_client(
        NULL, (anyc_tls_context_options){.verify_peer = judge_peer, .verify_arg = &judge});
    server =
        tls_shake_server(TLS_FILE("localhost.pem"), LOCALHOST_KEY, (anyc_tls_context_options){0});
    tls_shake_start(&shake, client, server);
    fail_alloc_arm(1);
    ck_assert_int_lt(tls_shake_go(&shake), 0);
    ck_assert(fail_alloc_disarm());
    ck_assert_int_eq(shake.client.verification.refused, ANYC_ENOMEM);
    ck_assert_int_eq(judge.calls, 0);
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
    ck_assert_int_eq(fail_alloc_live(), before);
}
