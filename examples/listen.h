/* SPDX-License-Identifier: MIT */
/*
 * listen.h - how the servers among the examples listen: at a path, or at host and port, with TLS or
 * without.
 */
#ifndef ANYC_EXAMPLES_LISTEN_H
#define ANYC_EXAMPLES_LISTEN_H

#include <stdio.h>

#include <anyc/anyc.h>

#include "options.h"

/* Says what a client is to connect to: the tests wait for it. */
static inline void announce(const struct options *options, int port)
{
    if (options->path != NULL)
        printf("listening on %s\n", options->path);
    else
        printf("listening on %s:%d\n", options->host, port);
    fflush(stdout);
}

/* Lets the connections be TLS, if the command line says so. `protocols`: those of ALPN, ended by
 * NULL; NULL: none. It reads files, and so comes before the loop runs. */
static inline int prepare_tls(struct options *options, const char *const *protocols)
{
    anyc_tls_certificate certificate = {.chain.file = options->certificate,
                                        .key.file = options->key};
    anyc_tls_context_options wanted = {.server_side = true,
                                       .certificates = &certificate,
                                       .certificate_count = 1,
                                       .alpn_protocols = protocols,
                                       .workers = options->workers};

    return options->certificate == NULL ? 0
                                        : anyc_tls_context_create(&wanted, &options->tls_context);
}

/* Puts TLS over a listener, if there is to be TLS. Takes it in any case. */
static inline int listen_tls(const struct options *options, anyc_listener *listener,
                             anyc_listener **out_listener)
{
    anyc_tls_listener_create_options how = {.not_standard_compatible = options->tls_just_closes};
    int rc = 0;

    if (options->tls_context == NULL)
        *out_listener = listener;
    else
        rc = anyc_tls_listener_create(listener, options->tls_context, &how, out_listener);
    if (rc < 0)
        anyc_aclose(listener);
    return rc;
}

/* A listener at the path, or at host and port. */
static inline int listen_plain(const struct options *options, anyc_listener **out_listener)
{
    anyc_create_tcp_listener_options where = {.local_host = options->host,
                                              .local_port = options->port,
                                              .reuse_port = options->threads > 1};

    if (options->path != NULL)
        return anyc_create_unix_listener(options->path, NULL, out_listener);
    return anyc_create_tcp_listener(&where, out_listener);
}

static inline int listen_there(const struct options *options, anyc_listener **out_listener)
{
    anyc_listener *listener;
    int rc = listen_plain(options, &listener);

    return rc < 0 ? rc : listen_tls(options, listener, out_listener);
}

/* The same, and says where; port 0 becomes the one that it got. */
static inline int listen_and_announce(struct options *options, anyc_listener **out_listener)
{
    anyc_listener *listener;
    int rc = listen_plain(options, &listener);

    if (rc < 0)
        return rc;
    if (options->path == NULL)
        rc = anyc_extra(listener, &ANYC_SOCKET_LOCAL_PORT, &options->port);
    if (rc < 0) {
        anyc_aclose(listener);
        return rc;
    }
    announce(options, options->port);
    return listen_tls(options, listener, out_listener);
}

/* Listens and serves until it is cancelled. The handler's argument is the options. */
static inline int serve(struct options *options, anyc_connection_fn handler)
{
    anyc_listener *listener;
    int rc = listen_and_announce(options, &listener);

    if (rc < 0)
        return rc;
    rc = anyc_listener_serve(listener, handler, options, NULL);
    anyc_aclose(listener);
    return rc;
}

#endif
