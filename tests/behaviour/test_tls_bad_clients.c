/* SPDX-License-Identifier: MIT */
/*
 * test_tls_bad_clients.c - servers refuse clients that they should not talk to, say why in words,
 * and tell the client; and clients that refuse us.
 */
#include "tls_refusal.h"

#include <string.h>

static const struct tls_peer_options any_client;

/* A server that wants a certificate of ca.pem. */
static void refuse_certificate(const char *certificate, const char *key,
                               const struct refusal *expected)
{
    const struct tls_peer_options peer = {.certificate = certificate, .key = key};
    const anyc_tls_context_options own = {.ca.file = TLS_FILE("ca.pem"),
                                          .verify = ANYC_TLS_VERIFY_REQUIRED};

    refuse_client(&peer, &own, expected);
}

/* -- certificates -- */

ANYC_TEST(test_tls_bad_clients__no_certificate)
{
    const anyc_tls_context_options own = {.ca.file = TLS_FILE("ca.pem"),
                                          .verify = ANYC_TLS_VERIFY_REQUIRED};

    for (int version = ANYC_TLS_1_2; tls_peer_can(version); version++)
        refuse_client(&(struct tls_peer_options){.max_version = version}, &own,
                      &(struct refusal){.rc = ANYC_ETLS_CERTIFICATE,
                                        .says = "no certificate",
                                        .library_code = MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE,
                                        .verify_flags = ANYC_TLS_MISSING,
                                        .alert = version == ANYC_TLS_1_2
                                                     ? ALERT_HANDSHAKE_FAILURE
                                                     : ALERT_CERTIFICATE_REQUIRED,
                                        .alert_by_us = true});
}

ANYC_TEST(test_tls_bad_clients__expired)
{
    refuse_certificate(
        TLS_FILE("client_expired.pem"), TLS_FILE("client.key"),
        BAD_CERTIFICATE("expired on 2021-01-01", ANYC_TLS_EXPIRED, ALERT_CERTIFICATE_EXPIRED));
}

ANYC_TEST(test_tls_bad_clients__unknown_ca)
{
    refuse_certificate(TLS_FILE("client_unknown.pem"), TLS_FILE("client.key"),
                       BAD_CERTIFICATE("unknown CA: CN=anyc test other CA", ANYC_TLS_NOT_TRUSTED,
                                       ALERT_UNKNOWN_CA));
}

/* The usage is wrong as well: localhost's certificates are for servers only. */
ANYC_TEST(test_tls_bad_clients__certificate_of_a_server)
{
    refuse_certificate(TLS_FILE("localhost.pem"), TLS_FILE("localhost.key"),
                       &(struct refusal){.rc = ANYC_ETLS_CERTIFICATE,
                                         .says = "not for clients",
                                         .verify_flags = ANYC_TLS_WRONG_EXT_KEY_USAGE,
                                         .alert = ALERT_UNSUPPORTED_CERTIFICATE,
                                         .alert_by_us = true});
}

