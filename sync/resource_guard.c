/* SPDX-License-Identifier: MIT */
/*
 * resource_guard.c - refuse a second user. AnyIO: anyio.ResourceGuard.
 */
#include <anyc/resource_guard.h>

#include "core/assert.h"
#include "core/error.h"

int anyc_resource_guard_enter(anyc_resource_guard *guard)
{
    if (guard->guarded)
        return anyc__fail(ANYC_EBUSY, 0, "another task is already %s this resource",
                          guard->action != NULL ? guard->action : "using");
    guard->guarded = true;
    return 0;
}

void anyc_resource_guard_exit(anyc_resource_guard *guard)
{
    ANYC_ASSERT(guard->guarded);
    guard->guarded = false;
}
