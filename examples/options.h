/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line of the examples:
 * [--backend NAME] [--host H] [--port P] [--unix PATH] [--udp] [--timeout SECONDS] [--threads N]
 * [--tls CERT KEY] [--tls-workers on|off] [--ca FILE] [--name NAME] [--root DIR] [ARGUMENT]...
 */
#ifndef ANYC_EXAMPLES_OPTIONS_H
#define ANYC_EXAMPLES_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

    const char *certificate; /* of a TLS server: file; NULL: no TLS */
    const char *key;         /* its key: file */
    anyc_tls_workers workers;
    anyc_tls_context *tls_context; /* of all its loops, see prepare_tls; NULL: no TLS */
    bool tls_just_closes;          /* a connection that ends is not said to be complete */

    const char *ca;   /* of a client: file of the certificates to trust; NULL: the system's */
    const char *name; /* that the server's certificate must have; NULL: the host's */

    const char *root; /* folder whose files are served; NULL: none */
    int root_fd;      /* it, once it is open */

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

static inline bool option_workers(const char *text, anyc_tls_workers *out)
{
    bool on = strcmp(text, "on") == 0;

    *out = on ? ANYC_TLS_WORKERS_ON : ANYC_TLS_WORKERS_OFF;
    return on || strcmp(text, "off") == 0;
}

/* Says how a program is called; its exit code then. */
static inline int usage(const char *text)
{
    fprintf(stderr, "usage: %s\n", text);
    return 2;
}

/* In words: anyc's about the case, if it is anyc that failed. */
static inline const char *why(int rc)
{
    const anyc_error *error = anyc_last_error();

    return error->code == rc ? error->message : anyc_strerror(rc);
}

/* Says why something failed; the exit code then. */
static inline int failed(int rc)
{
    fprintf(stderr, "%s: %s\n", anyc_error_name(rc), why(rc));
    return EXIT_FAILURE;
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
    case 's':
        out->certificate = value;
        return true;
    case 'w':
        return option_workers(value, &out->workers);
    case 'c':
        out->ca = value;
        return true;
    case 'm':
        out->name = value;
        return true;
    case 'r':
        out->root = value;
        return true;
    default:
        return false;
    }
}

/* False after a message if the command line is wrong. */
static inline bool options_parse(int argc, char **argv, struct options *out)
{
    static const struct option known[] = {{"backend", required_argument, NULL, 'b'},
                                          {"host", required_argument, NULL, 'h'},
                                          {"port", required_argument, NULL, 'p'},
                                          {"unix", required_argument, NULL, 'u'},
                                          {"udp", no_argument, NULL, 'd'},
                                          {"timeout", required_argument, NULL, 't'},
                                          {"threads", required_argument, NULL, 'n'},
                                          {"tls", required_argument, NULL, 's'},
                                          {"tls-workers", required_argument, NULL, 'w'},
                                          {"ca", required_argument, NULL, 'c'},
                                          {"name", required_argument, NULL, 'm'},
                                          {"root", required_argument, NULL, 'r'},
                                          {NULL, 0, NULL, 0}};
    bool ok = true;
    int option;

    while (ok && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        ok = option_set(option, optarg, out);
        if (ok && option == 's') { /* the only one with two values */
            out->key = argv[optind];
            ok = argv[optind++] != NULL;
        }
    }
    if (!ok)
        fprintf(stderr,
                "usage: %s [--backend NAME] [--host H] [--port P] [--unix PATH] [--udp]\n"
                "       [--timeout SECONDS] [--threads N] [--tls CERT KEY] [--tls-workers on|off]\n"
                "       [--ca FILE] [--name NAME] [--root DIR] [ARGUMENT]...\n",
                argv[0]);
    out->arguments = argv + optind;
    out->argument_count = argc - optind;
    return ok;
}

/* Runs the main task, and prints why it failed if it did; the exit code of the program. */
static inline int options_run(const struct options *options, anyc_task_fn task, void *arg)
{
    int rc = anyc_run_with(task, arg, &(anyc_run_options){.backend = options->backend});

    return rc < 0 ? failed(rc) : rc;
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

#endif
