/* SPDX-License-Identifier: MIT */
/*
 * test_tls_bad_servers.c - clients refuse servers that they should not talk to, say why in words,
 * and tell the server; and servers that refuse us.
 */
#include "tls_refusal.h"

#include <string.h>

#define LOCALHOST_KEY TLS_FILE("localhost.key")

/* The server shows a certificate with the key of localhost. */
static void refuse_certificate(const char *certificate, const char *hostname,
                               const struct refusal *expected)
{
    const struct tls_peer_options peer = {.certificate = certificate, .key = LOCALHOST_KEY};

    refuse_server(&peer, NULL, hostname, expected);
}

/* -- certificates -- */

ANYC_TEST(test_tls_bad_servers__expired)
{
    refuse_certificate(
        TLS_FILE("expired.pem"), "localhost",
        BAD_CERTIFICATE("expired on 2021-01-01", ANYC_TLS_EXPIRED, ALERT_CERTIFICATE_EXPIRED));
}

ANYC_TEST(test_tls_bad_servers__not_yet_valid)
{
    refuse_certificate(TLS_FILE("not_yet.pem"), "localhost",
                       BAD_CERTIFICATE("not valid before 2110-01-01", ANYC_TLS_NOT_YET_VALID,
                                       ALERT_CERTIFICATE_UNKNOWN));
}

ANYC_TEST(test_tls_bad_servers__self_signed)
{
    refuse_certificate(TLS_FILE("self_signed.pem"), "localhost",
                       BAD_CERTIFICATE("self-signed", ANYC_TLS_NOT_TRUSTED, ALERT_UNKNOWN_CA));
}

ANYC_TEST(test_tls_bad_servers__unknown_ca)
{
    refuse_certificate(TLS_FILE("unknown_ca.pem"), "localhost",
                       BAD_CERTIFICATE("unknown CA: CN=anyc test other CA", ANYC_TLS_NOT_TRUSTED,
                                       ALERT_UNKNOWN_CA));
}

/* One bit of the signature is wrong: for who looks at it, the CA that is named did not sign it. */
ANYC_TEST(test_tls_bad_servers__bad_signature)
{
    refuse_certificate(TLS_FILE("bad_signature.pem"), "localhost",
                       BAD_CERTIFICATE("bad signature: not made by CN=anyc test CA",
                                       ANYC_TLS_NOT_TRUSTED, ALERT_UNKNOWN_CA));
}

static void refuse_name(const char *certificate, const char *hostname, const char *says)
{
    refuse_certificate(certificate, hostname,
                       BAD_CERTIFICATE(says, ANYC_TLS_WRONG_NAME, ALERT_BAD_CERTIFICATE));
}

ANYC_TEST(test_tls_bad_servers__wrong_name)
{
    refuse_name(TLS_FILE("localhost.pem"), "other.example",
                "expected other.example, certificate names localhost");
}

