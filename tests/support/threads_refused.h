/* SPDX-License-Identifier: MIT */
/*
 * threads_refused.h - have the system refuse new threads. Not under Valgrind: there pthread_create()
 * answers EINVAL.
 */
#ifndef ANYC_TESTS_SUPPORT_THREADS_REFUSED_H
#define ANYC_TESTS_SUPPORT_THREADS_REFUSED_H

#include <check.h>

#include <pthread.h>

/* New threads would get stacks that do not fit into the address space. */
static inline void refuse_threads(bool refuse)
{
    static pthread_attr_t usual;
    pthread_attr_t huge;

    if (!refuse) {
        ck_assert_int_eq(pthread_setattr_default_np(&usual), 0);
        return;
    }
    ck_assert_int_eq(pthread_getattr_default_np(&usual), 0);
    ck_assert_int_eq(pthread_attr_init(&huge), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&huge, (size_t)1 << 50), 0);
    ck_assert_int_eq(pthread_setattr_default_np(&huge), 0);
    pthread_attr_destroy(&huge);
}

#endif
