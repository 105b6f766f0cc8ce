/* SPDX-License-Identifier: MIT */
/*
 * test_tls_session.c - resumed sessions, and the cache that they are kept in.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/testing.h>
#include <anyc/tls_context.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "streams/tls_session_cache.h"
#include "streams/tls_settings.h"
#include "support/fail_alloc.h"
#include "support/steps.h"
#include "support/tls_files.h"
#include "tls_shake.h"

#define LOCALHOST_PEM TLS_FILE("localhost.pem")
#define LOCALHOST_KEY TLS_FILE("localhost.key")

/* -- the cache -- */

static void put(struct tls_session_cache *cache, const char *key, const char *data, int64_t expires)
{
    struct tls_session_entry *entry =
        anyc__tls_session_entry_create(key, strlen(key), strlen(data) + 1, expires);

    ck_assert_ptr_nonnull(entry);
    memcpy(entry->data, data, strlen(data) + 1);
    anyc__tls_session_cache_put(cache, entry);
}

/* `data` NULL: there must be none. */
static void expect_entry(struct tls_session_cache *cache, const char *key, int64_t now,
                         const char *data)
{
    struct tls_session_entry *entry = anyc__tls_session_cache_get(cache, key, strlen(key), now);

    ck_assert_int_eq(entry != NULL, data != NULL);
    if (entry != NULL) {
        ck_assert_str_eq((const char *)entry->data, data);
        anyc__tls_session_entry_destroy(entry);
    }
}

ANYC_TEST_PLAIN(test_tls_session__the_cache_finds_what_was_put_in)
{
    struct tls_session_cache *cache = anyc__tls_session_cache_create(10, 60);

    put(cache, "a", "first", 100);
    put(cache, "ab", "second", 100);
    expect_entry(cache, "a", 0, "first");
    expect_entry(cache, "ab", 0, "second");
    expect_entry(cache, "b", 0, NULL);
    expect_entry(cache, "", 0, NULL);
    put(cache, "a", "third", 100);
    expect_entry(cache, "a", 0, "third");
    ck_assert_uint_eq(anyc__tls_session_cache_count(cache), 2);
    anyc__tls_session_cache_remove(cache, "a", 1);
    anyc__tls_session_cache_remove(cache, "c", 1);
    expect_entry(cache, "a", 0, NULL);
    expect_entry(cache, "ab", 0, "second");
    anyc__tls_session_cache_destroy(cache);
    anyc__tls_session_cache_destroy(NULL);
}

ANYC_TEST_PLAIN(test_tls_session__the_cache_forgets_what_has_expired)
{
    struct tls_session_cache *cache = anyc__tls_session_cache_create(10, 60);

    put(cache, "a", "first", 100);
    expect_entry(cache, "a", 99, "first");
    expect_entry(cache, "a", 100, NULL);
    ck_assert_uint_eq(anyc__tls_session_cache_count(cache), 0);
    ck_assert_int_eq(anyc__tls_session_cache_lifetime(cache), 60);
    anyc__tls_session_cache_destroy(cache);
}

ANYC_TEST_PLAIN(test_tls_session__the_cache_drops_what_was_used_longest_ago)
{
    struct tls_session_cache *cache = anyc__tls_session_cache_create(3, 60);

    put(cache, "a", "a", 100);
    put(cache, "b", "b", 100);
    put(cache, "c", "c", 100);
    expect_entry(cache, "a", 0, "a");
    put(cache, "b", "b again", 100); /* in place of the other: nothing is dropped */
    put(cache, "d", "d", 100);
    expect_entry(cache, "c", 0, NULL);
    expect_entry(cache, "a", 0, "a");
    expect_entry(cache, "b", 0, "b again");
    expect_entry(cache, "d", 0, "d");
    ck_assert_uint_eq(anyc__tls_session_cache_count(cache), 3);
    anyc__tls_session_cache_destroy(cache);
}

