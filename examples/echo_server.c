/* SPDX-License-Identifier: MIT */
/*
 * echo_server.c - sends back whatever it receives, one task a connection.
 *
 *     echo_server [--backend NAME] [--host H] [--port P] [--unix PATH] [--timeout SECONDS]
 *     echo_server --threads N [--backend NAME] [--host H] [--port P] [--timeout SECONDS]
 *     echo_server --tls CERT KEY [--tls-workers on|off] [any of the above]
 *     echo_server --udp [--backend NAME] [--host H] [--port P] [--timeout SECONDS]
 *
 * Tasks are straight-line code: wait until there is something, receive it, send until all is gone.
 * With --timeout each receive may take so long; a client that is silent for longer is cut off.
 *
 * With --threads there are so many loops, each in a thread of its own with a listener of its own on
 * the same port. The system deals the connections out, and the loops share nothing but the TLS
 * context, if there is one.
 */
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include <anyc/anyc.h>

#include "listen.h"
#include "options.h"

enum { BUFFER_SIZE = 65536, SMALL_SIZE = 512 };

/* The buffers of this thread that no connection uses now; the one used last is still in the cache. */
static _Thread_local struct buffer {
    struct buffer *next;
} * spare;

static char *buffer_take(void)
{
    struct buffer *buffer = spare;

    if (buffer == NULL)
        return malloc(BUFFER_SIZE);
    spare = buffer->next;
    return (char *)buffer;
}

static void buffer_give(void *memory)
{
    struct buffer *buffer = memory;

    if (buffer == NULL)
        return;
    buffer->next = spare;
    spare = buffer;
}

/* What comes over a connection, and where it goes. */
struct connection {
    anyc_byte_stream *stream;
    int fd;
    char *buf;
    size_t size; /* bytes at `buf` */
};

typedef ssize_t receive_fn(struct connection *c);

/* Waits for something to come, and takes a buffer only then: an idle connection has none. */
static ssize_t receive(struct connection *c)
{
    int rc = anyc_wait_readable(c->fd);

    if (rc < 0)
        return rc;
    c->buf = buffer_take();
    return c->buf != NULL ? anyc_receive(c->stream, c->buf, BUFFER_SIZE) : ANYC_ENOMEM;
}

/* The descriptor of a TLS connection does not tell: what came may be in the stream already. */
static ssize_t receive_tls(struct connection *c)
{
    return anyc_receive(c->stream, c->buf, c->size);
}

static ssize_t receive_within(struct connection *c, receive_fn *receive_it, double seconds)
{
    anyc_cancel_scope scope;
    ssize_t n;
    int rc;

    if (seconds == 0)
        return receive_it(c);
    anyc_fail_after(&scope, seconds, false);
    n = receive_it(c);
    rc = anyc_cancel_scope_exit(&scope, n < 0 ? (int)n : 0);
    return rc < 0 ? rc : n;
}

static int echo(anyc_byte_stream *stream, void *arg)
{
    double seconds = ((const struct options *)arg)->timeout;
    struct connection c = {.stream = stream};
    ssize_t n = anyc_extra(stream, &ANYC_SOCKET_RAW_SOCKET, &c.fd);

    while (n >= 0) {
        c.buf = NULL;
        n = receive_within(&c, receive, seconds);
        if (n > 0 && anyc_send(stream, c.buf, (size_t)n) < 0)
            n = -1;
        buffer_give(c.buf);
    }
    anyc_aclose(stream);
    return 0; /* that a connection ended, well or not, is no failure of the server */
}

/* Send back what came into a small buffer, with the rest of the record behind it. */
static ssize_t echo_record(anyc_byte_stream *stream, const char *small, ssize_t n)
{
    char *large = anyc_tls_stream_pending(stream) > 0 ? buffer_take() : NULL;
    ssize_t more;

    if (large == NULL) /* without memory the small one will do */
        return anyc_send(stream, small, (size_t)n);
    memcpy(large, small, (size_t)n);
    more = anyc_receive(stream, large + n, BUFFER_SIZE - (size_t)n); /* it is there */
    if (more > 0)
        more = anyc_send(stream, large, (size_t)(n + more));
    buffer_give(large);
    return more;
}

