/* SPDX-License-Identifier: MIT */
/*
 * fds_files.h - two files whose descriptors are passed.
 */
#ifndef ANYC_TESTS_UNIT_NET_FDS_FILES_H
#define ANYC_TESTS_UNIT_NET_FDS_FILES_H

#include <check.h>

#include <string.h>

#include <unistd.h>

#include "support/unix_peer.h"

static inline void open_files(int files[2])
{
    files[0] = unix_peer_file("Hello, ");
    files[1] = unix_peer_file("World!");
}

static inline void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

/* Reads what the files hold one after the other, and closes them. */
static inline void check_files(const int fds[2])
{
    char text[32] = "";

    unix_peer_read_file(fds[0], text, sizeof text);
    unix_peer_read_file(fds[1], text + strlen(text), sizeof text - strlen(text));
    ck_assert_str_eq(text, "Hello, World!");
}

#endif
