/* SPDX-License-Identifier: MIT */
/*
 * tls_script.c - what the tests with the peers of tls_peers/ have in common.
 */
#include "tls_script.h"

#include <stdio.h>
#include <string.h>

#include "tls_ciphers.h"

static const char *const commands[TLS_LANGUAGES] = {"{python} {peers}/peer.py", "{go}"};

struct tls_program *tls_script_client(enum tls_language language, int port, const char *more)
{
    char command[128];

    snprintf(command, sizeof command, "%s client port={port} ca={tls}/ca.pem", commands[language]);
    return tls_program_start(port, command, more);
}

struct tls_program *tls_script_server(enum tls_language language, const char *more, int *out_port)
{
    char command[128];

    snprintf(command, sizeof command,
             "%s server ca={tls}/ca.pem cert={tls}/localhost.pem key={tls}/localhost.key",
             commands[language]);
    return tls_program_start_server(command, more, "port ", out_port);
}

/* Python has OpenSSL's names. */
static const char *script_cipher(enum tls_language language, const char *iana)
{
    for (int i = 0; i < TLS_CIPHERS; i++) {
        if (language == TLS_PYTHON && strcmp(tls_ciphers[i].iana, iana) == 0)
            return tls_ciphers[i].openssl;
    }
    return iana;
}

void tls_script_check(enum tls_language language, const struct tls_program *program,
                      const struct tls_facts *facts, const char *sni, const char *peer)
{
    bool knows_unique = language == TLS_PYTHON || !facts->reused; /* Go does not, after that */
    char text[512];

    snprintf(text, sizeof text,
             "handshake version=%s cipher=%s alpn=%s sni=%s reused=%d peer=%s unique=%s\n",
             facts->version, script_cipher(language, facts->cipher), facts->alpn, sni,
             facts->reused, peer, knows_unique ? facts->unique : "-");
    ck_assert_said(program, text);
}

bool tls_script_can(enum tls_language language, const struct tls_cipher *cipher)
{
    if (language == TLS_PYTHON)
        return true;
    return strstr(cipher->iana, "TLS_DHE") == NULL && strstr(cipher->iana, "_CBC_SHA384") == NULL;
}
