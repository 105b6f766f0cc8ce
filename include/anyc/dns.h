/* SPDX-License-Identifier: MIT */
/*
 * dns.h - look up host names and addresses with the system's own resolver, without blocking the
 * loop. anyc/socket.h includes it.
 *
 *     anyc_addrinfo_list found;
 *     anyc_getaddrinfo_hints hints = {.type = SOCK_STREAM};
 *
 *     rc = anyc_getaddrinfo("example.org", "443", &hints, &found);
 *     if (rc < 0)
 *         return rc;
 *     for (size_t i = 0; i < found.count; i++)
 *         show(&found.items[i]);
 *     anyc_freeaddrinfo(&found);
 */
#ifndef ANYC_DNS_H
#define ANYC_DNS_H

#include <sys/socket.h>
#include <sys/types.h>

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What to look for; all zero means everything. The values are those of <netdb.h>. */
typedef struct anyc_getaddrinfo_hints {
    int family;   /* AF_INET, AF_INET6; 0: any */
    int type;     /* SOCK_STREAM, SOCK_DGRAM ...; 0: any */
    int protocol; /* IPPROTO_TCP ...; 0: any */
    int flags;    /* AI_PASSIVE, AI_CANONNAME ... */
} anyc_getaddrinfo_hints;

/** One way to reach a host: what to give to socket(2), and to connect(2) or bind(2). */
typedef struct anyc_addrinfo {
    int family;
    int type;
    int protocol;
    socklen_t address_len;
    const char *canonical_name; /* asked for with AI_CANONNAME, in the first entry; else "" */
    struct sockaddr_storage address;
} anyc_addrinfo;

/** What a look-up found, best first; free it with anyc_freeaddrinfo. */
typedef struct anyc_addrinfo_list {
    anyc_addrinfo *items; /* NULL if count is 0 */
    size_t count;
} anyc_addrinfo_list;

/**
 * Look up the addresses of a host and a service.
 *
 * A name beyond ASCII is UTF-8 and is looked up in its IDNA 2008 form (UTS 46, non-transitional).
 * ASCII names and literal addresses ("192.0.2.1", "fe80::1%eth0") go to the system untouched.
 * Entries that cannot be used (of a family that is switched off) are left out.
 *
 * @param host      name or literal address; NULL: this machine (see AI_PASSIVE)
 * @param service   name or decimal port; NULL: port 0
 * @param hints     NULL or zero fields: everything
 * @param out_list  what was found, maybe nothing
 *
 * Returns: 0, or
 *   ANYC_EAI(code)   what the system's resolver said: ANYC_EAI(EAI_NONAME) for an unknown host,
 *                    ANYC_EAI(EAI_AGAIN), ANYC_EAI(EAI_SERVICE) ...; the errno behind
 *                    ANYC_EAI(EAI_SYSTEM) is in anyc_last_error()
 *   ANYC_EENCODE     the name has no IDNA form
 *   ANYC_ECANCELLED  the enclosing scope was cancelled
 *   ANYC_ENOLOOP     not called from a task
 *   ANYC_ENOMEM      out of memory
 *   -EAGAIN          the system refused a worker thread, and there was none yet
 * Owns:    `host` and `service` are copied. The list is the caller's.
 * Cancel:  checkpoint. The look-up itself goes on in its thread and its outcome is dropped.
 * Threads: tasks only. At most 40 look-ups are at work at once in a run, the others wait; other
 *          worker threads are not affected by slow ones.
 * AnyIO:   getaddrinfo.
 */
ANYC_MUST_USE ANYC_API int anyc_getaddrinfo(const char *host, const char *service,
                                            const anyc_getaddrinfo_hints *hints,
                                            anyc_addrinfo_list *out_list);

/**
 * Free what anyc_getaddrinfo found.
 *
 * @param list  of a look-up, or all zero; is empty afterwards
 *
 * Owns:    frees the entries; the struct itself is the caller's.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_freeaddrinfo(anyc_addrinfo_list *list);

/**
 * Look up the names of a socket address.
 *
 * @param address       the address
 * @param address_len   bytes
 * @param flags         NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD ... of <netdb.h>
 * @param out_host      the host's name, or its address as text if it has none; may be NULL
 * @param host_size     room in `out_host`, bytes; NI_MAXHOST always suffices
 * @param out_service   the service's name, or the port as text; may be NULL
 * @param service_size  room in `out_service`, bytes; NI_MAXSERV always suffices
 *
 * Returns: 0, or
 *   ANYC_EAI(code)   what the system's resolver said: ANYC_EAI(EAI_FAMILY) for an address that is
 *                    not one, ANYC_EAI(EAI_OVERFLOW) if a name does not fit ...
 *   ANYC_ECANCELLED  the enclosing scope was cancelled
 *   ANYC_ENOLOOP     not called from a task
 *   ANYC_ENOMEM      out of memory
 *   -EAGAIN          the system refused a worker thread, and there was none yet
 * Owns:    `address` is copied; the texts are unchanged on error.
 * Cancel:  checkpoint. The look-up itself goes on in its thread and its outcome is dropped.
 * Threads: tasks only; see anyc_getaddrinfo.
 * AnyIO:   getnameinfo.
 */
ANYC_MUST_USE ANYC_API int anyc_getnameinfo(const struct sockaddr *address, socklen_t address_len,
                                            int flags, char *out_host, size_t host_size,
                                            char *out_service, size_t service_size);

#ifdef __cplusplus
}
#endif

#endif
