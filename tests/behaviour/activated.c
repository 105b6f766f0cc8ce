/* SPDX-License-Identifier: MIT */
/*
 * activated.c - a service that is started with its sockets: activated BACKEND
 *
 * It takes one connection of each, in order, tells it the socket's name, and ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <anyc/anyc.h>

static int answer_one(const anyc_listen_fd *given)
{
    anyc_byte_stream *stream = NULL;
    anyc_listener *listener = NULL;
    int rc = anyc_socket_listener_from_fd(given->fd, &listener);

    if (rc == 0)
        rc = anyc_socket_listener_accept(listener, &stream);
    if (rc == 0)
        rc = anyc_send(stream, given->name, strlen(given->name));
    if (stream != NULL)
        anyc_aclose(stream);
    if (listener != NULL)
        anyc_aclose(listener);
    return rc;
}

static int answer_all(void *arg)
{
    const anyc_listen_fds_options options = {.unset_environment = true};
    anyc_listen_fd_list given;
    int rc = anyc_listen_fds(&options, &given);

    (void)arg;
    if (rc <= 0)
        return rc < 0 ? rc : ANYC_ENOTFOUND;
    rc = 0;
    for (size_t i = 0; rc == 0 && i < given.count; i++)
        rc = answer_one(&given.items[i]);
    anyc_free_listen_fds(&given);
    return rc;
}

int main(int argc, char **argv)
{
    int rc =
        anyc_run_with(answer_all, NULL, &(anyc_run_options){.backend = argc > 1 ? argv[1] : NULL});

    if (rc < 0)
        fprintf(stderr, "%s: %s\n", anyc_error_name(rc), anyc_last_error()->message);
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
