/* SPDX-License-Identifier: MIT */
/*
 * path_owner.h - what the system's databases say of users and groups.
 */
#ifndef ANYC_OS_PATH_OWNER_H
#define ANYC_OS_PATH_OWNER_H

#include "os/text_buffer.h"

/* In a worker thread: append the home of a user; NULL: of the one that runs the process. 0,
 * ANYC_ENOTFOUND, ANYC_ENOMEM or -errno. */
int anyc__path_home(const char *user, struct text_buffer *out);

#endif
