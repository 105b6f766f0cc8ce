/* SPDX-License-Identifier: MIT */
/*
 * tls_files.h - the certificates and keys of the tests: tls/README.md says what each is.
 */
#ifndef ANYC_TESTS_SUPPORT_TLS_FILES_H
#define ANYC_TESTS_SUPPORT_TLS_FILES_H

/* TLS_FILE("ca.pem"): its path, a string literal. */
#define TLS_FILE(name) ANYC_TESTS_DIR "/support/tls/" name

#endif
