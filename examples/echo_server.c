/* SPDX-License-Identifier: MIT */
/*
 * echo_server.c - sends back whatever it receives, one task a connection.
 *
 *     echo_server [--backend NAME] [--host H] [--port P]
 *
 * Tasks are straight-line code: receive waits until there is something, send until all is gone.
 */
#include <stdlib.h>

#include <anyc/anyc.h>

#include "options.h"

enum { SMALL = 1024, LARGE = 65536 };

static int echo(anyc_byte_stream *stream, void *arg)
{
    char small[SMALL]; /* an idle connection costs little memory ... */
    char *large = NULL;
    char *buf = small;
    size_t size = SMALL;
    ssize_t n = 0;

    (void)arg;
    while (n >= 0) {
        n = anyc_receive(stream, buf, size);
        if (n > 0 && anyc_send(stream, buf, (size_t)n) < 0)
            n = -1;
        if (n == SMALL && large == NULL) { /* ... and a busy one gets more room */
            large = malloc(LARGE);
            buf = large != NULL ? large : small;
            size = large != NULL ? LARGE : SMALL;
        }
    }
    free(large);
    anyc_aclose(stream);
    return 0; /* that a connection ended, well or not, is no failure of the server */
}

static int echo_server(void *arg)
{
    return serve(arg, echo);
}

int main(int argc, char **argv)
{
    struct options options = {.host = "127.0.0.1"};

    if (!options_parse(argc, argv, &options))
        return 2;
    raise_descriptor_limit();
    return options_run(&options, echo_server, &options);
}