ANYC_TEST(test_tls_bad_clients__not_yet_valid_self_signed_or_weak)
{
    static const struct {
        const char *certificate;
        const char *key;
        const char *says;
        uint32_t flags;
    } cases[] = {
        {TLS_FILE("not_yet.pem"), TLS_FILE("localhost.key"), "not valid before 2110-01-01",
         ANYC_TLS_NOT_YET_VALID},
        {TLS_FILE("self_signed.pem"), TLS_FILE("localhost.key"), "self-signed",
         ANYC_TLS_NOT_TRUSTED},
        {TLS_FILE("bad_signature.pem"), TLS_FILE("localhost.key"), "bad signature",
         ANYC_TLS_NOT_TRUSTED},
        {TLS_FILE("weak_rsa.pem"), TLS_FILE("weak_rsa.key"), "key", ANYC_TLS_WEAK_KEY},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_certificate(
            cases[i].certificate, cases[i].key,
            &(struct refusal){.rc = ANYC_ETLS_CERTIFICATE,
                              .says = cases[i].says,
                              .verify_flags = cases[i].flags | ANYC_TLS_WRONG_EXT_KEY_USAGE,
                              .alert = ALERT_UNSUPPORTED_CERTIFICATE,
                              .alert_by_us = true});
}

/* None is needed, but a bad one is refused all the same. (The alert is mbedTLS's choice in this
 * case, whatever is wrong.) */
ANYC_TEST(test_tls_bad_clients__optional_certificate)
{
    const struct tls_peer_options peer = {.certificate = TLS_FILE("client_expired.pem"),
                                          .key = TLS_FILE("client.key")};
    const anyc_tls_context_options own = {.ca.file = TLS_FILE("ca.pem"),
                                          .verify = ANYC_TLS_VERIFY_OPTIONAL};

    refuse_client(&peer, &own,
                  &(struct refusal){.rc = ANYC_ETLS_CERTIFICATE,
                                    .says = "expired on 2021-01-01",
                                    .verify_flags = ANYC_TLS_EXPIRED,
                                    .alert = ALERT_ACCESS_DENIED,
                                    .alert_by_us = true});
}

/* -- the rest of the handshake -- */

ANYC_TEST(test_tls_bad_clients__no_common_cipher)
{
    const int ciphers[] = {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, 0};
    const struct tls_peer_options peer = {.ciphersuites = ciphers, .max_version = ANYC_TLS_1_2};

    refuse_client(&peer, NULL,
                  &(struct refusal){.rc = ANYC_ETLS,
                                    .says = "no common cipher",
                                    .says_too = "\"handshake failure\" (40)",
                                    .alert = ALERT_HANDSHAKE_FAILURE,
                                    .alert_by_us = true});
}

/* Such as have no forward secrecy, or encrypt and authenticate in two steps. */
ANYC_TEST(test_tls_bad_clients__old_ciphers)
{
    const int ciphers[] = {MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256,
                           MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
                           MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, 0};
    const struct tls_peer_options peer = {.ciphersuites = ciphers, .max_version = ANYC_TLS_1_2};

    refuse_client(&peer, NULL,
                  &(struct refusal){.rc = ANYC_ETLS,
                                    .says = "no common cipher",
                                    .says_too = "\"handshake failure\" (40)",
                                    .alert = ALERT_HANDSHAKE_FAILURE,
                                    .alert_by_us = true});
}

/* Sends a ClientHello of TLS 1.1, then waits for the alert. */
static int send_old_hello(struct tls_peer *peer, void *arg)
{
    unsigned char record[5 + 4 + 41] = {22, 3, 1, 0, 4 + 41, 1, 0, 0, 41, 3, 2};

    (void)arg;
    memcpy(record + 44, (const unsigned char[]){0, 2, 0xc0, 0x09, 1, 0}, 6);
    return refusal_send_and_wait(peer, record, sizeof record);
}

ANYC_TEST(test_tls_bad_clients__version_too_old)
{
    const struct tls_peer_options peers[] = {{.before = send_old_hello},
                                             {.min_version = 0x0301, .max_version = 0x0302}};

    for (size_t i = 0; i < (tls_peer_can(0x0302) ? 2 : 1); i++)
        refuse_client(&peers[i], NULL,
                      &(struct refusal){.rc = ANYC_ETLS,
                                        .says = "no common version",
                                        .library_code = NO_COMMON_VERSION,
                                        .alert = ALERT_PROTOCOL_VERSION,
                                        .alert_by_us = true});
}

/* RFC 7301 section 3.2. */
ANYC_TEST(test_tls_bad_clients__no_common_protocol)
{
    const char *theirs[] = {"h2", "spdy/3", NULL};
    const char *const ours[] = {"http/1.1", NULL};
    const struct tls_peer_options peer = {.alpn = theirs};
    const anyc_tls_context_options own = {.alpn_protocols = ours};

    refuse_client(&peer, &own,
                  &(struct refusal){.rc = ANYC_ETLS,
                                    .says = "\"no application protocol\" (120)",
                                    .alert = ALERT_NO_APPLICATION_PROTOCOL,
                                    .alert_by_us = true});
}

/* The client does not trust our CA, or looks for another name. */
ANYC_TEST(test_tls_bad_clients__refuses_our_certificate)
{
    const struct tls_peer_options distrusts = {.ca = TLS_FILE("other_ca.pem")};
    const struct tls_peer_options misnames = {.ca = TLS_FILE("ca.pem"), .hostname = "b.example"};

    refuse_client(&distrusts, NULL, REFUSED_BY_PEER("unknown CA", ALERT_UNKNOWN_CA));
    refuse_client(&misnames, NULL, REFUSED_BY_PEER("bad certificate", ALERT_BAD_CERTIFICATE));
}

/* A client that has all that is wanted is welcome. */
ANYC_TEST(test_tls_bad_clients__a_good_one_is_not_refused)
{
    struct tls_meeting meeting;
    char byte;

    tls_meet(&meeting, true, &any_client, NULL, NULL);
    ck_assert_int_eq(anyc_receive(meeting.stream, &byte, 1), ANYC_EOF);
    ck_assert_ok(anyc_aclose(meeting.stream));
    tls_peer_join_ok(&meeting.peer);
}
