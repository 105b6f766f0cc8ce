/* SPDX-License-Identifier: MIT */
/*
 * tcp_listener.c - listen on every address of a host with one port. AnyIO: create_tcp_listener.
 *
 * With port 0 the first socket gets a free port and the others must have the same; when one of
 * them cannot, all are closed and another address goes first.
 */
#include "net/tcp_listener.h"

#include <anyc/socket.h>
#include <anyc/stapled_stream.h>

#include <errno.h>
#include <string.h>

#include <netinet/in.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/task.h"
#include "net/address.h"
#include "net/resolver.h"
#include "net/socket.h"
#include "net/socket_listener.h"

#define ROUNDS_MIN 4 /* attempts at a common port, or as many as there are addresses */

/* One address to listen on. */
struct bind_address {
    struct sockaddr_storage address;
    socklen_t len;
};

/* A listener in the making. Invariant: members[0] to members[made - 1] are open. */
struct tcp_setup {
    const anyc_create_tcp_listener_options *options;
    struct bind_address *addresses; /* sorted at first, turned round by one after each round */
    size_t count;
    anyc_listener **members; /* room for count */
    size_t made;
};

struct tcp_listener_hooks anyc__tcp_listener_hooks = {.bind = bind};

static int tcp_listener_check(const anyc_create_tcp_listener_options *options)
{
    if (options->local_port < 0 || options->local_port > 65535)
        return anyc__fail(ANYC_EINVAL, 0, "port %d is not within 0..65535", options->local_port);
    if (options->family != AF_UNSPEC && options->family != AF_INET && options->family != AF_INET6)
        return anyc__fail(ANYC_EINVAL, 0, "address family %d is not one of IP", options->family);
    if (options->backlog < 0)
        return anyc__fail(ANYC_EINVAL, 0, "the backlog is negative");
    return 0;
}

/* 0 or -errno. */
static int tcp_listener_set_options(int fd, int family, bool v6_only, bool reuse_port)
{
    int rc = 0;

    if (family == AF_INET6)
        rc = anyc__socket_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6_only);
    if (rc == 0)
        rc = anyc__socket_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (rc == 0 && reuse_port)
        rc = anyc__socket_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    return rc;
}

/* A listening socket, or -errno. */
static int tcp_listener_listen(const anyc_create_tcp_listener_options *options,
                               const struct sockaddr *address, socklen_t len, bool v6_only)
{
    int fd = anyc__socket_open(address->sa_family, SOCK_STREAM);
    int rc = fd < 0 ? fd : 0;

    if (rc == 0)
        rc = tcp_listener_set_options(fd, address->sa_family, v6_only, options->reuse_port);
    if (rc == 0 && anyc__tcp_listener_hooks.bind(fd, address, len) < 0)
        rc = -errno;
    if (rc == 0)
        rc = anyc__socket_listen(fd, options->backlog);
    if (rc < 0)
        anyc__descriptor_close(fd);
    return rc < 0 ? rc : fd;
}

/* Add a member that listens on one address. */
static int tcp_setup_add(struct tcp_setup *setup, const struct sockaddr *address, socklen_t len,
                         bool v6_only)
{
    char text[ANYC__ADDRESS_TEXT_SIZE];
    int fd = tcp_listener_listen(setup->options, address, len, v6_only);
    int rc;

    if (fd < 0) {
        anyc__address_format(address, len, text, sizeof text);
        return anyc__fail_errno(-fd, "cannot listen on %s", text);
    }
    rc = anyc__socket_listener_create(anyc__loop, fd, &setup->members[setup->made]);
    if (rc < 0)
        anyc__descriptor_close(fd);
    else
        setup->made++;
    return rc;
}

static void tcp_setup_undo(struct tcp_setup *setup)
{
    while (setup->made > 0)
        anyc_aclose_forcefully(setup->members[--setup->made]);
}

