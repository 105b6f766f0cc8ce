/* SPDX-License-Identifier: MIT */
/*
 * test_list.c - intrusive rings (WHITEBOX).
 */
#include <check.h>

#include <anyc/testing.h>

#include "core/list.h"

#define NODES 4

/* The list holds these nodes, in this order; their numbers end with -1. */
static void check_order(const anyc_list *head, const anyc_list *nodes, const int *numbers)
{
    const anyc_list *node = anyc__list_first(head);

    for (; *numbers >= 0; numbers++) {
        ck_assert_ptr_eq(node, &nodes[*numbers]);
        ck_assert(anyc__list_linked(node));
        ck_assert_ptr_eq(node->prev->next, node);
        node = anyc__list_after(head, node);
    }
    ck_assert_ptr_null(node);
}

ANYC_TEST_PLAIN(test_list__all_zero_is_empty)
{
    anyc_list head = {0};
    anyc_list node = {0};

    ck_assert(anyc__list_empty(&head));
    ck_assert_ptr_null(anyc__list_first(&head));
    ck_assert_ptr_null(anyc__list_pop(&head));
    ck_assert(!anyc__list_linked(&node));
    anyc__list_init(&head);
    ck_assert(anyc__list_empty(&head));
}

ANYC_TEST_PLAIN(test_list__keeps_the_order_of_insertion)
{
    anyc_list head = {0};
    anyc_list nodes[NODES] = {{0}};

    anyc__list_push(&head, &nodes[1]);
    anyc__list_push(&head, &nodes[2]);
    anyc__list_push_front(&head, &nodes[0]);
    anyc__list_push(&nodes[2], &nodes[3]); /* before it */
    check_order(&head, nodes, (const int[]){0, 1, 3, 2, -1});
}

ANYC_TEST_PLAIN(test_list__begins_with_a_push_to_the_front)
{
    anyc_list head = {0};
    anyc_list nodes[NODES] = {{0}};

    anyc__list_push_front(&head, &nodes[1]);
    anyc__list_push_front(&head, &nodes[0]);
    check_order(&head, nodes, (const int[]){0, 1, -1});
}

ANYC_TEST_PLAIN(test_list__forgets_what_is_removed)
{
    anyc_list head = {0};
    anyc_list nodes[NODES] = {{0}};

    for (int i = 0; i < NODES; i++)
        anyc__list_push(&head, &nodes[i]);
    anyc__list_remove(&nodes[2]);
    ck_assert(!anyc__list_linked(&nodes[2]));
    check_order(&head, nodes, (const int[]){0, 1, 3, -1});
    ck_assert_ptr_eq(anyc__list_pop(&head), &nodes[0]);
    ck_assert(!anyc__list_linked(&nodes[0]));
    anyc__list_push(&head, &nodes[0]);
    check_order(&head, nodes, (const int[]){1, 3, 0, -1});
    while (anyc__list_pop(&head) != NULL)
        continue;
    ck_assert(anyc__list_empty(&head));
}

ANYC_TEST_PLAIN(test_list__moves_to_another_head)
{
    anyc_list from = {0};
    anyc_list to;
    anyc_list nodes[NODES] = {{0}};

    anyc__list_move(&to, &from);
    ck_assert(anyc__list_empty(&to));
    for (int i = 0; i < NODES; i++)
        anyc__list_push(&from, &nodes[i]);
    anyc__list_move(&to, &from);
    ck_assert(anyc__list_empty(&from));
    check_order(&to, nodes, (const int[]){0, 1, 2, 3, -1});
    anyc__list_remove(&nodes[3]);
    anyc__list_push(&from, &nodes[3]);
    check_order(&to, nodes, (const int[]){0, 1, 2, -1});
    check_order(&from, nodes, (const int[]){3, -1});
}
