/* SPDX-License-Identifier: MIT */
/*
 * portscan.c - finds the open TCP ports of a host, hundreds at once.
 *
 *     portscan [--backend NAME] HOST FROM TO
 *
 * A capacity limiter bounds how many connects are under way; each has a second to succeed.
 */
#include <netdb.h>

#include <anyc/anyc.h>

#include "options.h"

enum { AT_ONCE = 500, PORT_MAX = 65535 };

struct scan {
    const char *name;
    int from;
    int to;
    char host[NI_MAXHOST]; /* address of the name: looked up once */
    anyc_capacity_limiter limiter;
    bool open[PORT_MAX + 1];
};

struct probe {
    struct scan *scan;
    int port;
};

/* One port, with the token that was acquired for it. */
static int probe_port(void *arg)
{
    const struct probe *probe = arg;
    struct scan *scan = probe->scan;
    anyc_byte_stream *stream;
    anyc_cancel_scope scope;
    int rc;

    anyc_fail_after(&scope, 1, false);
    rc = anyc_connect_tcp(scan->host, probe->port, NULL, &stream);
    if (rc == 0) {
        scan->open[probe->port] = true;
        anyc_aclose(stream);
    }
    rc = anyc_cancel_scope_exit(&scope, rc);
    anyc_capacity_limiter_release_on_behalf_of(&scan->limiter, &scan->open[probe->port]);
    return anyc_is_cancelled(rc) ? rc : 0; /* a closed port is no failure */
}

static int probe_all(struct scan *scan)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct probe probe = {.scan = scan};
    int rc = 0;

    anyc_task_group_enter(&group);
    for (probe.port = scan->from; rc == 0 && probe.port <= scan->to; probe.port++) {
        rc = anyc_capacity_limiter_acquire_on_behalf_of(&scan->limiter, &scan->open[probe.port]);
        if (rc == 0)
            rc = anyc_task_group_start_soon_copy(&group, probe_port, &probe, sizeof probe, NULL);
    }
    return anyc_task_group_exit(&group, rc);
}

static int look_up(struct scan *scan)
{
    anyc_getaddrinfo_hints hints = {.type = SOCK_STREAM};
    anyc_addrinfo_list found;
    int rc = anyc_getaddrinfo(scan->name, NULL, &hints, &found);

    if (rc < 0)
        return rc;
    if (found.count > 0)
        rc =
            anyc_getnameinfo((struct sockaddr *)&found.items[0].address, found.items[0].address_len,
                             NI_NUMERICHOST, scan->host, sizeof scan->host, NULL, 0);
    anyc_freeaddrinfo(&found);
    return rc;
}

static int portscan(void *arg)
{
    struct scan *scan = arg;
    int rc = look_up(scan);

    if (rc < 0)
        return rc;
    anyc_capacity_limiter_init(&scan->limiter, AT_ONCE);
    rc = probe_all(scan);
    anyc_capacity_limiter_deinit(&scan->limiter);
    for (int port = scan->from; rc == 0 && port <= scan->to; port++)
        if (scan->open[port])
            printf("%d\n", port);
    return rc;
}

int main(int argc, char **argv)
{
    static struct scan scan;
    struct options options = {.host = NULL};

    if (!options_parse(argc, argv, &options))
        return 2;
    if (options.argument_count != 3 || !option_number(options.arguments[1], PORT_MAX, &scan.from) ||
        !option_number(options.arguments[2], PORT_MAX, &scan.to) || scan.from == 0)
        return usage("portscan [--backend NAME] HOST FROM TO");
    scan.name = options.arguments[0];
    raise_descriptor_limit();
    return options_run(&options, portscan, &scan);
}