/* Listen on all addresses. *port: what to bind to, 0 for any; then what the first socket got. */
static int tcp_setup_round(struct tcp_setup *setup, int *port)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < setup->count; i++) {
        struct sockaddr *address = (struct sockaddr *)&setup->addresses[i].address;

        anyc__address_set_port(address, *port);
        rc = tcp_setup_add(setup, address, setup->addresses[i].len, true);
        if (rc == 0 && *port == 0 && setup->count > 1)
            rc = anyc_extra(setup->members[0], &ANYC_SOCKET_LOCAL_PORT, port);
    }
    if (rc < 0)
        tcp_setup_undo(setup);
    return rc;
}

static void tcp_setup_rotate(struct tcp_setup *setup)
{
    struct bind_address first = setup->addresses[0];

    memmove(&setup->addresses[0], &setup->addresses[1],
            (setup->count - 1) * sizeof *setup->addresses);
    setup->addresses[setup->count - 1] = first;
}

/* Rounds until all have one port. */
static int tcp_setup_run(struct tcp_setup *setup)
{
    size_t rounds = setup->count > ROUNDS_MIN ? setup->count : ROUNDS_MIN;
    int wanted = setup->options->local_port;
    int port = wanted;
    int rc = tcp_setup_round(setup, &port);

    while (rc == -EADDRINUSE && wanted == 0 && port != 0 && --rounds > 0) {
        tcp_setup_rotate(setup);
        port = 0;
        rc = tcp_setup_round(setup, &port);
    }
    if (rc == -EADDRINUSE && wanted == 0 && port != 0)
        rc = anyc__fail(rc, EADDRINUSE, "could not create %zu listeners with a consistent port",
                        setup->count);
    return rc;
}

/* Does this machine have IPv6? */
static bool tcp_listener_has_ipv6(void)
{
    const struct sockaddr_in6 loopback = {.sin6_family = AF_INET6,
                                          .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = anyc__socket_open(AF_INET6, SOCK_STREAM);
    bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&loopback, sizeof loopback) == 0;

    anyc__descriptor_close(fd);
    return has;
}

/* By family, then by address: an order that does not hang on the resolver. */
static int bind_address_compare(const struct bind_address *a, const struct bind_address *b)
{
    if (a->address.ss_family != b->address.ss_family)
        return a->address.ss_family < b->address.ss_family ? -1 : 1;
    return memcmp(&a->address, &b->address, a->len);
}

/* Insert in order; what is there already is left out (glibc may list an address twice). */
static void tcp_setup_insert(struct tcp_setup *setup, const struct bind_address *address)
{
    size_t i = setup->count;

    while (i > 0 && bind_address_compare(&setup->addresses[i - 1], address) > 0)
        i--;
    if (i > 0 && bind_address_compare(&setup->addresses[i - 1], address) == 0)
        return;
    memmove(&setup->addresses[i + 1], &setup->addresses[i],
            (setup->count - i) * sizeof *setup->addresses);
    setup->addresses[i] = *address;
    setup->count++;
}

static int tcp_setup_allocate(struct tcp_setup *setup, size_t count)
{
    setup->addresses = anyc__alloc_array(count, sizeof *setup->addresses);
    setup->members = anyc__alloc_array(count, sizeof(anyc_listener *));
    return setup->addresses == NULL || setup->members == NULL ? anyc__fail_plain(ANYC_ENOMEM) : 0;
}

/* Are the IPv6 addresses of a list of use? Where IPv6 is switched off, names may list such addresses
 * all the same; then the IPv4 ones must do. */
static bool tcp_setup_wants_ipv6(const anyc_addrinfo_list *found)
{
    bool ipv4 = false;

    for (size_t i = 0; i < found->count; i++)
        ipv4 = ipv4 || found->items[i].family == AF_INET;
    return !ipv4 || tcp_listener_has_ipv6();
}

