/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo.c - addresses of a host. AnyIO: getaddrinfo.
 *
 * The system's function runs in a worker thread, with copies of its arguments, so that a cancelled
 * task need not wait for it. A literal address with a decimal port costs the system no look-up and
 * is read at once.
 */
#include "net/resolver.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/idna.h"
#include "net/address.h"
#include "threads/worker_pool.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUP_DIGITS "0123456789"
#define LOOKUP_PORT_MAX 65535

/* A look-up in a worker thread. */
struct lookup {
    struct worker_job job; /* its result is the EAI code */
    struct addrinfo hints;
    struct addrinfo *found; /* the system's; NULL: nothing */
    int os_error;           /* behind EAI_SYSTEM */
    const char *host;       /* in `text`, or NULL */
    const char *service;    /* in `text`, or NULL */
    char text[];
};

static struct lookup *lookup_of(struct worker_job *job)
{
    return ANYC__CONTAINER(job, struct lookup, job);
}

/* Is the entry whole, of a kind that can be used? Some systems list an address of a family that is
 * switched off in a form of their own. */
static bool lookup_is_usable(const struct addrinfo *entry)
{
    size_t least = sizeof(sa_family_t);

    if (entry->ai_family == AF_INET)
        least = sizeof(struct sockaddr_in);
    else if (entry->ai_family == AF_INET6)
        least = sizeof(struct sockaddr_in6);
    return entry->ai_addr != NULL && entry->ai_addrlen >= least &&
           entry->ai_addrlen <= sizeof(struct sockaddr_storage) &&
           entry->ai_addr->sa_family == entry->ai_family;
}

static size_t lookup_name_size(const struct addrinfo *entry)
{
    return entry->ai_canonname == NULL ? 0 : strlen(entry->ai_canonname) + 1;
}

/* Copies one entry; its name goes to `text`. Answers the rest of `text`. */
static char *lookup_copy_entry(const struct addrinfo *entry, anyc_addrinfo *out_item, char *text)
{
    size_t name_size = lookup_name_size(entry);

    *out_item = (anyc_addrinfo){
        .family = entry->ai_family,
        .type = entry->ai_socktype,
        .protocol = entry->ai_protocol,
        .address_len = entry->ai_addrlen,
        .canonical_name = "",
    };
    memcpy(&out_item->address, entry->ai_addr, entry->ai_addrlen);
    if (name_size > 0) {
        memcpy(text, entry->ai_canonname, name_size);
        out_item->canonical_name = text;
    }
    return text + name_size;
}

