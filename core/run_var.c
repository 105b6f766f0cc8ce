/* SPDX-License-Identifier: MIT */
/*
 * run_var.c - variables with one value for each run. AnyIO: anyio.lowlevel.RunVar.
 *
 * A hash table in the loop, from the variable's address to its value; open addressing with linear
 * probing. Invariant: at most 3/4 of the slots hold a variable; a variable that was reset to
 * "no value" keeps its slot.
 */
#include <anyc/lowlevel.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"

struct run_var_slot {
    const anyc_run_var *var; /* NULL: free */
    void *value;
    bool is_set;
};

struct run_var_table {
    size_t size; /* a power of two */
    size_t count;
    struct run_var_slot *slots;
};

static void table_end(anyc_loop *loop, void *local)
{
    struct run_var_table *table = local;

    (void)loop;
    anyc__free(table->slots);
    anyc__free(table);
}

/* The variable's slot, or the free one where it belongs. */
static struct run_var_slot *slot_find(const struct run_var_table *table, const anyc_run_var *var)
{
    uint64_t hash = (uint64_t)(uintptr_t)var * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(hash >> 32) & (table->size - 1);

    while (table->slots[i].var != NULL && table->slots[i].var != var)
        i = (i + 1) & (table->size - 1);
    return &table->slots[i];
}

static bool table_grow(struct run_var_table *table)
{
    struct run_var_table bigger = {.size = table->size > 0 ? table->size * 2 : 8};
    size_t i;

    bigger.slots = anyc__zalloc(bigger.size * sizeof *bigger.slots);
    if (bigger.slots == NULL)
        return false;
    for (i = 0; i < table->size; i++) {
        if (table->slots[i].var != NULL)
            *slot_find(&bigger, table->slots[i].var) = table->slots[i];
    }
    anyc__free(table->slots);
    table->slots = bigger.slots;
    table->size = bigger.size;
    return true;
}

static struct run_var_table *table_of(anyc_loop *loop)
{
    struct run_var_table *table = loop->locals[LOOP_LOCAL_RUN_VARS];

    if (table == NULL) {
        table = anyc__zalloc(sizeof *table);
        if (table != NULL)
            anyc__loop_set_local(loop, LOOP_LOCAL_RUN_VARS, table, table_end);
    }
    return table;
}

/* The slot of a variable of this run, made if need be; NULL without memory. */
static struct run_var_slot *slot_make(anyc_loop *loop, const anyc_run_var *var)
{
    struct run_var_table *table = table_of(loop);
    struct run_var_slot *slot;

    if (table == NULL || (table->size == 0 && !table_grow(table)))
        return NULL;
    slot = slot_find(table, var);
    if (slot->var == var)
        return slot;
    if ((table->count + 1) * 4 > table->size * 3) {
        if (!table_grow(table))
            return NULL;
        slot = slot_find(table, var);
    }
    slot->var = var;
    table->count++;
    return slot;
}

int anyc_run_var_get(const anyc_run_var *var, void **out_value)
{
    const struct run_var_table *table;
    const struct run_var_slot *slot = NULL;

    if (anyc__loop == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    table = anyc__loop->locals[LOOP_LOCAL_RUN_VARS];
    if (table != NULL && table->size > 0)
        slot = slot_find(table, var);
    if (slot != NULL && slot->is_set)
        *out_value = slot->value;
    else if (var->has_default)
        *out_value = var->fallback;
    else
        return anyc__fail(ANYC_ENOTFOUND, 0, "run variable \"%s\" has no value and no default",
                          var->name != NULL ? var->name : "");
    return 0;
}

int anyc_run_var_set(const anyc_run_var *var, void *value, anyc_run_var_token *out_token)
{
    struct run_var_slot *slot;

    if (anyc__loop == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    slot = slot_make(anyc__loop, var);
    if (slot == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    if (out_token != NULL)
        *out_token = (anyc_run_var_token){var, slot->value, anyc__loop->run_id, slot->is_set};
    slot->value = value;
    slot->is_set = true;
    return 0;
}

int anyc_run_var_reset(const anyc_run_var *var, anyc_run_var_token *token)
{
    struct run_var_slot *slot;

    if (anyc__loop == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    if (token->var != var)
        return anyc__fail(ANYC_ESTATE, 0, "the token belongs to another run variable");
    if (token->run != anyc__loop->run_id)
        return anyc__fail(ANYC_ESTATE, 0, "the token was used before, or belongs to another run");
    slot = slot_make(anyc__loop, var); /* exists: it was set in this run */
    slot->value = token->previous;
    slot->is_set = token->had_previous;
    token->run = 0;
    return 0;
}