ANYC_TEST_PLAIN(test_tls_session__the_cache_grows_with_its_sessions)
{
    struct tls_session_cache *cache = anyc__tls_session_cache_create(5000, 60);
    char key[16];

    for (int i = 0; i < 6000; i++) {
        snprintf(key, sizeof key, "%d", i);
        put(cache, key, key, 100);
    }
    ck_assert_uint_eq(anyc__tls_session_cache_count(cache), 5000);
    for (int i = 0; i < 6000; i++) {
        snprintf(key, sizeof key, "%d", i);
        expect_entry(cache, key, 0, i < 1000 ? NULL : key);
    }
    anyc__tls_session_cache_destroy(cache);
}

static void *use_cache(void *arg)
{
    struct tls_session_cache *cache = arg;

    for (int i = 0; i < 2000; i++) {
        char key[16];
        struct tls_session_entry *entry;

        snprintf(key, sizeof key, "%d", i % 150);
        entry = anyc__tls_session_cache_get(cache, key, strlen(key), 0);
        if (entry == NULL)
            entry = anyc__tls_session_entry_create(key, strlen(key), 100, 100);
        if (i % 7 == 0)
            anyc__tls_session_cache_remove(cache, key, strlen(key));
        anyc__tls_session_cache_put(cache, entry);
    }
    return NULL;
}

ANYC_TEST_PLAIN(test_tls_session__several_threads_use_the_cache_at_the_same_time)
{
    struct tls_session_cache *cache = anyc__tls_session_cache_create(100, 60);
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++)
        ck_assert_ok(pthread_create(&threads[i], NULL, use_cache, cache));
    for (size_t i = 0; i < 4; i++)
        ck_assert_ok(pthread_join(threads[i], NULL));
    ck_assert_uint_le(anyc__tls_session_cache_count(cache), 100);
    anyc__tls_session_cache_destroy(cache);
}

ANYC_TEST_PLAIN(test_tls_session__without_memory_the_cache_still_works)
{
    struct tls_session_cache *cache = NULL;
    long before;

    fail_alloc_install();
    before = fail_alloc_live();
    for (long n = 1; cache == NULL; n++) {
        fail_alloc_arm(n);
        cache = anyc__tls_session_cache_create(100, 60);
        ck_assert(fail_alloc_disarm() == (cache == NULL));
    }
    for (int i = 0; i < 100; i++) {
        char key[16];
        struct tls_session_entry *entry;

        snprintf(key, sizeof key, "%d", i);
        entry = anyc__tls_session_entry_create(key, strlen(key), 100, 100);
        fail_alloc_arm(1); /* more slots, a copy */
        anyc__tls_session_cache_put(cache, entry);
        (void)fail_alloc_disarm();
        fail_alloc_arm(1);
        ck_assert_ptr_null(anyc__tls_session_cache_get(cache, key, strlen(key), 0));
        ck_assert(fail_alloc_disarm());
    }
    ck_assert_uint_eq(anyc__tls_session_cache_count(cache), 100);
    anyc__tls_session_cache_destroy(cache);
    ck_assert_int_eq(fail_alloc_live(), before);
}

/* -- resumption -- */

/* Shakes hands once and says whether that was a resumption. */
static bool resumes_as(anyc_tls_context *client, anyc_tls_context *server, const char *hostname,
                       bool without_tickets)
{
    struct tls_shake shake = {.hostname = hostname, .without_tickets = without_tickets};
    bool resumed;

    if (tls_shake_run(&shake, client, server) < 0)
        ck_abort_msg("client: -0x%04x, server: -0x%04x", (unsigned)-shake.client.code,
                     (unsigned)-shake.server.code);
    resumed = tls_shake_resumed(&shake);
    tls_shake_end(&shake);
    return resumed;
}

static bool resumes(anyc_tls_context *client, anyc_tls_context *server)
{
    return resumes_as(client, server, "localhost", false);
}

/* A client and a server with the same options. */
struct ends {
    anyc_tls_context *client;
    anyc_tls_context *server;
};

