/* SPDX-License-Identifier: MIT */
/*
 * byte_listener.h - a listener whose connections are made in memory: for tests that need no socket,
 * and so may use the virtual clock. A program that uses it lists byte_pair.c too.
 */
#ifndef ANYC_TESTS_SUPPORT_BYTE_LISTENER_H
#define ANYC_TESTS_SUPPORT_BYTE_LISTENER_H

#include <anyc/stream.h>

/* It provides BYTE_LISTENER_NUMBER, an int, which is 7. */
extern const anyc_typed_attribute BYTE_LISTENER_NUMBER;

anyc_listener *byte_listener_create(void);

/* The client's end of a new connection, whose other end waits to be accepted. Up to 16 sends in each
 * direction are not waited for. */
anyc_byte_stream *byte_listener_connect(anyc_listener *listener);

#endif
