/* SPDX-License-Identifier: MIT */
/*
 * connectable.h - what the kinds of connectables have in common.
 */
#ifndef ANYC_NET_CONNECTABLE_H
#define ANYC_NET_CONNECTABLE_H

#include <anyc/connectable.h>
#include <anyc/error.h>

/* Does the error say that the target cannot be reached, so that it becomes ANYC_ECONNECT? */
static inline bool anyc__connectable_unreachable(int rc)
{
    return rc < 0 && rc != ANYC_ECANCELLED && rc != ANYC_ENOLOOP && rc != ANYC_ENOMEM;
}

#endif
