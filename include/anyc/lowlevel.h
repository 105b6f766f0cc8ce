/* SPDX-License-Identifier: MIT */
/*
 * lowlevel.h - checkpoints, and variables of a run.
 */
#ifndef ANYC_LOWLEVEL_H
#define ANYC_LOWLEVEL_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Let other tasks run, and meet a cancellation.
 *
 * Returns: 0, or
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    nothing.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   lowlevel.checkpoint.
 */
ANYC_API int anyc_checkpoint(void);

/**
 * Meet a cancellation, without letting others run otherwise.
 *
 * Returns: 0, ANYC_ECANCELLED or ANYC_ENOLOOP.
 * Owns:    nothing.
 * Cancel:  checkpoint that does not suspend.
 * Threads: tasks only.
 * AnyIO:   lowlevel.checkpoint_if_cancelled.
 */
ANYC_API int anyc_checkpoint_if_cancelled(void);

/**
 * Let other tasks run, without meeting a cancellation.
 *
 * Returns: 0, or ANYC_ENOLOOP.
 * Owns:    nothing.
 * Cancel:  shielded.
 * Threads: tasks only.
 * AnyIO:   lowlevel.cancel_shielded_checkpoint.
 */
ANYC_API int anyc_cancel_shielded_checkpoint(void);

/** A variable with one value for each run. All fields are private; its address is its identity. */
typedef struct anyc_run_var {
    const char *name;
    void *fallback;
    bool has_default;
} anyc_run_var;

/** A variable without a default, and one with. */
#define ANYC_RUN_VAR_INIT(name) \
    {                           \
        (name), NULL, false     \
    }
#define ANYC_RUN_VAR_INIT_DEFAULT(name, value) \
    {                                          \
        (name), (value), true                  \
    }

/** What a set replaced. All fields are private. */
typedef struct anyc_run_var_token {
    const anyc_run_var *var;
    void *previous;
    uint64_t run; /* 0: used */
    bool had_previous;
} anyc_run_var_token;

/**
 * Read a variable in the current run.
 *
 * @param var        the variable
 * @param out_value  its value in this run, else its default
 *
 * Returns: 0, or
 *   ANYC_ENOTFOUND it has neither; out_value is unchanged
 *   ANYC_ENOLOOP   outside a run
 * Owns:    what the value points to stays whose it is.
 * Cancel:  never suspends.
 * Threads: the loop's thread.
 * AnyIO:   RunVar.get.
 */
ANYC_API int anyc_run_var_get(const anyc_run_var *var, void **out_value);

/**
 * Set a variable for the current run.
 *
 * @param var        the variable; must live until the run ends
 * @param value      the new value
 * @param out_token  for anyc_run_var_reset; may be NULL
 *
 * Returns: 0, ANYC_ENOLOOP outside a run, or ANYC_ENOMEM.
 * Owns:    what the value points to stays whose it is.
 * Cancel:  never suspends.
 * Threads: the loop's thread.
 * AnyIO:   RunVar.set.
 */
ANYC_API int anyc_run_var_set(const anyc_run_var *var, void *value, anyc_run_var_token *out_token);

/**
 * Bring back what a set replaced.
 *
 * @param var    the variable
 * @param token  of a set of this variable in this run; used up
 *
 * Returns: 0, ANYC_ESTATE for a token of another variable or run or one used before (nothing
 *          changes), or ANYC_ENOLOOP.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the loop's thread.
 * AnyIO:   RunVar.reset.
 */
ANYC_API int anyc_run_var_reset(const anyc_run_var *var, anyc_run_var_token *token);

#ifdef __cplusplus
}
#endif

#endif
