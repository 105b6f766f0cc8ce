/* SPDX-License-Identifier: MIT */
/*
 * getnameinfo.c - names of an address. AnyIO: getnameinfo.
 *
 * As in getaddrinfo.c the system's function runs in a worker thread with copies of its arguments,
 * unless only numbers are asked for.
 */
#include "net/resolver.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "net/address.h"
#include "threads/worker_pool.h"

#include <string.h>

/* A look-up, in a worker thread or at once. */
struct name_lookup {
    struct worker_job job; /* its result is the EAI code */
    int flags;
    int os_error;        /* behind EAI_SYSTEM */
    socklen_t host_size; /* of `host`; 0: not asked for */
    socklen_t service_size;
    socklen_t address_len;
    struct sockaddr_storage address;
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];
};

static struct name_lookup *name_lookup_of(struct worker_job *job)
{
    return ANYC__CONTAINER(job, struct name_lookup, job);
}

static int name_lookup_fn(struct worker_job *job)
{
    struct name_lookup *lookup = name_lookup_of(job);
    int eai = anyc__resolver_hooks.getnameinfo(
        (const struct sockaddr *)&lookup->address, lookup->address_len,
        lookup->host_size > 0 ? lookup->host : NULL, lookup->host_size,
        lookup->service_size > 0 ? lookup->service : NULL, lookup->service_size, lookup->flags);

    lookup->os_error = eai == EAI_SYSTEM ? errno : 0;
    return eai;
}

static void name_lookup_dispose(struct worker_job *job)
{
    anyc__free(name_lookup_of(job));
}

static bool name_lookup_is_numeric(const struct name_lookup *lookup)
{
    return (lookup->host_size == 0 || (lookup->flags & NI_NUMERICHOST) != 0) &&
           (lookup->service_size == 0 || (lookup->flags & NI_NUMERICSERV) != 0);
}

/* Runs it, and takes it unless that succeeds. */
static int name_lookup_run(anyc_task *task, struct name_lookup *lookup)
{
    if (!name_lookup_is_numeric(lookup))
        return anyc__worker_run(task, &lookup->job);
    lookup->job.result = name_lookup_fn(&lookup->job);
    return 0;
}

static int name_lookup_fail(const struct name_lookup *lookup, int eai)
{
    char what[ANYC__ADDRESS_TEXT_SIZE];

    anyc__address_format((const struct sockaddr *)&lookup->address, lookup->address_len, what,
                         sizeof what);
    return anyc__resolver_fail(eai, lookup->os_error, what);
}

/* Hands the texts over; neither is touched unless both fit. */
static int name_lookup_result(const struct name_lookup *lookup, char *out_host, size_t host_size,
                              char *out_service, size_t service_size)
{
    size_t host_len = strlen(lookup->host);
    size_t service_len = strlen(lookup->service);

    if (lookup->job.result != 0)
        return name_lookup_fail(lookup, lookup->job.result);
    if ((out_host != NULL && host_len >= host_size) ||
        (out_service != NULL && service_len >= service_size))
        return name_lookup_fail(lookup, EAI_OVERFLOW);
    if (out_host != NULL)
        memcpy(out_host, lookup->host, host_len + 1);
    if (out_service != NULL)
        memcpy(out_service, lookup->service, service_len + 1);
    return 0;
}

int anyc_getnameinfo(const struct sockaddr *address, socklen_t address_len, int flags,
                     char *out_host, size_t host_size, char *out_service, size_t service_size)
{
    struct name_lookup *lookup;
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    if (address == NULL || address_len > sizeof lookup->address)
        return anyc__resolver_fail(EAI_FAMILY, 0, "an address that is not one");
    lookup = anyc__zalloc(sizeof *lookup);
    if (lookup == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    lookup->job.fn = name_lookup_fn;
    lookup->job.dispose = name_lookup_dispose;
    lookup->job.kind = WORKER_LOOKUPS;
    lookup->flags = flags;
    lookup->host_size = out_host == NULL ? 0 : sizeof lookup->host;
    lookup->service_size = out_service == NULL ? 0 : sizeof lookup->service;
    lookup->address_len = address_len;
    memcpy(&lookup->address, address, address_len);
    rc = name_lookup_run(task, lookup);
    if (rc < 0)
        return rc;
    rc = name_lookup_result(lookup, out_host, host_size, out_service, service_size);
    name_lookup_dispose(&lookup->job);
    return rc;
}
