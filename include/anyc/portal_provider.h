/* SPDX-License-Identifier: MIT */
/*
 * portal_provider.h - one blocking portal for several threads, there while any of them needs it.
 *
 *     // at the start of the program
 *     rc = anyc_blocking_portal_provider_create(NULL, NULL, &provider);
 *
 *     // in any thread, at any time
 *     rc = anyc_blocking_portal_provider_enter(provider, &portal);
 *     if (rc == 0) {
 *         rc = anyc_blocking_portal_call(portal, fetch, &page, NULL);
 *         anyc_blocking_portal_provider_exit(provider);
 *     }
 */
#ifndef ANYC_PORTAL_PROVIDER_H
#define ANYC_PORTAL_PROVIDER_H

#include <anyc/portal.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Starts a portal for the first that enters, and ends it after the last that leaves. */
typedef struct anyc_blocking_portal_provider anyc_blocking_portal_provider;

/**
 * Make a provider. No loop is started yet.
 *
 * @param backend       its name, or NULL: as for anyc_run; copied
 * @param options       as for anyc_start_blocking_portal; `name` is copied, the other pointers are
 *                      borrowed as long as the provider is there
 * @param out_provider  the provider
 *
 * Returns: 0, or ANYC_ENOMEM.
 * Owns:    free it with anyc_blocking_portal_provider_destroy.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   BlockingPortalProvider (4.4).
 */
ANYC_API int anyc_blocking_portal_provider_create(const char *backend,
                                                  const anyc_start_blocking_portal_options *options,
                                                  anyc_blocking_portal_provider **out_provider);

/**
 * Free a provider that nobody is in.
 *
 * @param provider  NULL is fine
 *
 * Owns:    takes the provider.
 * Cancel:  never suspends.
 * Threads: any thread, when no other one uses the provider.
 * AnyIO:   the end of its life.
 */
ANYC_API void anyc_blocking_portal_provider_destroy(anyc_blocking_portal_provider *provider);

/**
 * Get the portal; the first one starts it, and the others wait meanwhile.
 *
 * @param provider    the provider
 * @param out_portal  the portal
 *
 * Returns: as anyc_start_blocking_portal; a failure counts as not having entered.
 * Owns:    the portal is borrowed until the exit.
 * Cancel:  may block this thread until the loop runs.
 * Threads: any thread.
 * AnyIO:   BlockingPortalProvider.__enter__.
 */
ANYC_API int anyc_blocking_portal_provider_enter(anyc_blocking_portal_provider *provider,
                                                 anyc_blocking_portal **out_portal);

/**
 * Leave; the last one stops the portal, waits for what was called through it, and for its thread.
 *
 * @param provider  entered
 *
 * Owns:    gives the portal back.
 * Cancel:  may block this thread until all that was called has ended.
 * Threads: any thread but the portal's own.
 * AnyIO:   BlockingPortalProvider.__exit__.
 */
ANYC_API void anyc_blocking_portal_provider_exit(anyc_blocking_portal_provider *provider);

#ifdef __cplusplus
}
#endif

#endif
