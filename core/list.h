/* SPDX-License-Identifier: MIT */
/*
 * list.h - intrusive rings.
 *
 * A head and a node have the same type. Invariants: a ring that was initialised satisfies
 * n->next->prev == n for every n; an unlinked node has next == NULL; a head that is all zero counts
 * as empty (so that structs initialised to zero need no init call), and the first insert
 * initialises it.
 */
#ifndef ANYC_CORE_LIST_H
#define ANYC_CORE_LIST_H

#include <anyc/base.h>

#include "core/assert.h"

/* On the hot paths, where the compiler would rather save code; and beside them, where it would not. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NEVER_INLINE __attribute__((noinline))
#define WITH_ALL_IT_CALLS __attribute__((flatten)) /* inlined, that is */
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ANYC__CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void anyc__list_init(anyc_list *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool anyc__list_empty(const anyc_list *head)
{
    return head->next == NULL || head->next == head;
}

static inline bool anyc__list_linked(const anyc_list *node)
{
    return node->next != NULL;
}

/* Insert before `position`: with a head, at the tail. */
static inline void anyc__list_push(anyc_list *position, anyc_list *node)
{
    ANYC_ASSERT(!anyc__list_linked(node));
    if (position->next == NULL)
        anyc__list_init(position);
    node->next = position;
    node->prev = position->prev;
    position->prev->next = node;
    position->prev = node;
}

static inline void anyc__list_push_front(anyc_list *head, anyc_list *node)
{
    if (head->next == NULL)
        anyc__list_init(head);
    anyc__list_push(head->next, node);
}

static inline void anyc__list_remove(anyc_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = NULL;
    node->prev = NULL;
}

static inline anyc_list *anyc__list_first(const anyc_list *head)
{
    return anyc__list_empty(head) ? NULL : head->next;
}

/* The node after `node`, or NULL at the end. */
static inline anyc_list *anyc__list_after(const anyc_list *head, const anyc_list *node)
{
    return node->next == head ? NULL : node->next;
}

static inline anyc_list *anyc__list_pop(anyc_list *head)
{
    anyc_list *node = anyc__list_first(head);

    if (node != NULL)
        anyc__list_remove(node);
    return node;
}

/* Move all nodes of `from` to the empty `to`, so that a walk is safe against changes of `from`. */
static inline void anyc__list_move(anyc_list *to, anyc_list *from)
{
    anyc__list_init(to);
    if (anyc__list_empty(from))
        return;
    to->next = from->next;
    to->prev = from->prev;
    to->next->prev = to;
    to->prev->next = to;
    anyc__list_init(from);
}

#endif
