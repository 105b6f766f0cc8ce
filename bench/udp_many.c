/* SPDX-License-Identifier: MIT */
/*
 * udp_many.c - `echo_server --udp` with several datagrams a call: what anyc_udp_socket_receive_many
 * and send_many save.
 *
 *     udp_many [--backend NAME] [--host H] [--port P]
 */
#include <anyc/anyc.h>

#include "listen.h"
#include "options.h"

enum { DATAGRAMS = 64, BYTES = 2048 };

/* Send back all of them; those that cannot be sent are passed over. */
static int send_back(anyc_udp_socket *socket, const anyc_datagram *datagrams, size_t count)
{
    size_t done = 0;
    ssize_t n;

    while (done < count) {
        n = anyc_udp_socket_send_many(socket, datagrams + done, count - done);
        if (n < 0 && n != ANYC_EBROKEN)
            return (int)n;
        done += n > 0 ? (size_t)n : 1;
    }
    return 0;
}

static int echo_batches(anyc_udp_socket *socket)
{
    static char room[DATAGRAMS][BYTES];
    static anyc_datagram datagrams[DATAGRAMS];
    ssize_t n;
    int rc = 0;

    for (size_t i = 0; i < DATAGRAMS; i++)
        datagrams[i] = (anyc_datagram){.data = room[i], .size = BYTES};
    while (rc == 0) {
        n = anyc_udp_socket_receive_many(socket, datagrams, DATAGRAMS);
        if (n > 0)
            rc = send_back(socket, datagrams, (size_t)n);
        else if (n != ANYC_EBROKEN)
            rc = (int)n;
    }
    return rc;
}

static int udp_many(void *arg)
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
        rc = echo_batches(socket);
    anyc_aclose(socket);
    return rc;
}

int main(int argc, char **argv)
{
    struct options options = {.host = "127.0.0.1"};

    if (!options_parse(argc, argv, &options))
        return 2;
    return options_run(&options, udp_many, &options);
}
