/* SPDX-License-Identifier: MIT */
/*
 * echo_st.c - echo server on State Threads: a thread a connection, as anyc has a task; with
 * --timed each read may take 30 s.
 *
 * Read buffers are as in examples/echo_server.c: small on the stack, a large one once it is of use.
 */
#include "peer.h"

#include <st.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SMALL_BYTES = 1024,
    STACK_BYTES = 65536,
};

static const st_utime_t timed_us = 30000000;
static st_utime_t read_timeout = ST_UTIME_NO_TIMEOUT;

static void *echo(void *arg)
{
    st_netfd_t socket = arg;
    char small[SMALL_BYTES];
    char *large = NULL;
    char *buf = small;
    size_t size = sizeof small;
    ssize_t got = 1;

    while (got > 0) {
        got = st_read(socket, buf, size, read_timeout);
        if (got > 0 && st_write(socket, buf, (size_t)got, ST_UTIME_NO_TIMEOUT) != got)
            break;
        if (got == SMALL_BYTES && large == NULL) {
            large = malloc(PEER_BUFFER_BYTES);
            buf = large != NULL ? large : small;
            size = large != NULL ? PEER_BUFFER_BYTES : sizeof small;
        }
    }
    free(large);
    st_netfd_close(socket);
    return NULL;
}

/* Serve until the process is ended by a signal. */
static int serve(int listen_fd)
{
    st_netfd_t listener = st_netfd_open_socket(listen_fd);
    st_netfd_t accepted;
    int fd;

    if (listener == NULL)
        return -1;
    for (;;) {
        if (st_netfd_poll(listener, POLLIN, ST_UTIME_NO_TIMEOUT) != 0)
            return -1;
        while ((fd = peer_accept(listen_fd)) != -1) {
            if (fd < 0)
                continue;
            accepted = st_netfd_open_socket(fd);
            if (accepted == NULL)
                close(fd);
            else if (st_thread_create(echo, accepted, 0, STACK_BYTES) == NULL)
                st_netfd_close(accepted);
        }
    }
}

int main(int argc, char **argv)
{
    struct peer_options options;
    int listen_fd;

    if (!peer_options_parse(argc, argv, "--timed", &options))
        return 2;
    if (options.variant)
        read_timeout = timed_us;
    peer_process_init();
    /* Debian's library is built without epoll, and select takes 1,024 descriptors. */
    if (st_set_eventsys(ST_EVENTSYS_POLL) != 0 || st_init() != 0) {
        perror("State Threads");
        return 1;
    }
    listen_fd = peer_listen(&options);
    if (listen_fd < 0 || serve(listen_fd) != 0) {
        perror("State Threads");
        return 1;
    }
    return 0;
}
