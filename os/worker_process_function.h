/* SPDX-License-Identifier: MIT */
/*
 * worker_process_function.h - where a function is, in words that hold in another process of the same
 * program: addresses differ there.
 */
#ifndef ANYC_OS_WORKER_PROCESS_FUNCTION_H
#define ANYC_OS_WORKER_PROCESS_FUNCTION_H

#include <anyc/worker_process.h>

struct worker_function {
    char *path;           /* of the file it is in; NULL: the program's own */
    uint64_t offset;      /* its place there, as the file counts addresses */
    uint64_t fingerprint; /* of the file */
};

/* Where is it? ANYC_EINVAL: in no file. ANYC_ENOMEM. deinit is due after 0 only. */
int anyc__worker_function_locate(anyc_process_fn fn, struct worker_function *out_function);
void anyc__worker_function_deinit(struct worker_function *function);

/* What is there, in this process? A file that is not loaded yet is. ANYC_EWORKER: it cannot be loaded, or
 * it is another one. */
int anyc__worker_function_find(const struct worker_function *function, anyc_process_fn *out_fn);

#endif
