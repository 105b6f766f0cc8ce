/* SPDX-License-Identifier: MIT */
/*
 * tls_key_log.h - the file with the secrets of connections. Writing to it: streams/tls_shim_key_log.h.
 */
#ifndef ANYC_STREAMS_TLS_KEY_LOG_H
#define ANYC_STREAMS_TLS_KEY_LOG_H

struct tls_key_log;

/* Answers 0, -errno with the file's name, ANYC_ENOMEM. */
int anyc__tls_key_log_open(const char *path, struct tls_key_log **out_log);

/* `log` may be NULL. */
void anyc__tls_key_log_close(struct tls_key_log *log);

#endif
