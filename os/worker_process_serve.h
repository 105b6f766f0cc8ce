/* SPDX-License-Identifier: MIT */
/*
 * worker_process_serve.h - what a worker process does.
 */
#ifndef ANYC_OS_WORKER_PROCESS_SERVE_H
#define ANYC_OS_WORKER_PROCESS_SERVE_H

#include "os/worker_process_message.h"

/* Answer requests until the program closes the socket. */
_Noreturn void anyc__worker_process_serve(const struct worker_birth *birth);

#endif
