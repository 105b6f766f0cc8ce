/* SPDX-License-Identifier: MIT */
/*
 * test_tls_context.c - what contexts are made of, and which handshakes come of it.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/testing.h>
#include <anyc/tls_context.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "streams/tls_settings.h"
#include "streams/tls_shim_cipher.h"
#include "streams/tls_shim_connection.h"
#include "support/steps.h"
#include "support/tls_files.h"
#include "tls_shake.h"

#define LOCALHOST_PEM TLS_FILE("localhost.pem")
#define LOCALHOST_KEY TLS_FILE("localhost.key")

#define COMMON_CIPHER "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"

static void expect_error(anyc_tls_context_options options, int code, const char *part)
{
    anyc_tls_context *context = NULL;

    options.ca.file = TLS_FILE("ca.pem");
    ck_assert_int_eq(anyc_tls_context_create(&options, &context), code);
    ck_assert_ptr_null(context);
    ck_assert_has(anyc_last_error()->message, part);
}

/* -- defaults -- */

ANYC_TEST_PLAIN(test_tls_context__the_best_cipher_is_the_default)
{
    anyc_tls_context *client = tls_shake_client(NULL, (anyc_tls_context_options){0});
    anyc_tls_context *server =
        tls_shake_server(LOCALHOST_PEM, LOCALHOST_KEY, (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = "localhost"};
    char name[ANYC__TLS_CIPHER_NAME_SIZE];

    ck_assert_ok(tls_shake_run(&shake, client, server));
    anyc__tls_shim_cipher_name(mbedtls_ssl_get_ciphersuite(&shake.client.ssl), name, sizeof name);
    ck_assert_str_eq(name, anyc__tls_shim_is_tls13(&shake.client.ssl) ? "TLS_AES_128_GCM_SHA256"
                                                                      : COMMON_CIPHER);
    ck_assert_int_eq(anyc__tls_shim_cipher_bits(&shake.client.ssl), 128);
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_context__work_goes_to_threads_if_there_is_more_than_one_processor)
{
    static const struct {
        anyc_tls_workers workers;
        bool alone;
        bool in_workers;
    } rows[] = {{ANYC_TLS_WORKERS_DEFAULT, true, false},
                {ANYC_TLS_WORKERS_ON, true, true},
                {ANYC_TLS_WORKERS_OFF, false, false}};
    cpu_set_t all;
    cpu_set_t one;

    ck_assert_ok(sched_getaffinity(0, sizeof all, &all));
    CPU_ZERO(&one);
    for (size_t cpu = 0; CPU_COUNT(&one) == 0; cpu++) {
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &one);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        anyc_tls_context *context;
        struct tls_config *config;

        ck_assert_ok(sched_setaffinity(0, sizeof one, rows[i].alone ? &one : &all));
        context = tls_shake_client(NULL, (anyc_tls_context_options){.workers = rows[i].workers});
        config = anyc__tls_context_config(context);
        ck_assert_int_eq(config->in_workers, rows[i].in_workers && anyc__tls_shim_has_threads());
        anyc__tls_config_unref(config);
        anyc_tls_context_destroy(context);
    }
}

static int accept_any(const anyc_tls_peer *peer, void *arg)
{
    (void)peer;
    (void)arg;
    return 0;
}

ANYC_TEST_PLAIN(test_tls_context__a_verify_function_never_runs_in_the_loops_thread)
{
    anyc_tls_context *context =
        tls_shake_client(NULL, (anyc_tls_context_options){.workers = ANYC_TLS_WORKERS_OFF,
                                                          .verify_peer = accept_any});
    struct tls_config *config = anyc__tls_context_config(context);

    ck_assert(config->in_workers);
    anyc__tls_config_unref(config);
    anyc_tls_context_destroy(context);
}

/* -- choices -- */

ANYC_TEST_PLAIN(test_tls_context__a_server_needs_a_certificate)
{
    expect_error((anyc_tls_context_options){.server_side = true}, ANYC_EINVAL, "certificate");
}

