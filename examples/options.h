/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line of the examples, and how the servers among them listen:
 * [--backend NAME] [--host H] [--port P] [--unix PATH] [--udp] [--timeout SECONDS] [--threads N]
 * [ARGUMENT]...
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
    const char *path; /* of a UNIX socket to listen on, instead of host and port */
    bool udp;         /* datagrams instead of connections */
    double timeout;   /* seconds; 0: none */
    int threads;      /* that share the port, each with a loop of its own; 0: only the main one */
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

static inline bool option_seconds(const char *text, double *out)
{
    char *end = NULL;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= 0;
}

/* Says how a program is called; its exit code then. */
static inline int usage(const char *text)
{
    fprintf(stderr, "usage: %s\n", text);
    return 2;
}

/* Takes one option of the command line. */
static inline bool option_set(int option, const char *value, struct options *out)
{
    switch (option) {
    case 'b':
        out->backend = value;
        return true;
    case 'h':
        out->host = value;
        return true;
    case 'p':
        return option_number(value, 65535, &out->port);
    case 'u':
        out->path = value;
        return true;
    case 'd':
        out->udp = true;
        return true;
    case 't':
        return option_seconds(value, &out->timeout);
    case 'n':
        return option_number(value, 1024, &out->threads);
    default:
        return false;
    }
}

/* False after a message if the command line is wrong. */
static inline bool options_parse(int argc, char **argv, struct options *out)
{
    static const struct option known[] = {
        {"backend", required_argument, NULL, 'b'}, {"host", required_argument, NULL, 'h'},
        {"port", required_argument, NULL, 'p'},    {"unix", required_argument, NULL, 'u'},
        {"udp", no_argument, NULL, 'd'},           {"timeout", required_argument, NULL, 't'},
        {"threads", required_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
    bool ok = true;
    int option;

    while (ok && (option = getopt_long(argc, argv, "", known, NULL)) != -1)
        ok = option_set(option, optarg, out);
    if (!ok)
        fprintf(stderr,
                "usage: %s [--backend NAME] [--host H] [--port P] [--unix PATH] [--udp]\n"
                "       [--timeout SECONDS] [--threads N] [ARGUMENT]...\n",
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

/* Says what a client is to connect to: the tests wait for it. */
static inline void announce(const struct options *options, int port)
{
    if (options->path != NULL)
        printf("listening on %s\n", options->path);
    else
        printf("listening on %s:%d\n", options->host, port);
    fflush(stdout);
}

/* A listener at the path, or at host and port. */
static inline int listen_there(const struct options *options, anyc_listener **out_listener)
{
    anyc_create_tcp_listener_options where = {.local_host = options->host,
                                              .local_port = options->port,
                                              .reuse_port = options->threads > 1};

    if (options->path != NULL)
        return anyc_create_unix_listener(options->path, NULL, out_listener);
    return anyc_create_tcp_listener(&where, out_listener);
}

/* The same, and says where; port 0 becomes the one that it got. */
static inline int listen_and_announce(struct options *options, anyc_listener **out_listener)
{
    anyc_listener *listener;
    int rc = listen_there(options, &listener);

    if (rc < 0)
        return rc;
    if (options->path == NULL)
        rc = anyc_extra(listener, &ANYC_SOCKET_LOCAL_PORT, &options->port);
    if (rc < 0) {
        anyc_aclose(listener);
        return rc;
    }
    announce(options, options->port);
    *out_listener = listener;
    return 0;
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
