/* SPDX-License-Identifier: MIT */
/*
 * resolver.h - name look-ups for the other files of net/, and the system functions behind them.
 */
#ifndef ANYC_NET_RESOLVER_H
#define ANYC_NET_RESOLVER_H

#include <netdb.h>

#include <anyc/dns.h>

/* As anyc_getaddrinfo with a decimal port, 0..65535 (else ANYC_EINVAL). `host` may be NULL: with
 * AI_PASSIVE that finds the wildcard addresses. AI_NUMERICSERV is added to `flags`. A checkpoint;
 * free the list with anyc_freeaddrinfo. */
int anyc__resolve(const char *host, int port, int family, int type, int flags,
                  anyc_addrinfo_list *out_list);

/* Set the error for an EAI code and its errno (0 unless it is EAI_SYSTEM) and answer
 * ANYC_EAI(code). `what` names what was looked up. */
int anyc__resolver_fail(int eai, int os_error, const char *what);

/* The system's functions. Tests replace them, outside a run, to record a call or to fake its
 * outcome; what a fake getaddrinfo answers goes back to the freeaddrinfo beside it. They are
 * called from worker threads. */
struct resolver_hooks {
    int (*getaddrinfo)(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out_found);
    void (*freeaddrinfo)(struct addrinfo *found);
    int (*getnameinfo)(const struct sockaddr *address, socklen_t len, char *host,
                       socklen_t host_size, char *service, socklen_t service_size, int flags);
};

extern struct resolver_hooks anyc__resolver_hooks;

#endif