/* An idle connection waits with a small buffer. */
static int echo_tls(anyc_byte_stream *stream, void *arg)
{
    double seconds = ((const struct options *)arg)->timeout;
    char small[SMALL_SIZE];
    struct connection c = {stream, -1, small, sizeof small};
    ssize_t n = 0;

    while (n >= 0) {
        n = receive_within(&c, receive_tls, seconds);
        if (n > 0)
            n = echo_record(stream, small, n);
    }
    if (n == ANYC_EOF)
        anyc_aclose(stream); /* the client has ended TLS: so does this side */
    else
        anyc_aclose_forcefully(stream);
    return 0;
}

static int serve_echo(anyc_listener *listener, struct options *options)
{
    int rc = anyc_listener_serve(listener, options->tls_context != NULL ? echo_tls : echo, options,
                                 NULL);

    anyc_aclose(listener);
    return rc;
}

static int receive_datagram(anyc_udp_socket *socket, anyc_datagram *datagram, double seconds)
{
    anyc_cancel_scope scope;

    if (seconds == 0)
        return anyc_udp_socket_receive(socket, datagram);
    anyc_fail_after(&scope, seconds, false);
    return anyc_cancel_scope_exit(&scope, anyc_udp_socket_receive(socket, datagram));
}

/* Whoever sends a datagram gets it back, for as long as the socket is well. */
static int echo_datagrams(anyc_udp_socket *socket, double seconds)
{
    static char buf[BUFFER_SIZE];
    anyc_datagram datagram = {.data = buf, .size = sizeof buf};
    int rc = 0;

    while (rc == 0) {
        rc = receive_datagram(socket, &datagram, seconds);
        if (rc == 0)
            rc = anyc_udp_socket_send(socket, &datagram);
        if (rc == ANYC_ETIMEDOUT || rc == ANYC_EBROKEN)
            rc = 0; /* nobody sends, or one client has gone */
    }
    return rc;
}

static int udp_echo_server(void *arg)
{
    struct options *options = arg;
    anyc_create_udp_socket_options where = {.local_host = options->host,
                                            .local_port = options->port};
    anyc_udp_socket *socket;
    int port = 0;
    int rc = anyc_create_udp_socket(&where, &socket);

    if (rc < 0)
        return rc;
    rc = anyc_extra(socket, &ANYC_SOCKET_LOCAL_PORT, &port);
    announce(options, port);
    if (rc == 0)
        rc = echo_datagrams(socket, options->timeout);
    anyc_aclose(socket);
    return rc;
}

/* The main task of each loop but the first. */
static int echo_server_again(void *arg)
{
    anyc_listener *listener;
    int rc = listen_there(arg, &listener);

    return rc < 0 ? rc : serve_echo(listener, arg);
}

static void *run_loop(void *arg)
{
    exit(options_run(arg, echo_server_again, arg)); /* only an error ends it */
}

/* The first loop binds the port; then the others know which one it is. */
static int start_loops(struct options *options)
{
    pthread_t thread;

    for (int i = 1; i < options->threads; i++) {
        if (pthread_create(&thread, NULL, run_loop, options) != 0)
            return ANYC_ENOMEM;
        pthread_detach(thread);
    }
    return 0;
}

static int echo_server(void *arg)
{
    anyc_listener *listener;
    int rc = listen_and_announce(arg, &listener);

    if (rc < 0)
        return rc;
    rc = start_loops(arg);
    if (rc == 0)
        return serve_echo(listener, arg);
    anyc_aclose(listener);
    return rc;
}

int main(int argc, char **argv)
{
    static struct options options = {.host = "127.0.0.1"};
    int rc;

    if (!options_parse(argc, argv, &options))
        return 2;
    if (options.threads > 1 && (options.udp || options.path != NULL))
        return usage("echo_server --threads N [--backend NAME] [--host H] [--port P] "
                     "[--timeout SECONDS]");
    if (options.udp && options.certificate != NULL)
        return usage("echo_server --tls CERT KEY: not with --udp");
    rc = prepare_tls(&options, NULL);
    if (rc < 0)
        return failed(rc);
    raise_descriptor_limit();
    rc = options_run(&options, options.udp ? udp_echo_server : echo_server, &options);
    anyc_tls_context_destroy(options.tls_context);
    return rc;
}