/* Copies what can be used of the system's list: the items, and their names behind them. */
static int lookup_copy(const struct addrinfo *found, anyc_addrinfo_list *out_list)
{
    anyc_addrinfo *items = NULL;
    size_t names_size = 0;
    size_t count = 0;
    char *text;

    for (const struct addrinfo *entry = found; entry != NULL; entry = entry->ai_next) {
        if (!lookup_is_usable(entry))
            continue;
        names_size += lookup_name_size(entry);
        count++;
    }
    if (count == 0) {
        *out_list = (anyc_addrinfo_list){0};
        return 0;
    }
    items = anyc__alloc(count * sizeof *items + names_size);
    if (items == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    text = (char *)(items + count);
    *out_list = (anyc_addrinfo_list){items, count};
    for (const struct addrinfo *entry = found; entry != NULL; entry = entry->ai_next) {
        if (lookup_is_usable(entry))
            text = lookup_copy_entry(entry, items++, text);
    }
    return 0;
}

/* Calls the system, in whichever thread this is. */
static int lookup_call(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out_found, int *out_os_error)
{
    int eai = anyc__resolver_hooks.getaddrinfo(host, service, hints, out_found);

    *out_os_error = eai == EAI_SYSTEM ? errno : 0;
    if (eai != 0)
        *out_found = NULL;
    return eai;
}

static void lookup_free_found(struct addrinfo *found)
{
    if (found != NULL)
        anyc__resolver_hooks.freeaddrinfo(found);
}

static int lookup_fail(int eai, int os_error, const char *host, const char *service)
{
    const char *what = eai == EAI_SERVICE || host == NULL ? service : host;

    return anyc__resolver_fail(eai, os_error, what == NULL ? "no host and no service" : what);
}

static int lookup_at_once(const char *host, const char *service, const struct addrinfo *hints,
                          anyc_addrinfo_list *out_list)
{
    struct addrinfo numeric = *hints;
    struct addrinfo *found = NULL;
    int os_error;
    int eai;
    int rc;

    numeric.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
    eai = lookup_call(host, service, &numeric, &found, &os_error);
    if (eai != 0)
        return lookup_fail(eai, os_error, host, service);
    rc = lookup_copy(found, out_list);
    lookup_free_found(found);
    return rc;
}

static int lookup_fn(struct worker_job *job)
{
    struct lookup *lookup = lookup_of(job);

    return lookup_call(lookup->host, lookup->service, &lookup->hints, &lookup->found,
                       &lookup->os_error);
}

static void lookup_dispose(struct worker_job *job)
{
    struct lookup *lookup = lookup_of(job);

    lookup_free_found(lookup->found);
    anyc__free(lookup);
}

/* A look-up with copies of both texts; NULL without memory. */
static struct lookup *lookup_create(const char *host, const char *service,
                                    const struct addrinfo *hints)
{
    size_t host_size = host == NULL ? 0 : strlen(host) + 1;
    size_t service_size = service == NULL ? 0 : strlen(service) + 1;
    struct lookup *lookup = anyc__zalloc(sizeof *lookup + host_size + service_size);

    if (lookup == NULL)
        return NULL;
    lookup->job.fn = lookup_fn;
    lookup->job.dispose = lookup_dispose;
    lookup->job.kind = WORKER_LOOKUPS;
    lookup->hints = *hints;
    if (host != NULL)
        lookup->host = memcpy(lookup->text, host, host_size);
    if (service != NULL)
        lookup->service = memcpy(lookup->text + host_size, service, service_size);
    return lookup;
}

static int lookup_in_thread(anyc_task *task, const char *host, const char *service,
                            const struct addrinfo *hints, anyc_addrinfo_list *out_list)
{
    struct lookup *lookup = lookup_create(host, service, hints);
    int rc;

    if (lookup == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = anyc__worker_run(task, &lookup->job);
    if (rc < 0)
        return rc;
    if (lookup->job.result != 0)
        rc = lookup_fail(lookup->job.result, lookup->os_error, host, service);
    else
        rc = lookup_copy(lookup->found, out_list);
    lookup_dispose(&lookup->job);
    return rc;
}

static int lookup_encoded(anyc_task *task, const char *host, const char *service,
                          const struct addrinfo *hints, anyc_addrinfo_list *out_list)
{
    const char *name = NULL;
    char *owned = NULL;
    int rc = host == NULL ? 0 : anyc__idna_encode(host, &name, &owned);

    if (rc < 0)
        return rc;
    rc = lookup_in_thread(task, name, service, hints, out_list);
    anyc__free(owned);
    return rc;
}

static bool lookup_is_decimal(const char *service)
{
    return service[0] != '\0' && service[strspn(service, LOOKUP_DIGITS)] == '\0';
}

/* Can the system answer without looking anything up? */
static bool lookup_is_literal(const char *host, const char *service, int flags)
{
    struct sockaddr_storage address;
    socklen_t len;

    if (host == NULL)
        return false;
    if (service != NULL && (flags & AI_NUMERICSERV) == 0 && !lookup_is_decimal(service))
        return false;
    return (flags & AI_NUMERICHOST) != 0 || anyc__address_parse(host, 0, &address, &len);
}

int anyc_getaddrinfo(const char *host, const char *service, const anyc_getaddrinfo_hints *hints,
                     anyc_addrinfo_list *out_list)
{
    struct addrinfo system_hints = {0};
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    if (hints != NULL) {
        system_hints.ai_family = hints->family;
        system_hints.ai_socktype = hints->type;
        system_hints.ai_protocol = hints->protocol;
        system_hints.ai_flags = hints->flags;
    }
    if (service != NULL && lookup_is_decimal(service) &&
        strtoull(service, NULL, 10) > LOOKUP_PORT_MAX)
        return lookup_fail(EAI_SERVICE, 0, host, service); /* the system would cut it to 16 bits */
    if (lookup_is_literal(host, service, system_hints.ai_flags))
        return lookup_at_once(host, service, &system_hints, out_list);
    return lookup_encoded(task, host, service, &system_hints, out_list);
}

void anyc_freeaddrinfo(anyc_addrinfo_list *list)
{
    anyc__free(list->items);
    *list = (anyc_addrinfo_list){0};
}
