/* SPDX-License-Identifier: MIT */
/*
 * tls_shake.c - a client's and a server's handshake with each other, in memory.
 */
#include "tls_shake.h"

#include <anyc/error.h>

#include <check.h>

#include <stdio.h>

#include "streams/tls_shim_connection.h"
#include "streams/tls_shim_session.h"
#include "support/tls_files.h"

static int side_give(void *ctx, const unsigned char *buf, size_t len)
{
    struct tls_shake_side *other = ((struct tls_shake_side *)ctx)->other;

    if (other->in_end + len > TLS_SHAKE_ROOM)
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    memcpy(other->in + other->in_end, buf, len);
    other->in_end += len;
    return (int)len;
}

static int side_take(void *ctx, unsigned char *buf, size_t len)
{
    struct tls_shake_side *side = ctx;
    size_t there = side->in_end - side->in_start;
    size_t n = there < len ? there : len;

    if (n == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    memcpy(buf, side->in + side->in_start, n);
    side->in_start += n;
    return (int)n;
}

static void side_start(struct tls_shake_side *side, struct tls_shake_side *other,
                       struct tls_config *config, const char *hostname)
{
    side->config = config;
    side->other = other;
    side->in_start = 0;
    side->in_end = 0;
    side->code = MBEDTLS_ERR_SSL_WANT_READ;
    side->alert = 0;
    side->certified = false;
    mbedtls_ssl_init(&side->ssl);
    ck_assert_int_eq(anyc__tls_verification_init(&side->verification, config, hostname), 0);
    ck_assert_int_eq(mbedtls_ssl_setup(&side->ssl, &config->ssl), 0);
    ck_assert_int_eq(anyc__tls_verification_attach(&side->verification, &side->ssl), 0);
    mbedtls_ssl_set_bio(&side->ssl, side, side_give, side_take, NULL);
    anyc__tls_session_offer(&side->verification, &side->ssl);
}

/* As far as its input goes. */
static void side_advance(struct tls_shake_side *side)
{
    side->code = 0;
    while (side->code == 0 && !anyc__tls_shim_is_over(&side->ssl)) {
        side->certified |= anyc__tls_shim_is_at_certificate(&side->ssl);
        side->code = mbedtls_ssl_handshake_step(&side->ssl);
    }
    if (side->code == ANYC__TLS_FATAL_ALERT)
        side->alert = anyc__tls_shim_alert(&side->ssl);
}

static bool side_waits(const struct tls_shake_side *side)
{
    return side->code == MBEDTLS_ERR_SSL_WANT_READ;
}

/* With TLS 1.3 a session comes with the first ticket, which is there to be read. */
static void side_read_tickets(struct tls_shake_side *side)
{
    unsigned char none[1];

    while (anyc__tls_shim_is_ticket(anyc__tls_shim_read(&side->ssl, none, sizeof none)))
        anyc__tls_session_keep(&side->verification, &side->ssl);
}

static void side_complete(struct tls_shake_side *side)
{
    if (side->code == 0) {
        anyc__tls_session_keep(&side->verification, &side->ssl);
        side_read_tickets(side);
    } else {
        anyc__tls_session_forget(&side->verification);
        anyc__tls_verification_failed(&side->verification, &side->ssl);
    }
}

static void shake_start(struct tls_shake *shake, struct tls_config *client,
                        struct tls_config *server)
{
    side_start(&shake->client, &shake->server, client, shake->hostname);
    side_start(&shake->server, &shake->client, server, NULL);
}

void tls_shake_start(struct tls_shake *shake, anyc_tls_context *client, anyc_tls_context *server)
{
    shake_start(shake, anyc__tls_context_config(client), anyc__tls_context_config(server));
    shake->had_tickets = shake->client.config->ssl.session_tickets;
    if (shake->without_tickets)
        mbedtls_ssl_conf_session_tickets(&shake->client.config->ssl,
                                         MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
}

int tls_shake_go(struct tls_shake *shake)
{
    bool moves = true;

    while (moves) {
        size_t before = shake->client.in_end + shake->server.in_end;

        if (side_waits(&shake->client))
            side_advance(&shake->client);
        if (side_waits(&shake->server))
            side_advance(&shake->server);
        moves = shake->client.in_end + shake->server.in_end > before;
    }
    if (shake->without_tickets)
        mbedtls_ssl_conf_session_tickets(&shake->client.config->ssl, shake->had_tickets);
    side_complete(&shake->client);
    side_complete(&shake->server);
    return shake->client.code == 0 && shake->server.code == 0 ? 0 : -1;
}

int tls_shake_run(struct tls_shake *shake, anyc_tls_context *client, anyc_tls_context *server)
{
    tls_shake_start(shake, client, server);
    return tls_shake_go(shake);
}

int tls_shake_run_with(struct tls_shake *shake, struct tls_config *client,
                       struct tls_config *server)
{
    shake_start(shake, client, server);
    return tls_shake_go(shake);
}

static void side_end(struct tls_shake_side *side)
{
    mbedtls_ssl_free(&side->ssl);
    anyc__tls_verification_deinit(&side->verification);
    anyc__tls_config_unref(side->config);
}

void tls_shake_end(struct tls_shake *shake)
{
    side_end(&shake->client);
    side_end(&shake->server);
}

bool tls_shake_resumed(const struct tls_shake *shake)
{
    ck_assert_int_eq(shake->client.certified, shake->server.certified);
    return !shake->client.certified;
}

static anyc_tls_context *context_create(const anyc_tls_context_options *options)
{
    anyc_tls_context *context = NULL;
    int rc = anyc_tls_context_create(options, &context);

    if (rc < 0)
        ck_abort_msg("%s", anyc_last_error()->message);
    return context;
}

anyc_tls_context *tls_shake_client(const char *ca, anyc_tls_context_options options)
{
    options.ca.file = ca != NULL ? ca : TLS_FILE("ca.pem");
    return context_create(&options);
}

anyc_tls_context *tls_shake_server(const char *certificate, const char *key,
                                   anyc_tls_context_options options)
{
    const anyc_tls_certificate own = {.chain.file = certificate, .key.file = key};

    options.server_side = true;
    options.certificates = &own;
    options.certificate_count = 1;
    return context_create(&options);
}

void ck_assert_has(const char *text, const char *part)
{
    if (text == NULL || strstr(text, part) == NULL)
        ck_abort_msg("\"%s\" is not in \"%s\"", part, text != NULL ? text : "(NULL)");
}