/* The addresses of a name. */
static int tcp_setup_look_up(struct tcp_setup *setup)
{
    const anyc_create_tcp_listener_options *options = setup->options;
    anyc_addrinfo_list found = {0};
    bool ipv6;
    int rc =
        anyc__resolve(options->local_host, 0, options->family, SOCK_STREAM, AI_PASSIVE, &found);

    if (rc == 0 && found.count == 0)
        rc = anyc__resolver_fail(EAI_NONAME, 0, options->local_host);
    if (rc == 0)
        rc = tcp_setup_allocate(setup, found.count);
    ipv6 = rc == 0 && tcp_setup_wants_ipv6(&found);
    for (size_t i = 0; rc == 0 && i < found.count; i++) {
        const anyc_addrinfo *item = &found.items[i];
        struct bind_address address = {.address = item->address, .len = item->address_len};

        if (ipv6 || item->family != AF_INET6)
            tcp_setup_insert(setup, &address);
    }
    anyc_freeaddrinfo(&found);
    return rc;
}

/* A literal address: not looked up. */
static int tcp_setup_literal(struct tcp_setup *setup, const struct bind_address *address)
{
    int family = setup->options->family;
    int rc;

    if (family != AF_UNSPEC && family != address->address.ss_family)
        return anyc__fail(-EAFNOSUPPORT, EAFNOSUPPORT, "%s is not of the address family asked for",
                          setup->options->local_host);
    rc = tcp_setup_allocate(setup, 1);
    if (rc == 0)
        tcp_setup_insert(setup, address);
    return rc;
}

/* No host: the wildcard address of each family wanted. */
static int tcp_setup_wildcard(struct tcp_setup *setup)
{
    int family = setup->options->family;
    struct bind_address address = {.len = 0};
    int rc = tcp_setup_allocate(setup, 2);

    if (rc == 0 && family != AF_INET6) {
        anyc__address_parse("0.0.0.0", 0, &address.address, &address.len);
        tcp_setup_insert(setup, &address);
    }
    if (rc == 0 && family != AF_INET && (family == AF_INET6 || tcp_listener_has_ipv6())) {
        anyc__address_parse("::", 0, &address.address, &address.len);
        tcp_setup_insert(setup, &address);
    }
    return rc;
}

/* No host, any family: one socket for both. -EAFNOSUPPORT or -ENOPROTOOPT where the system has no
 * such thing. */
static int tcp_setup_dual_stack(struct tcp_setup *setup)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};

    if (anyc__tcp_listener_hooks.no_dual_stack)
        return -EAFNOSUPPORT;
    anyc__address_set_port((struct sockaddr *)&any, setup->options->local_port);
    return tcp_setup_add(setup, (const struct sockaddr *)&any, sizeof any, false);
}

/* Make the members. */
static int tcp_setup_members(struct tcp_setup *setup)
{
    const char *host = setup->options->local_host;
    struct bind_address literal = {.len = 0};
    int rc;

    if (host == NULL) {
        rc = tcp_setup_wildcard(setup);
        if (rc == 0 && setup->options->family == AF_UNSPEC) {
            rc = tcp_setup_dual_stack(setup);
            if (rc != -EAFNOSUPPORT && rc != -ENOPROTOOPT)
                return rc;
            rc = 0;
        }
    } else if (anyc__address_parse(host, 0, &literal.address, &literal.len)) {
        rc = tcp_setup_literal(setup, &literal);
    } else {
        rc = tcp_setup_look_up(setup);
    }
    return rc < 0 ? rc : tcp_setup_run(setup);
}

int anyc_create_tcp_listener(const anyc_create_tcp_listener_options *options,
                             anyc_listener **out_listener)
{
    static const anyc_create_tcp_listener_options defaults;
    struct tcp_setup setup = {.options = options == NULL ? &defaults : options};
    anyc_task *task;
    int rc;

    rc = tcp_listener_check(setup.options);
    if (rc == 0)
        rc = anyc__enter(&task);
    if (rc == 0)
        rc = tcp_setup_members(&setup);
    if (rc == 0)
        rc = anyc_multi_listener_create(setup.members, setup.made, out_listener);
    if (rc < 0)
        tcp_setup_undo(&setup);
    anyc__free(setup.addresses);
    anyc__free(setup.members);
    return rc;
}