static struct ends ends_create(anyc_tls_context_options client, anyc_tls_context_options server)
{
    return (struct ends){.client = tls_shake_client(NULL, client),
                         .server = tls_shake_server(LOCALHOST_PEM, LOCALHOST_KEY, server)};
}

static void ends_destroy(struct ends *ends)
{
    anyc_tls_context_destroy(ends->client);
    anyc_tls_context_destroy(ends->server);
}

ANYC_TEST_PLAIN(test_tls_session__tickets_resume)
{
    struct ends ends = ends_create((anyc_tls_context_options){0}, (anyc_tls_context_options){0});

    ck_assert(!resumes(ends.client, ends.server));
    for (int i = 0; i < 5; i++)
        ck_assert(resumes(ends.client, ends.server));
    ends_destroy(&ends);
}

ANYC_TEST_PLAIN(test_tls_session__session_ids_resume)
{
    struct ends ends = ends_create((anyc_tls_context_options){.max_version = ANYC_TLS_1_2},
                                   (anyc_tls_context_options){0});

    ck_assert(!resumes_as(ends.client, ends.server, "localhost", true));
    for (int i = 0; i < 5; i++)
        ck_assert(resumes_as(ends.client, ends.server, "localhost", true));
    ends_destroy(&ends);
}

ANYC_TEST_PLAIN(test_tls_session__a_server_remembers_only_so_many_ids)
{
    struct ends ends = ends_create((anyc_tls_context_options){.max_version = ANYC_TLS_1_2},
                                   (anyc_tls_context_options){.session_cache_size = 2});

    ck_assert(!resumes_as(ends.client, ends.server, "localhost", true));
    ck_assert(!resumes_as(ends.client, ends.server, "127.0.0.1", true));
    ck_assert(!resumes_as(ends.client, ends.server, "::1", true));
    ck_assert(!resumes_as(ends.client, ends.server, "localhost", true));
    ck_assert(resumes_as(ends.client, ends.server, "::1", true));
    ends_destroy(&ends);
}

ANYC_TEST_PLAIN(test_tls_session__each_host_has_its_own_session)
{
    struct ends ends = ends_create((anyc_tls_context_options){0}, (anyc_tls_context_options){0});

    ck_assert(!resumes(ends.client, ends.server));
    ck_assert(!resumes_as(ends.client, ends.server, "127.0.0.1", false));
    ck_assert(!resumes_as(ends.client, ends.server, "::1", false));
    ck_assert(resumes_as(ends.client, ends.server, "LOCALHOST.", false) ||
              resumes_as(ends.client, ends.server, "localhost", false));
    ck_assert(resumes_as(ends.client, ends.server, "127.0.0.1", false));
    ends_destroy(&ends);
}