ANYC_TEST_PLAIN(test_tls_context__choices_that_cannot_be_are_refused)
{
    expect_error((anyc_tls_context_options){.min_version = 0x0302}, ANYC_EINVAL, "0x0302");
    expect_error((anyc_tls_context_options){.max_version = 0x0305}, ANYC_EINVAL, "0x0305");
    expect_error(
        (anyc_tls_context_options){.min_version = ANYC_TLS_1_3, .max_version = ANYC_TLS_1_2},
        ANYC__TLS_NEWEST < ANYC_TLS_1_3 ? -ENOTSUP : ANYC_EINVAL, "TLS");
    expect_error((anyc_tls_context_options){.verify = (anyc_tls_verify)9}, ANYC_EINVAL, "9");
    expect_error((anyc_tls_context_options){.workers = (anyc_tls_workers)9}, ANYC_EINVAL, "9");
    expect_error(
        (anyc_tls_context_options){.verify = ANYC_TLS_VERIFY_NONE, .verify_peer = accept_any},
        ANYC_EINVAL, "verify function");
    expect_error((anyc_tls_context_options){.server_side = true, .verify_peer = accept_any},
                 ANYC_EINVAL, "verify function");
    if (ANYC__TLS_NEWEST < ANYC_TLS_1_3)
        expect_error((anyc_tls_context_options){.max_version = ANYC_TLS_1_3}, -ENOTSUP, "TLS 1.3");
}

ANYC_TEST_PLAIN(test_tls_context__unknown_ciphers_are_named)
{
    expect_error((anyc_tls_context_options){.ciphers = COMMON_CIPHER ":TLS_NONE:" COMMON_CIPHER},
                 ANYC_EINVAL, "\"TLS_NONE\"");
    expect_error((anyc_tls_context_options){.ciphers = ""}, ANYC_EINVAL, "\"\"");
    expect_error((anyc_tls_context_options){.ciphers = COMMON_CIPHER ":"}, ANYC_EINVAL, "\"\"");
}

