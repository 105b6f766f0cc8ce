/* SPDX-License-Identifier: MIT */
/*
 * tls_record.c - conversations with a TLS peer, recorded.
 */
#include "support/tls_tape.h"

#include <check.h>

#include <anyc/from_fd.h>

#include <sys/socket.h>

#include "support/tls_files.h"
#include "support/tls_peer.h"

/* The script in place of none: nothing follows the handshake. */
static int say_nothing(struct tls_peer *peer, void *arg)
{
    char byte;

    (void)arg;
    (void)tls_peer_read(peer, &byte, 1);
    return 0;
}

/* Everything up to an end or an error. */
static void hear_out(anyc_byte_stream *stream)
{
    char block[4096];
    ssize_t n = 1;

    while (n > 0)
        n = anyc_receive(stream, block, sizeof block);
}

static void start_peer(struct tls_peer *peer, int fd, bool anyc_is_server,
                       const struct tls_peer_options *options, tls_peer_script script, void *arg)
{
    struct tls_peer_options server = *options;

    if (script == NULL)
        script = say_nothing;
    if (anyc_is_server) {
        tls_peer_client_start(peer, fd, options, script, arg);
        return;
    }
    if (server.certificate == NULL) {
        server.certificate = TLS_FILE("localhost.pem");
        server.key = TLS_FILE("localhost.key");
    }
    tls_peer_server_start_fd(peer, fd, &server, script, arg);
}

void tls_tape_record(struct tls_tape *record, bool is_server,
                     const struct tls_peer_options *options, tls_peer_script script, void *arg)
{
    anyc_byte_stream *socket = NULL;
    anyc_byte_stream *stream = NULL;
    struct tls_peer peer;
    struct tape tape;
    int fds[2];

    *record = (struct tls_tape){.is_server = is_server, .context = tls_tape_context(is_server)};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_int_eq(anyc_unix_socket_stream_from_fd(fds[0], &socket), 0);
    tape_record(&tape, socket);
    start_peer(&peer, fds[1], is_server, options, script, arg);
    record->rc = tls_tape_wrap(is_server, record->context, &tape, &stream);
    if (record->rc == 0 && script != NULL)
        hear_out(stream);
    if (record->rc == 0)
        anyc_aclose_forcefully(stream);
    else
        anyc_aclose_forcefully(&tape.stream);
    tls_peer_join(&peer);
    record->flights = tape.received;
    tape.received = (struct tape_bytes){0};
    tape_deinit(&tape);
}

void tls_tape_deinit(struct tls_tape *record)
{
    anyc_tls_context_destroy(record->context);
    tape_free(&record->flights);
}
