/* SPDX-License-Identifier: MIT */
/*
 * test_tls_identity.c - a side's own certificates: where they come from, and which is shown.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/testing.h>
#include <anyc/tls_context.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/fail_alloc.h"
#include "support/steps.h"
#include "support/tls_files.h"
#include "tls_shake.h"

#define LOCALHOST_PEM TLS_FILE("localhost.pem")
#define LOCALHOST_KEY TLS_FILE("localhost.key")

#define COMMON_CIPHER "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"

/* A whole file, to be freed. */
static void *read_file(const char *path, size_t *out_len)
{
    FILE *file = fopen(path, "rb");
    char *data = malloc(65536);

    ck_assert_ptr_nonnull(file);
    *out_len = fread(data, 1, 65536, file);
    fclose(file);
    return data;
}

/* Makes a server's context of one certificate. */
static int create_server(const anyc_tls_certificate *certificate, anyc_tls_context **out_context)
{
    const anyc_tls_context_options options = {
        .server_side = true, .certificates = certificate, .certificate_count = 1};

    return anyc_tls_context_create(&options, out_context);
}

/* Can a client that trusts ca.pem shake hands with a server of this certificate? */
static void expect_serves(const anyc_tls_certificate *certificate)
{
    anyc_tls_context *client = tls_shake_client(NULL, (anyc_tls_context_options){0});
    anyc_tls_context *server = NULL;
    struct tls_shake shake = {.hostname = "localhost"};

    ck_assert_ok(create_server(certificate, &server));
    ck_assert_ok(tls_shake_run(&shake, client, server));
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

static void expect_server_error(const anyc_tls_certificate *certificate, int code, const char *part,
                                const char *other_part)
{
    anyc_tls_context *server = NULL;

    ck_assert_int_eq(create_server(certificate, &server), code);
    ck_assert_ptr_null(server);
    ck_assert_int_eq(anyc_last_error()->code, code);
    ck_assert_has(anyc_last_error()->message, part);
    ck_assert_has(anyc_last_error()->message, other_part);
}

/* -- where certificates and keys come from -- */

ANYC_TEST_PLAIN(test_tls_identity__certificates_come_from_pem_files)
{
    expect_serves(&(anyc_tls_certificate){.chain.file = LOCALHOST_PEM, .key.file = LOCALHOST_KEY});
}

ANYC_TEST_PLAIN(test_tls_identity__certificates_come_from_der_files)
{
    expect_serves(&(anyc_tls_certificate){.chain.file = TLS_FILE("localhost.der"),
                                          .key.file = TLS_FILE("localhost.key.der")});
}

ANYC_TEST_PLAIN(test_tls_identity__certificates_come_from_memory)
{
    static const char *const files[][2] = {
        {LOCALHOST_PEM, LOCALHOST_KEY}, {TLS_FILE("localhost.der"), TLS_FILE("localhost.key.der")}};

    for (size_t i = 0; i < 2; i++) {
        anyc_tls_certificate certificate = {0};
        void *chain = read_file(files[i][0], &certificate.chain.len);
        void *key = read_file(files[i][1], &certificate.key.len);

        certificate.chain.data = chain;
        certificate.key.data = key;
        expect_serves(&certificate);
        free(chain);
        free(key);
    }
}

ANYC_TEST_PLAIN(test_tls_identity__a_key_may_be_in_the_file_of_the_certificate)
{
    size_t chain_len;
    size_t key_len;
    char *chain = read_file(LOCALHOST_PEM, &chain_len);
    char *key = read_file(LOCALHOST_KEY, &key_len);
    char *both = malloc(chain_len + key_len);

    memcpy(both, key, key_len);
    memcpy(both + key_len, chain, chain_len);
    expect_serves(&(anyc_tls_certificate){.chain = {.data = both, .len = chain_len + key_len}});
    free(chain);
    free(key);
    free(both);
}

ANYC_TEST_PLAIN(test_tls_identity__an_encrypted_key_needs_its_password)
{
    anyc_tls_certificate certificate = {.chain.file = LOCALHOST_PEM,
                                        .key.file = TLS_FILE("localhost_encrypted.key"),
                                        .password = "secret"};

    expect_serves(&certificate);
    certificate.password = "other";
    expect_server_error(&certificate, ANYC_ETLS, "localhost_encrypted.key", "password");
    certificate.password = NULL;
    expect_server_error(&certificate, ANYC_ETLS, "localhost_encrypted.key", "password");
}

ANYC_TEST_PLAIN(test_tls_identity__a_key_must_be_that_of_its_certificate)
{
    expect_server_error(
        &(anyc_tls_certificate){.chain.file = LOCALHOST_PEM, .key.file = TLS_FILE("server_a.key")},
        ANYC_ETLS, "localhost.pem", "server_a.key");
    expect_server_error(&(anyc_tls_certificate){.chain.file = LOCALHOST_PEM,
                                                .key.file = TLS_FILE("localhost_rsa.key")},
                        ANYC_ETLS, "localhost.pem", "localhost_rsa.key");
}

ANYC_TEST_PLAIN(test_tls_identity__errors_of_files_name_them)
{
    expect_server_error(
        &(anyc_tls_certificate){.chain.file = "no/such/file.pem", .key.file = LOCALHOST_KEY},
        -ENOENT, "no/such/file.pem", "No such file");
    expect_server_error(
        &(anyc_tls_certificate){.chain.file = LOCALHOST_PEM, .key.file = "no/such/file.key"},
        -ENOENT, "no/such/file.key", "No such file");
    expect_server_error(&(anyc_tls_certificate){.chain.file = "/", .key.file = LOCALHOST_KEY},
                        -EISDIR, "/", "directory");
}

ANYC_TEST_PLAIN(test_tls_identity__what_is_no_certificate_is_refused)
{
    static const char broken[] = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

    expect_server_error(
        &(anyc_tls_certificate){.chain.file = LOCALHOST_KEY, .key.file = LOCALHOST_KEY}, ANYC_ETLS,
        "localhost.key", "certificate");
    expect_server_error(
        &(anyc_tls_certificate){.chain.file = LOCALHOST_PEM, .key.file = LOCALHOST_PEM}, ANYC_ETLS,
        "localhost.pem", "key");
    expect_server_error(
        &(anyc_tls_certificate){.chain = {.data = "x", .len = 1}, .key.file = LOCALHOST_KEY},
        ANYC_ETLS, "in memory", "certificate");
    expect_server_error(&(anyc_tls_certificate){.chain = {.data = broken, .len = sizeof broken},
                                                .key.file = LOCALHOST_KEY},
                        ANYC_ETLS, "in memory", "certificate");
    expect_server_error(
        &(anyc_tls_certificate){.chain = {.data = "", .len = 0}, .key.file = LOCALHOST_KEY},
        ANYC_ETLS, "in memory", "certificate");
    ck_assert_int_lt(anyc_last_error()->tls.library_code, 0);
}

/* A pipe says nothing of its size, nor does it end where one thinks. */
ANYC_TEST_PLAIN(test_tls_identity__a_certificate_can_come_from_a_pipe)
{
    char path[64];
    size_t len;
    char *chain = read_file(LOCALHOST_PEM, &len);
    int fds[2];

    ck_assert_ok(pipe2(fds, O_CLOEXEC));
    fcntl(fds[1], F_SETPIPE_SZ, 65536);
    for (size_t i = 0; i < 8; i++) /* more than is read at first */
        ck_assert_int_eq(write(fds[1], chain, len), (ssize_t)len);
    close(fds[1]);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
    expect_serves(&(anyc_tls_certificate){.chain.file = path, .key.file = LOCALHOST_KEY});
    close(fds[0]);
    free(chain);
}

/* -- several certificates -- */

static const char *const other_names[] = {"X.Other.Example", "*.other.example",
                                          "b\xc3\xbc"
                                          "cher.example",
                                          NULL};

static const anyc_tls_certificate several[] = {
    {.chain.file = LOCALHOST_PEM, .key.file = LOCALHOST_KEY},
    {.chain.file = TLS_FILE("server_a.pem"), .key.file = TLS_FILE("server_a.key")},
    {.chain.file = TLS_FILE("wildcard.pem"), .key.file = LOCALHOST_KEY},
    {.chain.file = TLS_FILE("server_b.pem"),
     .key.file = TLS_FILE("server_b.key"),
     .names = other_names},
};

static anyc_tls_context *create_several(void)
{
    const anyc_tls_context_options options = {
        .server_side = true, .certificates = several, .certificate_count = 4};
    anyc_tls_context *server = NULL;

    ck_assert_ok(anyc_tls_context_create(&options, &server));
    return server;
}

/* Which certificate does a client get who asks for this name? Its common name is the answer. */
static void expect_shown(anyc_tls_context *server, const char *hostname, const char *subject)
{
    anyc_tls_context *client =
        tls_shake_client(NULL, (anyc_tls_context_options){.no_hostname_check = true});
    struct tls_shake shake = {.hostname = hostname};
    char text[128];

    ck_assert_ok(tls_shake_run(&shake, client, server));
    mbedtls_x509_dn_gets(text, sizeof text, &mbedtls_ssl_get_peer_cert(&shake.client.ssl)->subject);
    if (strcmp(text, subject) != 0)
        ck_abort_msg("%s: got %s, not %s", hostname, text, subject);
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
}

ANYC_TEST_PLAIN(test_tls_identity__the_name_that_a_client_asks_for_chooses_the_certificate)
{
    anyc_tls_context *server = create_several();

    expect_shown(server, "a.example", "CN=a.example");
    expect_shown(server, "A.EXAMPLE", "CN=a.example");
    expect_shown(server, "localhost", "CN=localhost");
    expect_shown(server, "x.wild.example", "CN=*.wild.example");
    expect_shown(server, "x.other.example", "CN=b.example");
    expect_shown(server, "Y.other.example", "CN=b.example");
    expect_shown(server, "xn--bcher-kva.example", "CN=b.example");
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_identity__for_other_names_the_first_certificate_is_shown)
{
    anyc_tls_context *server = create_several();

    expect_shown(server, "unknown.example", "CN=localhost");
    expect_shown(server, "b.example", "CN=localhost"); /* its names were given */
    expect_shown(server, "wild.example", "CN=localhost");
    expect_shown(server, "x.y.wild.example", "CN=localhost");
    expect_shown(server, ".wild.example", "CN=localhost");
    expect_shown(server, "127.0.0.1", "CN=localhost");
    expect_shown(server, NULL, "CN=localhost");
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_identity__of_two_certificates_for_a_name_the_cipher_chooses)
{
    static const anyc_tls_certificate both[] = {
        {.chain.file = TLS_FILE("server_a.pem"), .key.file = TLS_FILE("server_a.key")},
        {.chain.file = LOCALHOST_PEM, .key.file = LOCALHOST_KEY},
        {.chain.file = TLS_FILE("localhost_rsa.pem"), .key.file = TLS_FILE("localhost_rsa.key")}};
    const anyc_tls_context_options options = {.server_side = true,
                                              .certificates = both,
                                              .certificate_count = 3,
                                              .max_version = ANYC_TLS_1_2};
    static const char *const ciphers[] = {COMMON_CIPHER, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
    anyc_tls_context *server = NULL;

    ck_assert_ok(anyc_tls_context_create(&options, &server));
    for (size_t i = 0; i < 2; i++) {
        anyc_tls_context *client =
            tls_shake_client(NULL, (anyc_tls_context_options){.ciphers = ciphers[i]});
        struct tls_shake shake = {.hostname = "localhost"};

        ck_assert_ok(tls_shake_run(&shake, client, server));
        ck_assert_int_eq(
            mbedtls_pk_can_do(&mbedtls_ssl_get_peer_cert(&shake.client.ssl)->pk, MBEDTLS_PK_RSA),
            (int)i);
        tls_shake_end(&shake);
        anyc_tls_context_destroy(client);
    }
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_identity__names_that_cannot_be_are_refused)
{
    const char *names[] = {"", NULL};
    const anyc_tls_certificate certificate = {
        .chain.file = LOCALHOST_PEM, .key.file = LOCALHOST_KEY, .names = names};

    expect_server_error(&certificate, ANYC_EINVAL, "empty", "name");
    names[0] = "*.";
    expect_server_error(&certificate, ANYC_EINVAL, "empty", "name");
    names[0] = "\xff.example";
    expect_server_error(&certificate, ANYC_EENCODE, "", "");
}

/* -- other certificates while in use -- */

ANYC_TEST_PLAIN(test_tls_identity__replaced_certificates_are_for_new_handshakes)
{
    const anyc_tls_certificate other = {.chain.file = TLS_FILE("server_a.pem"),
                                        .key.file = TLS_FILE("server_a.key")};
    anyc_tls_context *client =
        tls_shake_client(NULL, (anyc_tls_context_options){.no_hostname_check = true});
    anyc_tls_context *server =
        tls_shake_server(LOCALHOST_PEM, LOCALHOST_KEY, (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = "localhost"};
    char text[64];

    tls_shake_start(&shake, client, server);
    ck_assert_ok(anyc_tls_context_replace_certificates(server, &other, 1));
    ck_assert_ok(tls_shake_go(&shake)); /* it had begun before */
    mbedtls_x509_dn_gets(text, sizeof text, &mbedtls_ssl_get_peer_cert(&shake.client.ssl)->subject);
    ck_assert_str_eq(text, "CN=localhost");
    tls_shake_end(&shake);
    expect_shown(server, "localhost", "CN=a.example");
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_identity__a_failed_replacement_changes_nothing)
{
    const anyc_tls_certificate bad = {.chain.file = TLS_FILE("server_a.pem"),
                                      .key.file = TLS_FILE("server_b.key")};
    anyc_tls_context *server =
        tls_shake_server(LOCALHOST_PEM, LOCALHOST_KEY, (anyc_tls_context_options){0});

    ck_assert_int_eq(anyc_tls_context_replace_certificates(server, &bad, 1), ANYC_ETLS);
    ck_assert_int_eq(anyc_tls_context_replace_certificates(server, NULL, 0), ANYC_EINVAL);
    expect_shown(server, "localhost", "CN=localhost");
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_identity__a_clients_certificates_can_be_replaced_by_none)
{
    const anyc_tls_certificate own = {.chain.file = TLS_FILE("client.pem"),
                                      .key.file = TLS_FILE("client.key")};
    anyc_tls_context *client = tls_shake_client(
        NULL, (anyc_tls_context_options){.certificates = &own, .certificate_count = 1});

    ck_assert_ok(anyc_tls_context_replace_certificates(client, NULL, 0));
    ck_assert_ok(anyc_tls_context_replace_certificates(client, &own, 1));
    anyc_tls_context_destroy(client);
}

/* -- memory -- */

static int create_rich(anyc_tls_context **out_context)
{
    static const char *const protocols[] = {"h2", "http/1.1", NULL};
    const anyc_tls_context_options options = {.server_side = true,
                                              .certificates = several,
                                              .certificate_count = 4,
                                              .ca.file = TLS_FILE("ca.pem"),
                                              .ca_directory = TLS_FILE(""),
                                              .verify = ANYC_TLS_VERIFY_OPTIONAL,
                                              .alpn_protocols = protocols,
                                              .ciphers = COMMON_CIPHER,
                                              .key_log_file = "/dev/null"};

    return anyc_tls_context_create(&options, out_context);
}

ANYC_TEST_PLAIN(test_tls_identity__without_memory_nothing_is_left_behind)
{
    anyc_tls_context *context = NULL;
    bool failed = true;
    long before;

    fail_alloc_install();
    before = fail_alloc_live();
    for (long n = 1; failed; n++) {
        int rc;

        fail_alloc_arm(n);
        rc = create_rich(&context);
        failed = fail_alloc_disarm();
        ck_assert_int_eq(rc, failed ? ANYC_ENOMEM : 0);
        if (failed)
            ck_assert_int_eq(fail_alloc_live(), before);
    }
    failed = true;
    for (long n = 1; failed; n++) {
        int rc;

        fail_alloc_arm(n);
        rc = anyc_tls_context_replace_certificates(context, several, 4);
        failed = fail_alloc_disarm();
        ck_assert_int_eq(rc, failed ? ANYC_ENOMEM : 0);
    }
    anyc_tls_context_destroy(context);
    ck_assert_int_eq(fail_alloc_live(), before);
}
