/* SPDX-License-Identifier: MIT */
/*
 * echo_server.c - sends back whatever it receives, one task a connection.
 *
 *     echo_server [--backend NAME] [--host H] [--port P] [--unix PATH] [--timeout SECONDS]
 *     echo_server --threads N [--backend NAME] [--host H] [--port P] [--timeout SECONDS]
 *     echo_server --udp [--backend NAME] [--host H] [--port P] [--timeout SECONDS]
 *
 * Tasks are straight-line code: wait until there is something, receive it, send until all is gone.
 * With --timeout each receive may take so long; a client that is silent for longer is cut off.
 *
 * With --threads there are so many loops, each in a thread of its own with a listener of its own on
 * the same port. The system deals the connections out, and the loops share nothing.
 */
#include <stdlib.h>

#include <pthread.h>

#include <anyc/anyc.h>

#include "options.h"

enum { BUFFER_SIZE = 65536 };

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

/* Waits for something to come, and takes a buffer only then: an idle connection has none. */
static ssize_t receive(anyc_byte_stream *stream, int fd, char **out_buf)
{
    int rc = anyc_wait_readable(fd);

    if (rc < 0)
        return rc;
    *out_buf = buffer_take();
    return *out_buf != NULL ? anyc_receive(stream, *out_buf, BUFFER_SIZE) : ANYC_ENOMEM;
}

static ssize_t receive_within(anyc_byte_stream *stream, int fd, char **out_buf, double seconds)
{
    anyc_cancel_scope scope;
    ssize_t n;
    int rc;

    anyc_fail_after(&scope, seconds, false);
    n = receive(stream, fd, out_buf);
    rc = anyc_cancel_scope_exit(&scope, n < 0 ? (int)n : 0);
    return rc < 0 ? rc : n;
}

static int echo(anyc_byte_stream *stream, void *arg)
{
    double seconds = ((const struct options *)arg)->timeout;
    int fd = -1;
    ssize_t n = anyc_extra(stream, &ANYC_SOCKET_RAW_SOCKET, &fd);

    while (n >= 0) {
        char *buf = NULL;

        n = seconds > 0 ? receive_within(stream, fd, &buf, seconds) : receive(stream, fd, &buf);
        if (n > 0 && anyc_send(stream, buf, (size_t)n) < 0)
            n = -1;
        buffer_give(buf);
    }
    anyc_aclose(stream);
    return 0; /* that a connection ended, well or not, is no failure of the server */
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

    if (rc < 0)
        return rc;
    rc = anyc_listener_serve(listener, echo, arg, NULL);
    anyc_aclose(listener);
    return rc;
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
        rc = anyc_listener_serve(listener, echo, arg, NULL);
    anyc_aclose(listener);
    return rc;
}

int main(int argc, char **argv)
{
    static struct options options = {.host = "127.0.0.1"};

    if (!options_parse(argc, argv, &options))
        return 2;
    if (options.threads > 1 && (options.udp || options.path != NULL))
        return usage("echo_server --threads N [--backend NAME] [--host H] [--port P] "
                     "[--timeout SECONDS]");
    raise_descriptor_limit();
    return options_run(&options, options.udp ? udp_echo_server : echo_server, &options);
}
