/* SPDX-License-Identifier: MIT */
/*
 * timer.c - the timer wheel; its invariants stand in timer.h.
 */
#include "core/timer.h"

#include "core/list.h"

#define DIGIT_BITS 6
#define SHORT_RING 8 /* so many timers are looked at one by one for the exact next deadline */

static unsigned lowest_bit(uint64_t bits)
{
    return (unsigned)__builtin_ctzll(bits);
}

void anyc__timer_add(struct timer_wheel *wheel, struct timer *timer)
{
    uint64_t now = (uint64_t)wheel->now_ns;
    uint64_t key = timer->deadline_ns > wheel->now_ns ? (uint64_t)timer->deadline_ns : now;
    unsigned level = key == now ? 0 : (63 - (unsigned)__builtin_clzll(key ^ now)) / DIGIT_BITS;
    unsigned slot = (key >> (level * DIGIT_BITS)) & (ANYC__TIMER_SLOTS - 1);
    anyc_list *head = &wheel->slots[level][slot];

    if ((wheel->occupied[level] & (UINT64_C(1) << slot)) == 0) {
        anyc__list_init(head);
        wheel->occupied[level] |= UINT64_C(1) << slot;
        wheel->levels |= 1U << level;
    }
    anyc__list_push(head, &timer->link);
    wheel->count++;
}

void anyc__timer_remove(struct timer_wheel *wheel, struct timer *timer)
{
    anyc_list *head = timer->link.next;
    size_t index;

    if (head == NULL)
        return;
    wheel->count--;
    anyc__list_remove(&timer->link);
    if (head->next != head)
        return;
    /* only a head can be alone in its ring: the slot has become empty */
    index = (size_t)(head - &wheel->slots[0][0]);
    wheel->occupied[index / ANYC__TIMER_SLOTS] &= ~(UINT64_C(1) << (index % ANYC__TIMER_SLOTS));
    if (wheel->occupied[index / ANYC__TIMER_SLOTS] == 0)
        wheel->levels &= ~(1U << (index / ANYC__TIMER_SLOTS));
}

/* First moment of a slot, given the digits of now_ns above its level. */
static int64_t slot_start(const struct timer_wheel *wheel, unsigned level, unsigned slot)
{
    unsigned shift = (level + 1) * DIGIT_BITS;
    uint64_t above = shift < 64 ? (uint64_t)wheel->now_ns >> shift << shift : 0;

    return (int64_t)(above | (uint64_t)slot << (level * DIGIT_BITS));
}

/* Move the timers of a slot to the levels below, now that now_ns has reached its start. */
static void cascade(struct timer_wheel *wheel, unsigned level, unsigned slot)
{
    anyc_list ring;
    anyc_list *node;

    anyc__list_move(&ring, &wheel->slots[level][slot]);
    wheel->occupied[level] &= ~(UINT64_C(1) << slot);
    if (wheel->occupied[level] == 0)
        wheel->levels &= ~(1U << level);
    while ((node = anyc__list_pop(&ring)) != NULL) {
        wheel->count--;
        anyc__timer_add(wheel, ANYC__CONTAINER(node, struct timer, link));
    }
}

struct timer *anyc__timer_expire(struct timer_wheel *wheel, int64_t now_ns)
{
    while (wheel->levels != 0) {
        unsigned level = lowest_bit(wheel->levels);
        unsigned slot = lowest_bit(wheel->occupied[level]);
        int64_t start = slot_start(wheel, level, slot);

        if (start > now_ns)
            break;
        if (start > wheel->now_ns)
            wheel->now_ns = start;
        if (level == 0) {
            struct timer *timer = ANYC__CONTAINER(wheel->slots[0][slot].next, struct timer, link);

            anyc__timer_remove(wheel, timer);
            return timer;
        }
        cascade(wheel, level, slot);
    }
    if (now_ns > wheel->now_ns)
        wheel->now_ns = now_ns;
    return NULL;
}

int64_t anyc__timer_next(const struct timer_wheel *wheel)
{
    unsigned level, slot, seen = 0;
    const anyc_list *head, *node;
    int64_t earliest = ANYC__NO_DEADLINE;

    if (wheel->levels == 0)
        return ANYC__NO_DEADLINE;
    level = lowest_bit(wheel->levels);
    slot = lowest_bit(wheel->occupied[level]);
    head = &wheel->slots[level][slot];
    for (node = head->next; node != head; node = node->next) {
        int64_t deadline = ANYC__CONTAINER(node, struct timer, link)->deadline_ns;

        if (++seen > SHORT_RING)
            return slot_start(wheel, level, slot);
        if (deadline < earliest)
            earliest = deadline;
    }
    return earliest;
}
