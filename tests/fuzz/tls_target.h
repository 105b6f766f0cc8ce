/* SPDX-License-Identifier: MIT */
/*
 * tls_target.h - what the fuzz targets of TLS streams have in common.
 *
 * An input is one byte, the most that one receive of the transport gives (0: no limit), and the
 * bytes that a hostile peer sends. Anyc's side does the same each time (support/tls_tape.h), so that
 * records of whole conversations get through the handshake and beyond.
 */
#ifndef ANYC_TESTS_FUZZ_TLS_TARGET_H
#define ANYC_TESTS_FUZZ_TLS_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_TARGET_MAX 65536 /* bytes of a peer */

/* Let the peer talk to anyc's side until the end. A result that cannot be aborts. Answers the bytes
 * of data that came out, or the error of the handshake. */
long tls_target_run(bool is_server, const uint8_t *data, size_t size);

/* Free what the runs have in common. */
void tls_target_end(void);

#endif
