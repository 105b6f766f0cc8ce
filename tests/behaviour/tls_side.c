/* SPDX-License-Identifier: MIT */
/*
 * tls_side.c - anyc's side of a connection with a program that speaks TLS.
 */
#include "tls_side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "support/tasks.h"

char tls_pattern_at(size_t i)
{
    return i % 64 == 63 ? '\n' : (char)('0' + (i + i / 61) % 10);
}

char *tls_pattern(size_t len)
{
    char *text = malloc(len + 1);

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < len; i++)
        text[i] = tls_pattern_at(i);
    text[len] = '\0';
    return text;
}

/* -- facts -- */

/* The subject in a description, without what is behind it. */
static void facts_ask_peer(struct tls_facts *facts, anyc_byte_stream *stream)
{
    static const char label[] = "subject name";
    anyc_tls_der der;
    anyc_bytes text;
    const char *subject;

    snprintf(facts->peer, sizeof facts->peer, "-");
    if (anyc_tls_stream_peer_chain(stream, 0, &der) < 0)
        return;
    ck_assert_ok(anyc_tls_certificate_describe(&der, &text));
    subject = strstr(text.data, label);
    ck_assert_ptr_nonnull(subject);
    subject += strcspn(subject, ":") + 2;
    snprintf(facts->peer, sizeof facts->peer, "%.*s", (int)strcspn(subject, "\n"), subject);
    anyc_bytes_deinit(&text);
}

static void facts_ask_unique(struct tls_facts *facts, anyc_byte_stream *stream)
{
    anyc_tls_bytes unique;

    facts->unique[0] = '\0';
    if (anyc_extra(stream, &ANYC_TLS_CHANNEL_BINDING_TLS_UNIQUE, &unique) < 0)
        return;
    for (size_t i = 0; i < unique.len && 2 * i + 3 < sizeof facts->unique; i++)
        snprintf(facts->unique + 2 * i, 3, "%02x", ((const unsigned char *)unique.data)[i]);
}

void tls_facts_ask(struct tls_facts *facts, anyc_byte_stream *stream)
{
    const char *version;
    const char *alpn;
    anyc_tls_cipher cipher;

    ck_assert_ok(anyc_extra(stream, &ANYC_TLS_VERSION, &version));
    ck_assert_ok(anyc_extra(stream, &ANYC_TLS_CIPHER, &cipher));
    ck_assert_ok(anyc_extra(stream, &ANYC_TLS_ALPN_PROTOCOL, &alpn));
    ck_assert_ok(anyc_extra(stream, &ANYC_TLS_SESSION_REUSED, &facts->reused));
    ck_assert_str_eq(cipher.protocol, version);
    ck_assert_int_ge(cipher.secret_bits, 128);
    snprintf(facts->version, sizeof facts->version, "%s", version);
    snprintf(facts->cipher, sizeof facts->cipher, "%s", cipher.name);
    snprintf(facts->alpn, sizeof facts->alpn, "%s", alpn != NULL ? alpn : "-");
    facts_ask_peer(facts, stream);
    facts_ask_unique(facts, stream);
}

static void facts_fail(struct tls_facts *facts)
{
    const anyc_error *error = anyc_last_error();

    facts->alert = error->tls.alert;
    snprintf(facts->message, sizeof facts->message, "%s", error->message);
}

/* The data have ended with this. */
static void facts_end(struct tls_facts *facts, ssize_t rc)
{
    facts->end = (int)rc;
    if (rc < 0)
        facts_fail(facts);
}

static void facts_close(struct tls_facts *facts, anyc_byte_stream *stream)
{
    facts->close = anyc_aclose(stream);
}

/* -- talks -- */

void tls_talk_echo(anyc_byte_stream *stream, struct tls_facts *facts)
{
    enum { ROOM = 16384 };
    char *buf = malloc(ROOM);
    ssize_t n;

    while ((n = anyc_receive(stream, buf, ROOM)) > 0) {
        facts->bytes += (size_t)n;
        n = anyc_send(stream, buf, (size_t)n);
        if (n < 0)
            break;
    }
    facts_end(facts, n);
    free(buf);
}

void tls_talk_hello(anyc_byte_stream *stream, struct tls_facts *facts)
{
    facts_end(facts, anyc_send(stream, "hello\n", 6));
}

static void talk_to_the_end(anyc_byte_stream *stream, struct tls_facts *facts)
{
    char buf[512];
    ssize_t n;

    while ((n = anyc_receive(stream, buf, sizeof buf)) > 0)
        facts->bytes += (size_t)n;
    facts_end(facts, n);
}

void tls_talk_tiny(anyc_byte_stream *stream, struct tls_facts *facts)
{
    for (size_t i = 0; i < TLS_TINY; i++) {
        char byte = tls_pattern_at(i);

        ck_assert_ok(anyc_send(stream, &byte, 1));
    }
    talk_to_the_end(stream, facts);
}