/* It is in one label, the leftmost, and for itself, that a wildcard counts (RFC 6125 6.4.3). */
ANYC_TEST(test_tls_bad_servers__wildcard_in_the_wrong_place)
{
    const char *names[] = {"a.b.wild.example", "xwild.example", "bcd.wild.example",
                           "x.y.wild.example", "wild.example"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        refuse_name(TLS_FILE("wildcard_wrong.pem"), names[i], "wrong host name");
}

/* "*.wild.example" is for exactly one more label. */
ANYC_TEST(test_tls_bad_servers__wildcard_for_other_depths)
{
    const char *names[] = {"wild.example", "a.b.wild.example", ".wild.example", "a.xwild.example"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        refuse_name(TLS_FILE("wildcard.pem"), names[i], "certificate names *.wild.example");
}

ANYC_TEST(test_tls_bad_servers__address_that_it_does_not_name)
{
    refuse_name(TLS_FILE("no_ip.pem"), "127.0.0.1",
                "expected 127.0.0.1, certificate names localhost");
    refuse_name(TLS_FILE("no_ip.pem"), "::1", "expected ::1, certificate names localhost");
    refuse_name(TLS_FILE("localhost.pem"), "127.0.0.2", "127.0.0.1");
    refuse_name(TLS_FILE("localhost.pem"), "::ffff:127.0.0.1", "127.0.0.1");
}

/* RFC 6125 section 6.4.4, RFC 9525: the common name is none. */
ANYC_TEST(test_tls_bad_servers__name_only_in_the_common_name)
{
    refuse_name(TLS_FILE("common_name_only.pem"), "localhost", "wrong host name");
}

ANYC_TEST(test_tls_bad_servers__weak_key)
{
    const struct tls_peer_options peer = {.certificate = TLS_FILE("weak_rsa.pem"),
                                          .key = TLS_FILE("weak_rsa.key")};

    refuse_server(&peer, NULL, "localhost",
                  BAD_CERTIFICATE("key", ANYC_TLS_WEAK_KEY, ALERT_UNSUPPORTED_CERTIFICATE));
}

/* Each thing that is wrong is told. */
ANYC_TEST(test_tls_bad_servers__several_things_at_once)
{
    const struct refusal expected = {.rc = ANYC_ETLS_CERTIFICATE,
                                     .says = "expected other.example, certificate names localhost",
                                     .says_too = "expired on 2021-01-01",
                                     .verify_flags = ANYC_TLS_EXPIRED | ANYC_TLS_WRONG_NAME,
                                     .alert = ALERT_BAD_CERTIFICATE,
                                     .alert_by_us = true};

    refuse_certificate(TLS_FILE("expired.pem"), "other.example", &expected);
}

static int refuse_peer(const anyc_tls_peer *peer, void *arg)
{
    (void)peer;
    return *(const int *)arg;
}

ANYC_TEST(test_tls_bad_servers__refused_by_the_program)
{
    const struct tls_peer_options peer = {.certificate = TLS_FILE("localhost.pem"),
                                          .key = LOCALHOST_KEY};
    int answer = -EPERM;
    const anyc_tls_context_options own = {.verify_peer = refuse_peer, .verify_arg = &answer};

    refuse_server(&peer, &own, "localhost",
                  &(struct refusal){.rc = -EPERM,
                                    .says = "not accepted",
                                    .alert = ALERT_ACCESS_DENIED,
                                    .alert_by_us = true});
}

/* -- the rest of the handshake -- */

static const struct tls_peer_options localhost = {.certificate = TLS_FILE("localhost.pem"),
                                                  .key = LOCALHOST_KEY};

ANYC_TEST(test_tls_bad_servers__no_common_cipher)
{
    const anyc_tls_context_options own = {.ciphers = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                                          .max_version = ANYC_TLS_1_2};

    refuse_server(&localhost, &own, "localhost",
                  REFUSED_BY_PEER("handshake failure", ALERT_HANDSHAKE_FAILURE));
}

/* A server that can TLS 1.1 at most finds none of our ciphers. */
ANYC_TEST(test_tls_bad_servers__version_too_old)
{
    struct tls_peer_options peer = localhost;

    if (!tls_peer_can(0x0302))
        ANYC_TEST_SKIP("there is no peer for TLS 1.1 with Mbed TLS 3 and newer");
    peer.min_version = 0x0301;
    peer.max_version = 0x0302;
    refuse_server(&peer, NULL, "localhost",
                  REFUSED_BY_PEER("handshake failure", ALERT_HANDSHAKE_FAILURE));
}

/* Sends a ServerHello with a version of its own, then waits for the alert. */
static int send_server_hello(struct tls_peer *peer, void *arg)
{
    unsigned char record[5 + 4 + 38] = {
        22, 3, 2, 0, 4 + 38, 2, 0, 0, 38, 3, *(const unsigned char *)arg};

    record[44] = 0xc0; /* TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 */
    record[45] = 0x2b;
    return refusal_send_and_wait(peer, record, sizeof record);
}

/* It chooses another version than was offered: downwards, or one that does not exist. */
ANYC_TEST(test_tls_bad_servers__chooses_another_version)
{
    const unsigned char minors[] = {0, 1, 2, 9};
    struct tls_peer_options peer = localhost;

    peer.before = send_server_hello;
    for (size_t i = 0; i < sizeof minors; i++)
        refuse_server_with(&peer, NULL, "localhost", (void *)&minors[i],
                           &(struct refusal){.rc = ANYC_ETLS,
                                             .says = "no common version",
                                             .says_too = "\"protocol version\" (70)",
                                             .alert = ALERT_PROTOCOL_VERSION,
                                             .alert_by_us = true});
}

ANYC_TEST(test_tls_bad_servers__no_common_protocol)
{
    const char *theirs[] = {"h2", NULL};
    const char *const ours[] = {"http/1.1", "spdy/3", NULL};
    const anyc_tls_context_options own = {.alpn_protocols = ours};
    struct tls_peer_options peer = localhost;

    peer.alpn = theirs;
    refuse_server(&peer, &own, "localhost",
                  REFUSED_BY_PEER("no application protocol", ALERT_NO_APPLICATION_PROTOCOL));
}

/* It wants a certificate, and we have none. The peer closes without a word. (With TLS 1.3 we are
 * through before the server says so: test_tls_stream_wrap.c.) */
ANYC_TEST(test_tls_bad_servers__wants_a_certificate)
{
    struct tls_peer_options peer = localhost;

    peer.max_version = ANYC_TLS_1_2;
    peer.want_client_certificate = true;
    peer.ca = TLS_FILE("ca.pem");
    refuse_server(&peer, NULL, "localhost",
                  &(struct refusal){.rc = ANYC_ETLS_EOF,
                                    .says = "ended within the TLS handshake",
                                    .library_code = MBEDTLS_ERR_SSL_CONN_EOF});
}

/* It wants another certificate than ours. */
ANYC_TEST(test_tls_bad_servers__refuses_our_certificate)
{
    const anyc_tls_certificate certificate = {.chain.file = TLS_FILE("client_unknown.pem"),
                                              .key.file = TLS_FILE("client.key")};
    const anyc_tls_context_options own = {.certificates = &certificate, .certificate_count = 1};
    struct tls_peer_options peer = localhost;

    peer.max_version = ANYC_TLS_1_2;
    peer.want_client_certificate = true;
    peer.ca = TLS_FILE("ca.pem");
    refuse_server(&peer, &own, "localhost", REFUSED_BY_PEER("unknown CA", ALERT_UNKNOWN_CA));
}
