/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line of the examples: [--backend NAME] [--host H] [--port P] [ARGUMENT]...
 */
#ifndef ANYC_EXAMPLES_OPTIONS_H
#define ANYC_EXAMPLES_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <getopt.h>
#include <sys/resource.h>

#include <anyc/anyc.h>

struct options {
    const char *backend; /* "libuv", "libevent"; NULL: the first that is there */
    const char *host;
    int port;
    char **arguments; /* what follows the options */
    int argument_count;
};

/* Reads a whole number from 0 to max. */
static inline bool option_number(const char *text, long max, int *out)
{
    char *end = NULL;
    long value = strtol(text, &end, 10);

    if (end == text || *end != '\0' || value < 0 || value > max)
        return false;
    *out = (int)value;
    return true;
}

/* Says how a program is called; its exit code then. */
static inline int usage(const char *text)
{
    fprintf(stderr, "usage: %s\n", text);
    return 2;
}

/* False after a message if the command line is wrong. */
static inline bool options_parse(int argc, char **argv, struct options *out)
{
    static const struct option known[] = {{"backend", required_argument, NULL, 'b'},
                                          {"host", required_argument, NULL, 'h'},
                                          {"port", required_argument, NULL, 'p'},
                                          {NULL, 0, NULL, 0}};
    bool ok = true;
    int option;

    while (ok && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'b')
            out->backend = optarg;
        else if (option == 'h')
            out->host = optarg;
        else
            ok = option == 'p' && option_number(optarg, 65535, &out->port);
    }
    if (!ok)
        fprintf(stderr, "usage: %s [--backend NAME] [--host H] [--port P] [ARGUMENT]...\n",
                argv[0]);
    out->arguments = argv + optind;
    out->argument_count = argc - optind;
    return ok;
}

/* Runs the main task, and prints why it failed if it did; the exit code of the program. */
static inline int options_run(const struct options *options, anyc_task_fn task, void *arg)
{
    int rc = anyc_run_with(task, arg, &(anyc_run_options){.backend = options->backend});

    if (rc < 0)
        fprintf(stderr, "%s: %s\n", anyc_error_name(rc), anyc_last_error()->message);
    return rc < 0 ? EXIT_FAILURE : rc;
}

/* Each connection is a descriptor: as many as the system lets us have. */
static inline void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* we manage with fewer */
}

/* Listens, says where, and serves until it is cancelled. */
static inline int serve(const struct options *options, anyc_connection_fn handler)
{
    anyc_create_tcp_listener_options where = {.local_host = options->host,
                                              .local_port = options->port};
    anyc_listener *listener;
    int port = 0;
    int rc = anyc_create_tcp_listener(&where, &listener);

    if (rc < 0)
        return rc;
    rc = anyc_extra(listener, &ANYC_SOCKET_LOCAL_PORT, &port);
    printf("listening on %s:%d\n", options->host, port);
    fflush(stdout);
    if (rc == 0)
        rc = anyc_listener_serve(listener, handler, NULL, NULL);
    anyc_aclose(listener);
    return rc;
}

#endif