void tls_talk_large(anyc_byte_stream *stream, struct tls_facts *facts)
{
    char *text = tls_pattern(TLS_LARGE);

    ck_assert_ok(anyc_send(stream, text, TLS_LARGE));
    free(text);
    talk_to_the_end(stream, facts);
}

/* The rest of a request's body, of which `there` bytes have come already. */
static void http_receive_body(anyc_byte_stream *stream, const char *head, size_t there)
{
    const char *length = strstr(head, "Content-Length: ");
    size_t wanted = length == NULL ? 0 : (size_t)atol(strchr(length, ' '));
    char buf[512];

    while (there < wanted) {
        ssize_t n = anyc_receive(stream, buf, sizeof buf);

        ck_assert_int_gt(n, 0);
        there += (size_t)n;
    }
    ck_assert_uint_eq(there, wanted);
}

/* The end of the connection is that of the body. */
static int http_answer(anyc_byte_stream *stream, const char *head)
{
    bool large = strstr(head, " /large ") != NULL;
    char *body = large ? tls_pattern(TLS_LARGE) : strdup("hello\n");
    const char *answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    int rc = anyc_send(stream, answer, strlen(answer));

    if (rc == 0)
        rc = anyc_send(stream, body, strlen(body));
    free(body);
    return rc;
}

void tls_talk_http(anyc_byte_stream *stream, struct tls_facts *facts)
{
    char head[1024] = "";
    const char *end;
    ssize_t n = 1;

    while ((end = strstr(head, "\r\n\r\n")) == NULL && n > 0) {
        n = anyc_receive(stream, head + facts->bytes, sizeof head - 1 - facts->bytes);
        facts->bytes += n > 0 ? (size_t)n : 0;
    }
    if (n > 0) {
        http_receive_body(stream, head, facts->bytes - (size_t)(end + 4 - head));
        n = http_answer(stream, head);
    }
    facts_end(facts, n);
}

/* -- server -- */

static struct tls_facts *server_next(struct tls_server *server)
{
    ck_assert_int_lt(server->connections, TLS_CONNECTIONS);
    return &server->facts[server->connections++];
}

static int server_handle(anyc_byte_stream *stream, void *arg)
{
    struct tls_server *server = arg;
    struct tls_facts *facts = server_next(server);

    tls_facts_ask(facts, stream);
    server->talk(stream, facts);
    facts_close(facts, stream);
    anyc_event_set(&facts->over);
    return 0;
}

/* Did it end without a word? Tests that run beside this one look for a port that was theirs, and may
 * find it to be this server's now. */
static bool is_stray(anyc_byte_stream *transport)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    int fd;

    ck_assert_ok(anyc_extra(transport, &ANYC_SOCKET_RAW_SOCKET, &fd));
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
           info.tcpi_bytes_received <= 1; /* the end counts as one */
}

static int server_handle_failure(anyc_byte_stream *transport, int rc, void *arg)
{
    struct tls_facts *facts;

    if (rc == ANYC_ETLS_EOF && is_stray(transport)) {
        anyc_aclose_forcefully(transport);
        return 0;
    }
    facts = server_next(arg);
    facts->rc = rc;
    facts_fail(facts);
    anyc_event_set(&facts->over);
    anyc_aclose_forcefully(transport);
    return 0;
}

static int server_serve(void *arg)
{
    struct tls_server *server = arg;

    return anyc_listener_serve(server->listener, server_handle, server, NULL);
}

static void server_make_context(struct tls_server *server, const anyc_tls_context_options *wanted)
{
    static const anyc_tls_certificate localhost = {
        TLS_CERTIFICATE("localhost.pem", "localhost.key")};
    anyc_tls_context_options options = *wanted;

    options.server_side = true;
    if (options.max_version == 0)
        options.max_version = ANYC_TLS_1_2;
    if (options.certificate_count == 0) {
        options.certificates = &localhost;
        options.certificate_count = 1;
    }
    if (options.verify != ANYC_TLS_VERIFY_DEFAULT)
        options.ca.file = TLS_FILE("ca.pem");
    ck_assert_ok(anyc_tls_context_create(&options, &server->context));
}

static void server_listen(struct tls_server *server, bool not_standard_compatible)
{
    const anyc_create_tcp_listener_options place = {.local_host = "127.0.0.1"};
    const anyc_tls_listener_create_options options = {
        .not_standard_compatible = not_standard_compatible,
        .handle_handshake_error = server_handle_failure,
        .handle_arg = server,
    };
    anyc_listener *listener;

    ck_assert_ok(anyc_create_tcp_listener(&place, &listener));
    ck_assert_ok(anyc_tls_listener_create(listener, server->context, &options, &server->listener));
    ck_assert_ok(anyc_extra(server->listener, &ANYC_SOCKET_LOCAL_PORT, &server->port));
}

struct tls_server *tls_server_start(const struct tls_server_options *options)
{
    static const struct tls_server_options defaults;
    struct tls_server *server = calloc(1, sizeof *server);

