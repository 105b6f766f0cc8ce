/* SPDX-License-Identifier: MIT */
/*
 * worker_process_message.h - what a program and its workers say to each other, over a socket for each
 * worker.
 *
 * The worker begins with WORKER_READY. Then each request, with the file's path and the input behind
 * it, is answered once: WORKER_RETURNED with the output or, if the result is negative, with a message
 * behind it; or WORKER_REFUSED with a message: the function was not called. A worker that waited too
 * long for a request says WORKER_IDLE, and waits on: it is ended by the program, so that none ends
 * just when a request comes. The worker ends when the program closes the socket.
 */
#ifndef ANYC_OS_WORKER_PROCESS_MESSAGE_H
#define ANYC_OS_WORKER_PROCESS_MESSAGE_H

#include <anyc/base.h>

/* Both sides must be of one version: the library's file may have been replaced since the program was
 * started. */
#define WORKER_MAGIC                                                                \
    (UINT32_C(0xa9c00000) + ANYC_VERSION_MAJOR * 10000 + ANYC_VERSION_MINOR * 100 + \
     ANYC_VERSION_PATCH)

#define WORKER_MESSAGE_MOST 1024 /* bytes of a message */

/* In the worker's environment: a struct worker_birth, see WORKER_BIRTH_FORMAT. */
#define WORKER_VARIABLE "ANYC_WORKER_PROCESS"
#define WORKER_BIRTH_FORMAT "%d,%ld,%ld,%d"

struct worker_birth {
    int fd;       /* the socket */
    long parent;  /* the program's process */
    long idle_ms; /* after how long it says WORKER_IDLE */
    int preload;  /* a library was put in front of LD_PRELOAD */
};

/* Exit code of a worker that could not begin. */
#define WORKER_EXIT_UNBORN 121

enum worker_answer_kind { WORKER_READY = 1, WORKER_IDLE, WORKER_RETURNED, WORKER_REFUSED };

struct worker_request {
    uint32_t magic;
    uint32_t path_size; /* bytes; 0: the function is in the program itself */
    uint64_t offset;    /* see worker_process_function.h */
    uint64_t fingerprint;
    uint64_t input_size;
};

struct worker_answer {
    uint32_t magic;
    uint32_t kind;    /* enum worker_answer_kind */
    int32_t code;     /* the function's result; WORKER_REFUSED: why */
    int32_t os_error; /* behind a negative code */
    uint64_t size;    /* of what follows, bytes */
};

#endif
