/* SPDX-License-Identifier: MIT */
/*
 * tls_client.h - a TLS client of mbedTLS for the servers of examples/, and what starts them.
 */
#ifndef ANYC_TESTS_EXAMPLES_TLS_CLIENT_H
#define ANYC_TESTS_EXAMPLES_TLS_CLIENT_H

#include "examples/program.h"
#include "support/tls_files.h"
#include "support/tls_peer.h"

/* For program_start(): a server's certificate for localhost. */
#define TLS_LOCALHOST "--tls", TLS_FILE("localhost.pem"), TLS_FILE("localhost.key")

/* Verifies such a server. */
static const struct tls_peer_options tls_client_options = {.ca = TLS_FILE("ca.pem"),
                                                           .hostname = "localhost"};

/* Run a script as the client of a server on a port of 127.0.0.1; nothing may go wrong. */
static inline void tls_client_run(int port, tls_peer_script script, void *arg)
{
    struct tls_peer client;

    tls_peer_client_start(&client, program_connect(port), &tls_client_options, script, arg);
    tls_peer_join_ok(&client);
}

#endif
