/* SPDX-License-Identifier: MIT */
/*
 * resolver.c - the system's resolver functions, their errors, and look-ups for the rest of net/.
 */
#include "net/resolver.h"

#include <anyc/error.h>

#include "core/error.h"

#include <stdio.h>
#include <string.h>

#define RESOLVER_PORT_MAX 65535

struct resolver_hooks anyc__resolver_hooks = {
    .getaddrinfo = getaddrinfo,
    .freeaddrinfo = freeaddrinfo,
    .getnameinfo = getnameinfo,
};

int anyc__resolver_fail(int eai, int os_error, const char *what)
{
    return anyc__fail(ANYC_EAI(eai), os_error, "looking up %s: %s", what,
                      eai == EAI_SYSTEM ? strerror(os_error) : gai_strerror(eai));
}

int anyc__resolve(const char *host, int port, int family, int type, int flags,
                  anyc_addrinfo_list *out_list)
{
    const anyc_getaddrinfo_hints hints = {
        .family = family, .type = type, .flags = flags | AI_NUMERICSERV};
    char service[12];

    if (port < 0 || port > RESOLVER_PORT_MAX)
        return anyc__fail(ANYC_EINVAL, 0, "there is no port %d", port);
    snprintf(service, sizeof service, "%d", port);
    return anyc_getaddrinfo(host, service, &hints, out_list);
}
