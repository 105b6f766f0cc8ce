/* SPDX-License-Identifier: MIT */
/*
 * log.h - hear what anyc would log: it prints nothing by itself.
 */
#ifndef ANYC_LOG_H
#define ANYC_LOG_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Receives one finished line without a newline; `code` is the failure behind it, or 0. */
typedef void (*anyc_log_fn)(int code, const char *message, void *arg);

/**
 * Hear of failures that no call can answer: a connection handler that failed, a handshake that
 * did not succeed, an accept loop that pauses because descriptors ran out.
 *
 * @param handler  called on the thread where it happens, must not call anyc; NULL turns it off
 * @param arg      handed to it
 *
 * Owns:    `arg` is borrowed as long as the handler is set.
 * Cancel:  never suspends.
 * Threads: before any loop runs.
 * AnyIO:   logging.getLogger("anyio").
 */
ANYC_API void anyc_set_log_handler(anyc_log_fn handler, void *arg);

#ifdef __cplusplus
}
#endif

#endif
