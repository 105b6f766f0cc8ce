/* SPDX-License-Identifier: MIT */
/*
 * tls_link.h - a connection from anyc to a blocking TLS server of mbedTLS in a thread.
 */
#ifndef ANYC_TESTS_STREAMS_TLS_LINK_H
#define ANYC_TESTS_STREAMS_TLS_LINK_H

#include <anyc/from_fd.h>
#include <anyc/socket.h>

#include <sys/socket.h>

#include "support/peer.h"
#include "support/stream_job.h"
#include "support/tls_files.h"
#include "support/tls_pair.h"
#include "support/tls_peer.h"

/* The usual server's certificate. */
#define TLS_LINK_LOCALHOST \
    .certificate = TLS_FILE("localhost.pem"), .key = TLS_FILE("localhost.key")

/* Start the server, localhost if `options` is NULL, and connect to it. */
static inline anyc_byte_stream *tls_link_connect(struct tls_peer *peer,
                                                 const struct tls_peer_options *options,
                                                 tls_peer_script script, void *arg)
{
    static const struct tls_peer_options localhost = {TLS_LINK_LOCALHOST};
    anyc_byte_stream *transport = NULL;

    tls_peer_server_start(peer, AF_INET, options != NULL ? options : &localhost, script, arg);
    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", peer->port, NULL, &transport), 0);
    return transport;
}

/* Wrap a transport as a client that trusts the tests' CA, unless the options name a context. */
static inline int tls_link_try(anyc_byte_stream *transport,
                               const anyc_tls_stream_wrap_options *options,
                               anyc_byte_stream **out_stream)
{
    anyc_tls_stream_wrap_options chosen = *options;
    anyc_tls_context *own = chosen.context == NULL ? tls_context_client() : NULL;
    int rc;

    if (own != NULL)
        chosen.context = own;
    rc = anyc_tls_stream_wrap(transport, &chosen, out_stream);
    anyc_tls_context_destroy(own);
    return rc;
}

/* A handshake that succeeds. */
static inline anyc_byte_stream *tls_link_wrap(anyc_byte_stream *transport,
                                              const anyc_tls_stream_wrap_options *options)
{
    anyc_byte_stream *stream = NULL;
    int rc = tls_link_try(transport, options, &stream);

    ck_assert_msg(rc == 0, "%s", anyc_last_error()->message);
    return stream;
}

/* The usual connection with localhost. */
static inline anyc_byte_stream *tls_link_open(struct tls_peer *peer, tls_peer_script script,
                                              void *arg)
{
    return tls_link_wrap(tls_link_connect(peer, NULL, script, arg),
                         &(anyc_tls_stream_wrap_options){.hostname = "localhost"});
}

/* The same by a UNIX socket with a buffer as small as can be. The server may ask for a new handshake. */
static inline anyc_byte_stream *tls_link_open_narrow(struct tls_peer *peer, tls_peer_script script,
                                                     void *arg)
{
    static const struct tls_peer_options options = {TLS_LINK_LOCALHOST, .renegotiation = true};
    const int least = 1;
    anyc_byte_stream *transport = NULL;
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_assert_int_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
    ck_assert_int_eq(anyc_unix_socket_stream_from_fd(fds[0], &transport), 0);
    tls_peer_server_start_fd(peer, fds[1], &options, script, arg);
    return tls_link_wrap(transport, &(anyc_tls_stream_wrap_options){.hostname = "localhost"});
}

#endif
