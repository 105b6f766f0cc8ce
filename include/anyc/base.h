/* SPDX-License-Identifier: MIT */
/*
 * base.h - what every other header needs: export marks, the list node, and the shape of a task.
 *
 * Structs that a caller places (scopes, groups, locks ...) show their fields so that the compiler
 * knows their size. Those fields are private: read them through functions only.
 */
#ifndef ANYC_BASE_H
#define ANYC_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANYC_VERSION_MAJOR 0
#define ANYC_VERSION_MINOR 1
#define ANYC_VERSION_PATCH 0

#if defined(__GNUC__)
#define ANYC_API __attribute__((visibility("default")))
#define ANYC_MUST_USE __attribute__((warn_unused_result))
#define ANYC_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define ANYC_API
#define ANYC_MUST_USE
#define ANYC_PRINTF(text, first)
#endif

/** What a descriptor can be ready for; may be combined. */
#define ANYC_READABLE 1u /* data, a connection, end of file, or an error */
#define ANYC_WRITABLE 2u /* room, a finished connect, or an error */

/* The initial value of a struct that is all zero, given by one of its fields: C++17 has no
 * designators, and gcc warns of a plain {0} inside another struct. */
#ifdef __cplusplus
#define ANYC_ZERO_INIT(field) \
    {                         \
    }
#else
#define ANYC_ZERO_INIT(field) \
    {                         \
        .field = 0            \
    }
#endif

/* A string that holds the text of its argument, then the place of use: "main_task\0main.c:12". */
#define ANYC_TEXT_OF_(x) #x
#define ANYC_TEXT_(x) ANYC_TEXT_OF_(x)
#define ANYC_ORIGIN_(fn) fn "\0" __FILE__ ":" ANYC_TEXT_(__LINE__)

#ifdef __cplusplus
extern "C" {
#endif

/** A task function. Its result is the task's result; a negative one is a failure (anyc/error.h). */
typedef int (*anyc_task_fn)(void *arg);

/* Opaque: one event loop with its tasks, and one task. */
typedef struct anyc_loop anyc_loop;
typedef struct anyc_task anyc_task;

/* A node or a head of an intrusive ring. All zero: neither linked nor in use. */
typedef struct anyc_list {
    struct anyc_list *next;
    struct anyc_list *prev;
} anyc_list;

#ifdef __cplusplus
}
#endif

#endif
