/* SPDX-License-Identifier: MIT */
/*
 * connect_tcp.c - from a host's name to a connection. AnyIO: connect_tcp.
 *
 * The local host is looked up first and fixes the family; then the host, unless it is a literal
 * address; then happy_eyeballs.c connects, and TLS begins if it is asked for.
 */
#include <anyc/socket.h>

#include <math.h>

#include "core/error.h"
#include "core/task.h"
#include "net/address.h"
#include "net/happy_eyeballs.h"
#include "net/resolver.h"
#include "streams/tls_client.h"

#define HAPPY_EYEBALLS_DELAY 0.25 /* seconds, RFC 8305 section 8 */

static int connect_check(const char *host, int port, const anyc_connect_tcp_options *options)
{
    if (host == NULL || *host == '\0')
        return anyc__fail(ANYC_EINVAL, 0, "no host to connect to");
    if (port < 1 || port > 65535)
        return anyc__fail(ANYC_EINVAL, 0, "port %d is not within 1..65535", port);
    if (options->local_port < 0 || options->local_port > 65535)
        return anyc__fail(ANYC_EINVAL, 0, "local port %d is not within 0..65535",
                          options->local_port);
    if (options->local_port != 0 && options->local_host == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a local port needs a local host");
    if (isnan(options->happy_eyeballs_delay) || options->happy_eyeballs_delay < 0)
        return anyc__fail(ANYC_EINVAL, 0, "the delay between attempts is negative or no number");
    return 0;
}

/* The addresses of a host. A literal one is not looked up, but must be of the family. */
static int connect_find(const char *host, int port, int family, anyc_addrinfo *literal,
                        anyc_addrinfo_list *looked_up)
{
    int rc;

    if (anyc__address_parse(host, port, &literal->address, &literal->address_len)) {
        literal->family = literal->address.ss_family;
        if (family != AF_UNSPEC && family != literal->family)
            return anyc__fail(-EAFNOSUPPORT, EAFNOSUPPORT,
                              "%s is of another address family than the local host", host);
        return 0;
    }
    rc = anyc__resolve(host, port, family, SOCK_STREAM, 0, looked_up);
    if (rc < 0)
        return rc;
    return looked_up->count > 0 ? 0 : anyc__resolver_fail(EAI_NONAME, 0, host);
}

/* With the local address in `target` if one was asked for: find the host and connect. */
static int connect_remote(struct connect_target *target, anyc_byte_stream **out_stream)
{
    anyc_addrinfo literal = {.canonical_name = ""};
    anyc_addrinfo_list looked_up = {0};
    int family = target->local == NULL ? AF_UNSPEC : target->local->sa_family;
    int rc = connect_find(target->host, target->port, family, &literal, &looked_up);

    if (rc == 0) {
        target->addresses = looked_up.count > 0 ? looked_up.items : &literal;
        target->count = looked_up.count > 0 ? looked_up.count : 1;
        rc = anyc__happy_eyeballs(target, out_stream);
        target->addresses = NULL; /* they go */
    }
    anyc_freeaddrinfo(&looked_up);
    return rc;
}

/* Find the local host, then the rest. */
static int connect_from_local(struct connect_target *target,
                              const anyc_connect_tcp_options *options,
                              anyc_byte_stream **out_stream)
{
    anyc_addrinfo literal = {.canonical_name = ""};
    anyc_addrinfo_list looked_up = {0};
    int rc =
        connect_find(options->local_host, options->local_port, AF_UNSPEC, &literal, &looked_up);

    if (rc == 0) {
        const anyc_addrinfo *local = looked_up.count > 0 ? &looked_up.items[0] : &literal;

        target->local = (const struct sockaddr *)&local->address;
        target->local_len = local->address_len;
        rc = connect_remote(target, out_stream);
        target->local = NULL; /* it goes */
    }
    anyc_freeaddrinfo(&looked_up);
    return rc;
}

/* Without TLS. */
static int connect_plain(const char *host, int port, const anyc_connect_tcp_options *options,
                         anyc_byte_stream **out_stream)
{
    struct connect_target target = {.host = host, .port = port, .delay = HAPPY_EYEBALLS_DELAY};

    if (options->happy_eyeballs_delay > 0)
        target.delay = options->happy_eyeballs_delay;
    if (options->local_host != NULL)
        return connect_from_local(&target, options, out_stream);
    return connect_remote(&target, out_stream);
}

static bool connect_wants_tls(const anyc_connect_tcp_options *options)
{
    return options->tls || options->tls_context != NULL || options->tls_hostname != NULL ||
           options->tls_not_standard_compatible;
}

int anyc_connect_tcp(const char *host, int port, const anyc_connect_tcp_options *options,
                     anyc_byte_stream **out_stream)
{
    static const anyc_connect_tcp_options defaults;
    const anyc_connect_tcp_options *chosen = options != NULL ? options : &defaults;
    const anyc_tls_stream_wrap_options tls = {
        .context = chosen->tls_context,
        .hostname = chosen->tls_hostname != NULL ? chosen->tls_hostname : host, /* not encoded */
        .side = ANYC_TLS_CLIENT,
        .not_standard_compatible = chosen->tls_not_standard_compatible,
    };
    anyc_byte_stream *plain;
    anyc_task *task;
    int rc = connect_check(host, port, chosen);

    if (rc == 0 && connect_wants_tls(chosen))
        rc = anyc__tls_client_check(&tls);
    if (rc == 0)
        rc = anyc__enter(&task);
    if (rc < 0)
        return rc;
    if (!connect_wants_tls(chosen))
        return connect_plain(host, port, chosen, out_stream);
    rc = connect_plain(host, port, chosen, &plain);
    return rc < 0 ? rc : anyc__tls_client_wrap(plain, &tls, out_stream);
}
