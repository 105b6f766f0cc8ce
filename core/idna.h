/* SPDX-License-Identifier: MIT */
/*
 * idna.h - the form in which host names are looked up and compared with certificates.
 */
#ifndef ANYC_CORE_IDNA_H
#define ANYC_CORE_IDNA_H

/* The ASCII form of a name: `host` itself if it is ASCII, else its IDNA form in newly allocated
 * memory, which is stored in *out_owned too (for anyc__free; NULL otherwise). Answers 0,
 * ANYC_EENCODE or ANYC_ENOMEM. */
int anyc__idna_encode(const char *host, const char **out_name, char **out_owned);

#endif