/* What both sides agree on if the client has this list; NULL: nothing. */
static void expect_cipher(const char *list, const char *expected)
{
    anyc_tls_context *client = tls_shake_client(
        NULL, (anyc_tls_context_options){.ciphers = list, .max_version = ANYC_TLS_1_2});
    anyc_tls_context *server =
        tls_shake_server(LOCALHOST_PEM, LOCALHOST_KEY, (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = "localhost"};
    char name[ANYC__TLS_CIPHER_NAME_SIZE] = "";

    if (tls_shake_run(&shake, client, server) == 0)
        anyc__tls_shim_cipher_name(mbedtls_ssl_get_ciphersuite(&shake.client.ssl), name,
                                   sizeof name);
    ck_assert_str_eq(name, expected);
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_context__ciphers_are_used_as_told)
{
    expect_cipher("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    expect_cipher("TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384",
                  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    expect_cipher("TLS_AES_128_GCM_SHA256:TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    expect_cipher("TLS_AES_128_GCM_SHA256", COMMON_CIPHER);
}

ANYC_TEST_PLAIN(test_tls_context__ciphers_without_forward_secrecy_need_asking_for)
{
    expect_cipher("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", ""); /* the server has none of it */
}

/* -- protocols -- */

ANYC_TEST_PLAIN(test_tls_context__protocols_with_impossible_names_are_refused)
{
    char name[258];
    const char *protocols[] = {"h2", name, NULL};

    memset(name, 'x', sizeof name);
    name[256] = '\0';
    expect_error((anyc_tls_context_options){.alpn_protocols = protocols}, ANYC_EINVAL, "256 bytes");
    name[0] = '\0';
    expect_error((anyc_tls_context_options){.alpn_protocols = protocols}, ANYC_EINVAL, "0 bytes");
}

/* TL-007 */
ANYC_TEST_PLAIN(test_tls_context__the_servers_best_common_protocol_is_used)
{
    const char *servers[] = {"dummy1", "dummy2", NULL};
    const char *clients[] = {"dummy2", "dummy3", NULL};
    anyc_tls_context *client =
        tls_shake_client(NULL, (anyc_tls_context_options){.alpn_protocols = clients});
    anyc_tls_context *server = tls_shake_server(
        LOCALHOST_PEM, LOCALHOST_KEY, (anyc_tls_context_options){.alpn_protocols = servers});
    struct tls_shake shake = {.hostname = "localhost"};

    servers[1] = "changed"; /* copies were made */
    clients[0] = "changed";
    ck_assert_ok(tls_shake_run(&shake, client, server));
    ck_assert_str_eq(mbedtls_ssl_get_alpn_protocol(&shake.client.ssl), "dummy2");
    ck_assert_str_eq(mbedtls_ssl_get_alpn_protocol(&shake.server.ssl), "dummy2");
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_context__without_a_common_protocol_a_server_refuses)
{
    const char *servers[] = {"h2", NULL};
    const char *clients[] = {"http/1.1", NULL};
    anyc_tls_context *client =
        tls_shake_client(NULL, (anyc_tls_context_options){.alpn_protocols = clients});
    anyc_tls_context *server = tls_shake_server(
        LOCALHOST_PEM, LOCALHOST_KEY, (anyc_tls_context_options){.alpn_protocols = servers});
    struct tls_shake shake = {.hostname = "localhost"};

    ck_assert_int_lt(tls_shake_run(&shake, client, server), 0);
    ck_assert_int_eq(shake.client.alert, 120); /* no_application_protocol */
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

/* -- the end -- */

ANYC_TEST_PLAIN(test_tls_context__connections_outlive_their_context)
{
    anyc_tls_context *client = tls_shake_client(NULL, (anyc_tls_context_options){0});
    anyc_tls_context *server =
        tls_shake_server(LOCALHOST_PEM, LOCALHOST_KEY, (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = "localhost"};

    tls_shake_start(&shake, client, server);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
    anyc_tls_context_destroy(NULL);
    ck_assert_ok(tls_shake_go(&shake));
    tls_shake_end(&shake);
}

/* -- the key log -- */

static size_t count_lines(const char *path, const char *start)
{
    FILE *file = fopen(path, "r");
    char line[512];
    size_t count = 0;

    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) != NULL) {
        ck_assert_has(line, "\n");
        if (strncmp(line, start, strlen(start)) == 0)
            count++;
    }
    fclose(file);
    return count;
}

ANYC_TEST_PLAIN(test_tls_context__secrets_are_logged_only_on_demand)
{
    char folder[] = "/tmp/anyc-test-XXXXXX";
    char path[64];
    struct stat info;
    anyc_tls_context *client;
    anyc_tls_context *server;
    struct tls_shake shake = {.hostname = "localhost"};

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/keys", folder);
    client = tls_shake_client(
        NULL, (anyc_tls_context_options){.key_log_file = path, .max_version = ANYC_TLS_1_2});
    server = tls_shake_server(LOCALHOST_PEM, LOCALHOST_KEY,
                              (anyc_tls_context_options){.key_log_file = path});
    ck_assert_ok(tls_shake_run(&shake, client, server));
    tls_shake_end(&shake);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
    ck_assert_ok(stat(path, &info));
    ck_assert_uint_eq(info.st_mode & 07777, 0600);
    ck_assert_uint_eq(count_lines(path, "CLIENT_RANDOM "), 2); /* each side's */
    ck_assert_int_eq(info.st_size, 2 * (14 + 64 + 1 + 96 + 1));
    unlink(path);
    rmdir(folder);
}

ANYC_TEST_PLAIN(test_tls_context__a_key_log_that_cannot_be_opened_is_an_error)
{
    expect_error((anyc_tls_context_options){.key_log_file = "no/such/folder/keys"}, -ENOENT,
                 "no/such/folder/keys");
}

/* -- threads -- */

struct crowd {
    anyc_tls_context *client;
    anyc_tls_context *server;
};

static void *crowd_shake(void *arg)
{
    struct crowd *crowd = arg;
    intptr_t failures = 0;

    for (int i = 0; i < 10; i++) {
        struct tls_shake *shake = calloc(1, sizeof *shake);

        shake->hostname = i % 3 == 0 ? "127.0.0.1" : "localhost";
        failures += tls_shake_run(shake, crowd->client, crowd->server) != 0;
        tls_shake_end(shake);
        free(shake);
    }
    return (void *)failures;
}

/* Handshakes in several threads, while the server's certificate is replaced again and again. */
static void run_crowd(anyc_tls_context_options options)
{
    const anyc_tls_certificate own = {.chain.file = LOCALHOST_PEM, .key.file = LOCALHOST_KEY};
    struct crowd crowd = {
        .client = tls_shake_client(NULL, options),
        .server = tls_shake_server(LOCALHOST_PEM, LOCALHOST_KEY, options),
    };
    pthread_t threads[4];
    void *failures;

    for (size_t i = 0; i < 4; i++)
        ck_assert_ok(pthread_create(&threads[i], NULL, crowd_shake, &crowd));
    for (int i = 0; i < 20; i++)
        ck_assert_ok(anyc_tls_context_replace_certificates(crowd.server, &own, 1));
    for (size_t i = 0; i < 4; i++) {
        ck_assert_ok(pthread_join(threads[i], &failures));
        ck_assert_ptr_null(failures);
    }
    anyc_tls_context_destroy(crowd.client);
    anyc_tls_context_destroy(crowd.server);
}

ANYC_TEST_PLAIN(test_tls_context__several_threads_use_a_context_at_the_same_time)
{
    run_crowd((anyc_tls_context_options){0});
}

ANYC_TEST_PLAIN(test_tls_context__several_threads_sign_with_a_key_at_the_same_time)
{
    run_crowd((anyc_tls_context_options){.no_resumption = true});
}
