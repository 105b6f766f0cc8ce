/* SPDX-License-Identifier: MIT */
/*
 * borrowers.h - the set of those who hold a token of a capacity limiter.
 *
 * A dense list, so that statistics can hand it out, and beyond eight entries an index over it: a
 * hash table with open addressing, at most half full, whose slots hold the position in the list
 * plus one, 0 when free. List and index are one block that only grows.
 */
#ifndef ANYC_SYNC_BORROWERS_H
#define ANYC_SYNC_BORROWERS_H

#include <anyc/capacity_limiter.h>

static inline const anyc_borrower *anyc__borrowers_list(const anyc_capacity_limiter *limiter)
{
    return limiter->capacity == 0 ? limiter->few : limiter->many;
}

bool anyc__borrowers_has(const anyc_capacity_limiter *limiter, anyc_borrower borrower);

/* Make room for so many in all. Answers 0, or ANYC_ENOMEM with nothing changed. */
int anyc__borrowers_reserve(anyc_capacity_limiter *limiter, size_t count);

/* Add one that is not there yet; there must be room. */
void anyc__borrowers_add(anyc_capacity_limiter *limiter, anyc_borrower borrower);

/* Answers false if it was not there. */
bool anyc__borrowers_remove(anyc_capacity_limiter *limiter, anyc_borrower borrower);

#endif
