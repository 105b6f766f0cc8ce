/* SPDX-License-Identifier: MIT */
/*
 * address.h - socket addresses and their texts. Nothing here looks anything up, allocates, waits or
 * sets an error.
 */
#ifndef ANYC_NET_ADDRESS_H
#define ANYC_NET_ADDRESS_H

#include <sys/socket.h>

#include <anyc/base.h>

/* Room for every text below, the longest name of a UNIX socket included. */
#define ANYC__ADDRESS_TEXT_SIZE 128

/* "192.0.2.1:80", "[2001:db8::1]:80", "[fe80::1%2]:80", "/run/socket", "@abstract", "" for a UNIX
 * socket without a name. Bytes of a UNIX name that cannot be shown become '?': for messages. Cut
 * to fit `size`. */
void anyc__address_format(const struct sockaddr *address, socklen_t len, char *out_text,
                          size_t size);

/* The host part alone: "192.0.2.1", "fe80::1%2"; for UNIX sockets as above. */
void anyc__address_host(const struct sockaddr *address, socklen_t len, char *out_text, size_t size);

/* The port, or -1 if the family has none. */
int anyc__address_port(const struct sockaddr *address);

/* Sets the port of an AF_INET or AF_INET6 address; does nothing to others. */
void anyc__address_set_port(struct sockaddr *address, int port);

/* Reads a literal address, "192.0.2.1", "::1" or "fe80::1%eth0" (scope by name or number). False,
 * and nothing written, if `host` is not one: then it is a name for the resolver. */
bool anyc__address_parse(const char *host, int port, struct sockaddr_storage *out_address,
                         socklen_t *out_len);

/* The number of a scope given as the text after '%': an interface's name or a decimal number.
 * False if it is neither. */
bool anyc__address_parse_scope(const char *text, uint32_t *out_scope);

/* Same family, host, scope and port (for AF_UNIX: same name). */
bool anyc__address_equal(const struct sockaddr *a, socklen_t a_len, const struct sockaddr *b,
                         socklen_t b_len);

#endif