    ck_assert_ptr_nonnull(server);
    if (options == NULL)
        options = &defaults;
    server->talk = options->talk != NULL ? options->talk : tls_talk_echo;
    server->group = (anyc_task_group)ANYC_TASK_GROUP_INIT;
    server_make_context(server, &options->context);
    server_listen(server, options->not_standard_compatible);
    ck_assert_ok(anyc_task_group_enter(&server->group));
    spawn(&server->group, server_serve, server);
    return server;
}

const struct tls_facts *tls_server_facts(struct tls_server *server, int index)
{
    ck_assert_int_lt(index, TLS_CONNECTIONS);
    ck_assert_ok(anyc_event_wait(&server->facts[index].over));
    return &server->facts[index];
}

void tls_server_stop(struct tls_server *server)
{
    anyc_task_group_cancel(&server->group, NULL);
    ck_assert_ok(anyc_task_group_exit(&server->group, 0));
    anyc_aclose(server->listener);
    anyc_tls_context_destroy(server->context);
    free(server);
}

/* -- client -- */

struct tls_client *tls_client_create(const struct tls_client_options *options)
{
    struct tls_client *client = calloc(1, sizeof *client);
    anyc_tls_context_options *context;

    ck_assert_ptr_nonnull(client);
    if (options != NULL)
        client->options = *options;
    if (client->options.hostname == NULL)
        client->options.hostname = "localhost";
    context = &client->options.context;
    context->ca.file = TLS_FILE("ca.pem");
    if (context->max_version == 0)
        context->max_version = ANYC_TLS_1_2;
    ck_assert_ok(anyc_tls_context_create(context, &client->context));
    return client;
}

int tls_client_try(struct tls_client *client, int port)
{
    const anyc_connect_tcp_options options = {
        .tls_context = client->context,
        .tls_hostname = client->options.hostname,
        .tls_not_standard_compatible = client->options.not_standard_compatible,
    };
    int rc = anyc_connect_tcp("127.0.0.1", port, &options, &client->stream);

    client->facts = (struct tls_facts){.rc = rc};
    if (rc < 0)
        facts_fail(&client->facts);
    else
        tls_facts_ask(&client->facts, client->stream);
    return rc;
}

void tls_client_connect(struct tls_client *client, int port)
{
    int rc = tls_client_try(client, port);

    ck_assert_msg(rc == 0, "%s: %s", anyc_error_name(rc), client->facts.message);
}

void tls_client_send(struct tls_client *client, const char *text)
{
    ck_assert_ok(anyc_send(client->stream, text, strlen(text)));
}

void tls_client_receive(struct tls_client *client, const char *text)
{
    char buf[512] = "";
    size_t wanted = strlen(text);
    size_t len = 0;
    ssize_t n;

    ck_assert_uint_lt(wanted, sizeof buf);
    while (len < wanted) {
        n = anyc_receive(client->stream, buf + len, wanted - len);
        ck_assert_msg(n > 0, "%s after \"%s\"", anyc_error_name((int)n), buf);
        len += (size_t)n;
    }
    ck_assert_str_eq(buf, text);
}

void tls_client_send_pattern(struct tls_client *client, size_t len, size_t piece)
{
    char *text = tls_pattern(len);

    for (size_t sent = 0; sent < len; sent += piece) {
        size_t part = piece < len - sent ? piece : len - sent;

        ck_assert_ok(anyc_send(client->stream, text + sent, part));
    }
    free(text);
}

void tls_client_receive_pattern(struct tls_client *client, size_t len)
{
    char *text = tls_pattern(len);
    char buf[1024];
    size_t received = 0;

    while (received < len) {
        ssize_t n = anyc_receive(client->stream, buf, sizeof buf);

        ck_assert_msg(n > 0, "%s after %zu bytes", anyc_error_name((int)n), received);
        ck_assert_uint_le(received + (size_t)n, len);
        ck_assert_mem_eq(buf, text + received, (size_t)n);
        received += (size_t)n;
    }
    free(text);
}

/* The sender of an echo. */
struct client_sender {
    struct tls_client *client;
    size_t len;
    size_t piece;
};

static int client_send_task(void *arg)
{
    const struct client_sender *sender = arg;

    tls_client_send_pattern(sender->client, sender->len, sender->piece);
    return 0;
}

void tls_client_echo_pattern(struct tls_client *client, size_t len, size_t piece)
{
    struct client_sender sender = {client, len, piece};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, client_send_task, &sender);
    tls_client_receive_pattern(client, len);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

void tls_client_receive_end(struct tls_client *client)
{
    talk_to_the_end(client->stream, &client->facts);
}

void tls_client_close(struct tls_client *client)
{
    facts_close(&client->facts, client->stream);
    client->stream = NULL;
}

void tls_client_destroy(struct tls_client *client)
{
    anyc_tls_context_destroy(client->context);
    free(client);
}