/* A session cannot bring a client past a check that it would not pass. */
ANYC_TEST_PLAIN(test_tls_session__another_name_is_verified_anew)
{
    struct ends ends = ends_create((anyc_tls_context_options){0}, (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = "other.example"};

    ck_assert(!resumes(ends.client, ends.server));
    ck_assert_int_lt(tls_shake_run(&shake, ends.client, ends.server), 0);
    ck_assert_uint_eq(shake.client.verification.flags, ANYC_TLS_WRONG_NAME);
    tls_shake_end(&shake);
    ends_destroy(&ends);
}

ANYC_TEST_PLAIN(test_tls_session__another_context_verifies_anew)
{
    struct ends ends = ends_create((anyc_tls_context_options){.verify = ANYC_TLS_VERIFY_NONE},
                                   (anyc_tls_context_options){0});
    anyc_tls_context *strict =
        tls_shake_client(TLS_FILE("other_ca.pem"), (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = "localhost"};

    ck_assert(!resumes(ends.client, ends.server));
    ck_assert(resumes(ends.client, ends.server));
    ck_assert_int_lt(tls_shake_run(&shake, strict, ends.server), 0);
    tls_shake_end(&shake);
    anyc_tls_context_destroy(strict);
    ends_destroy(&ends);
}

ANYC_TEST_PLAIN(test_tls_session__either_side_can_do_without)
{
    for (int side = 0; side < 3; side++) {
        struct ends ends = ends_create((anyc_tls_context_options){.no_resumption = side != 1},
                                       (anyc_tls_context_options){.no_resumption = side != 0});

        for (int i = 0; i < 3; i++) {
            ck_assert(!resumes(ends.client, ends.server));
            ck_assert(!resumes_as(ends.client, ends.server, "127.0.0.1", true));
        }
        ends_destroy(&ends);
    }
}

ANYC_TEST_PLAIN(test_tls_session__sessions_outlive_a_change_of_certificates)
{
    const anyc_tls_certificate other = {.chain.file = TLS_FILE("chain_intermediate.pem"),
                                        .key.file = LOCALHOST_KEY};
    struct ends ends = ends_create((anyc_tls_context_options){0}, (anyc_tls_context_options){0});

    ck_assert(!resumes(ends.client, ends.server));
    ck_assert_ok(anyc_tls_context_replace_certificates(ends.server, &other, 1));
    ck_assert(resumes(ends.client, ends.server));
    ends_destroy(&ends);
}

/* Their cipher was for the other kind: mbedTLS by itself would fail here. */
ANYC_TEST_PLAIN(test_tls_session__a_change_of_the_kind_of_key_ends_sessions)
{
    const anyc_tls_certificate other = {.chain.file = TLS_FILE("localhost_rsa.pem"),
                                        .key.file = TLS_FILE("localhost_rsa.key")};
    struct ends ends = ends_create((anyc_tls_context_options){.max_version = ANYC_TLS_1_2},
                                   (anyc_tls_context_options){0});

    ck_assert(!resumes(ends.client, ends.server));
    ck_assert(!resumes_as(ends.client, ends.server, "127.0.0.1", true));
    ck_assert_ok(anyc_tls_context_replace_certificates(ends.server, &other, 1));
    ck_assert(!resumes(ends.client, ends.server));
    ck_assert(resumes(ends.client, ends.server));
    ck_assert(!resumes_as(ends.client, ends.server, "127.0.0.1", true));
    ends_destroy(&ends);
}

ANYC_TEST_PLAIN(test_tls_session__a_restarted_server_does_not_know_its_old_sessions)
{
    struct ends ends = ends_create((anyc_tls_context_options){0}, (anyc_tls_context_options){0});

    ck_assert(!resumes(ends.client, ends.server));
    anyc_tls_context_destroy(ends.server);
    ends.server = tls_shake_server(LOCALHOST_PEM, LOCALHOST_KEY, (anyc_tls_context_options){0});
    ck_assert(!resumes(ends.client, ends.server));
    ck_assert(resumes(ends.client, ends.server));
    ends_destroy(&ends);
}

ANYC_TEST_PLAIN(test_tls_session__a_clients_certificate_comes_with_its_session)
{
    const anyc_tls_certificate own = {.chain.file = TLS_FILE("client.pem"),
                                      .key.file = TLS_FILE("client.key")};
    struct ends ends =
        ends_create((anyc_tls_context_options){.certificates = &own, .certificate_count = 1},
                    (anyc_tls_context_options){.verify = ANYC_TLS_VERIFY_REQUIRED,
                                               .ca.file = TLS_FILE("ca.pem")});

    ck_assert(!resumes(ends.client, ends.server));
    ck_assert(resumes(ends.client, ends.server));
    ck_assert(!resumes_as(ends.client, ends.server, "127.0.0.1", true));
    ck_assert(resumes_as(ends.client, ends.server, "127.0.0.1", true));
    ends_destroy(&ends);
}

/* -- how long -- */

static struct tls_session_entry *client_entry(anyc_tls_context *client)
{
    struct tls_config *config = anyc__tls_context_config(client);
    struct tls_session_entry *entry = anyc__tls_session_cache_get(
        config->parts->settings->sessions, "localhost", sizeof "localhost", 0);

    anyc__tls_config_unref(config);
    return entry;
}

static void client_put(anyc_tls_context *client, struct tls_session_entry *entry)
{
    struct tls_config *config = anyc__tls_context_config(client);

    anyc__tls_session_cache_put(config->parts->settings->sessions, entry);
    anyc__tls_config_unref(config);
}

ANYC_TEST_PLAIN(test_tls_session__resuming_makes_no_session_younger)
{
    struct ends ends = ends_create((anyc_tls_context_options){.session_lifetime = 500},
                                   (anyc_tls_context_options){0});
    int64_t now = anyc__tls_session_now();
    struct tls_session_entry *entry;

    ck_assert(!resumes(ends.client, ends.server));
    entry = client_entry(ends.client);
    ck_assert_int_ge(entry->expires, now + 500);
    ck_assert_int_le(entry->expires, now + 510);
    entry->expires = now + 100;
    client_put(ends.client, entry);
    ck_assert(resumes(ends.client, ends.server));
    entry = client_entry(ends.client);
    ck_assert_int_eq(entry->expires, now + 100);
    entry->expires = now;
    client_put(ends.client, entry);
    ck_assert(!resumes(ends.client, ends.server));
    entry = client_entry(ends.client);
    ck_assert_int_ge(entry->expires, now + 500);
    anyc__tls_session_entry_destroy(entry);
    ends_destroy(&ends);
}

ANYC_TEST_PLAIN(test_tls_session__a_broken_session_is_not_offered)
{
    struct ends ends = ends_create((anyc_tls_context_options){0}, (anyc_tls_context_options){0});
    struct tls_session_entry *entry;

    ck_assert(!resumes(ends.client, ends.server));
    entry = client_entry(ends.client);
    memset(entry->data, 0xff, entry->len);
    client_put(ends.client, entry);
    ck_assert(!resumes(ends.client, ends.server));
    ck_assert(resumes(ends.client, ends.server));
    ends_destroy(&ends);
}

/* RFC 5246 section 7.2.2: a session ends with a fatal alert. */
ANYC_TEST_PLAIN(test_tls_session__a_session_whose_resumption_failed_is_forgotten)
{
    struct ends ends = ends_create((anyc_tls_context_options){0}, (anyc_tls_context_options){0});
    struct tls_shake shake = {.hostname = "localhost"};

    ck_assert(!resumes(ends.client, ends.server));
    tls_shake_start(&shake, ends.client, ends.server);
    ck_assert_int_ne(shake.client.verification.session_expires, 0);
    shake.server.in_end = 1; /* garbage in front of the client's first message */
    ck_assert_int_lt(tls_shake_go(&shake), 0);
    tls_shake_end(&shake);
    ck_assert_ptr_null(client_entry(ends.client));
    ck_assert(!resumes(ends.client, ends.server));
    ck_assert(resumes(ends.client, ends.server));
    ends_destroy(&ends);
}

/* -- memory -- */

ANYC_TEST_PLAIN(test_tls_session__without_memory_handshakes_are_full)
{
    long before;

    fail_alloc_install();
    before = fail_alloc_live();
    for (long n = 1; n < 8; n++) {
        struct ends ends =
            ends_create((anyc_tls_context_options){0}, (anyc_tls_context_options){0});
        bool without_tickets = n % 2 != 0;

        for (int i = 0; i < 2; i++) {
            struct tls_shake shake = {.hostname = "localhost", .without_tickets = without_tickets};

            tls_shake_start(&shake, ends.client, ends.server);
            fail_alloc_arm(n);
            ck_assert_ok(tls_shake_go(&shake));
            (void)fail_alloc_disarm();
            tls_shake_end(&shake);
        }
        ends_destroy(&ends);
    }
    ck_assert_int_eq(fail_alloc_live(), before);
}
