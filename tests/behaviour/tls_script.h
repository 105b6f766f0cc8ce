/* SPDX-License-Identifier: MIT */
/*
 * tls_script.h - the tests that a TLS peer of tls_peers/ goes through, whatever it is written in:
 * as the client of anyc (tls_script_client.c) and as its server (tls_script_server.c).
 */
#ifndef ANYC_TESTS_BEHAVIOUR_TLS_SCRIPT_H
#define ANYC_TESTS_BEHAVIOUR_TLS_SCRIPT_H

#include "tls_program.h"
#include "tls_side.h"

enum tls_language { TLS_PYTHON, TLS_GO, TLS_LANGUAGES };

/* Start a client of a server on 127.0.0.1, or a server with localhost.pem; `more` as the top comment
 * of peer.go has it. */
struct tls_program *tls_script_client(enum tls_language language, int port, const char *more);
struct tls_program *tls_script_server(enum tls_language language, const char *more, int *out_port);

/* It has said the same about the handshake as anyc; `peer` is the common name that it has seen. */
void tls_script_check(enum tls_language language, const struct tls_program *program,
                      const struct tls_facts *facts, const char *sni, const char *peer);

/* Can it do this cipher? */
struct tls_cipher;
bool tls_script_can(enum tls_language language, const struct tls_cipher *cipher);

/* -- as a client -- */

void tls_script_client_echoes(enum tls_language language);
void tls_script_client_sees_the_certificate(enum tls_language language);
void tls_script_client_gets_the_certificate_of_the_name(enum tls_language language);
void tls_script_client_ciphers(enum tls_language language);
void tls_script_client_alpn(enum tls_language language);
void tls_script_client_certificates(enum tls_language language);
void tls_script_client_is_refused(enum tls_language language);
void tls_script_client_resumes(enum tls_language language, const char *more, bool resumes);
void tls_script_client_takes(enum tls_language language, tls_talk_fn talk, size_t len,
                             const char *records);
void tls_script_client_sends(enum tls_language language, size_t len, size_t piece);
void tls_script_client_ends(enum tls_language language);
void tls_script_client_hears_the_end(enum tls_language language);

/* -- as a server -- */

void tls_script_server_echoes(enum tls_language language);
void tls_script_server_shows_its_certificate(enum tls_language language);
void tls_script_server_chooses_by_name(enum tls_language language);
void tls_script_server_ciphers(enum tls_language language);
void tls_script_server_alpn(enum tls_language language);
void tls_script_server_certificates(enum tls_language language);
void tls_script_server_refuses(enum tls_language language);
void tls_script_server_is_refused(enum tls_language language);
void tls_script_server_resumes(enum tls_language language, const char *more, bool resumes);
void tls_script_server_data(enum tls_language language, size_t len, size_t piece,
                            const char *records);
void tls_script_server_ends(enum tls_language language);
void tls_script_server_hears_the_end(enum tls_language language);

#endif
