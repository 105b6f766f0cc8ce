/* SPDX-License-Identifier: MIT */
/*
 * unix_bind.h - UNIX sockets that are bound to a name, stream and datagram.
 */
#ifndef ANYC_NET_UNIX_BIND_H
#define ANYC_NET_UNIX_BIND_H

#include "core/task.h"
#include "net/unix_address.h"

/* Is this mode one that may be asked for with this name? Answers 0 or ANYC_EINVAL with a message.
 * mode: permissions, 0..07777; 0: none asked for. Abstract names have none. */
int anyc__unix_bind_check(const struct unix_address *address, int mode);

/* A socket (non-blocking, close-on-exec) that is bound to a name. A socket that stands at the path
 * is removed before, anything else there is left alone and an error; then the path gets the mode.
 * The file system is asked in a worker thread; abstract names never meet it.
 *
 * Call it after anyc__enter, with its task. Suspends; a cancellation ends it only before the thread
 * has begun, so a path is never touched later. Answers the descriptor; or, with a message,
 * ANYC_ECANCELLED, ANYC_ENOMEM or -errno, and then nothing stays open. */
int anyc__unix_bind(anyc_task *task, int type, const struct unix_address *address, int mode);

#endif
