/* SPDX-License-Identifier: MIT */
/*
 * tls_info.c - looks at a TLS server: version, cipher, certificates, and whether they verify.
 *
 *     tls_info [--backend NAME] [--ca FILE] [--name NAME] [--timeout SECONDS]
 *              HOST PORT [PROTOCOL]...
 *
 * A certificate that is not good enough is shown all the same: a function of this program decides in
 * anyc's place, notes what anyc has against it, and accepts it. NAME is what the server is asked
 * for and must be, if that is not HOST. The PROTOCOLs ("h2", "http/1.1") are offered by ALPN.
 *
 * The exit code is 0 if the server verifies, 1 if not, 2 if there is no TLS with it.
 */
#include <math.h>
#include <string.h>

#include <anyc/anyc.h>

#include "options.h"

enum { VERIFIES = 0, DOES_NOT_VERIFY = 1, NO_CONNECTION = 2 };
enum { TIMEOUT = 10, END_TIMEOUT = 1 }; /* seconds */

struct inquiry {
    const struct options *options;
    const char *host;
    int port;
    anyc_tls_context *context;
    char problem[1024]; /* of the server's certificate; "": none */
};

/* Called within the handshake, in a worker thread. */
static int note_problem(const anyc_tls_peer *peer, void *arg)
{
    struct inquiry *inquiry = arg;

    if (peer->flags != 0)
        snprintf(inquiry->problem, sizeof inquiry->problem, "%s (flags 0x%x)", peer->problem,
                 (unsigned)peer->flags);
    return 0;
}

static int connect_there(const struct inquiry *inquiry, anyc_byte_stream **out_stream)
{
    anyc_connect_tcp_options how = {.tls_context = inquiry->context,
                                    .tls_hostname = inquiry->options->name};
    double seconds = inquiry->options->timeout;
    anyc_cancel_scope scope;
    int rc;

    anyc_fail_after(&scope, seconds > 0 ? seconds : INFINITY, false);
    rc = anyc_connect_tcp(inquiry->host, inquiry->port, &how, out_stream);
    return anyc_cancel_scope_exit(&scope, rc);
}

static void show_connection(anyc_byte_stream *stream)
{
    const char *version = "?";
    const char *protocol = NULL;
    anyc_tls_cipher cipher = {.name = "?"};

    anyc_extra(stream, &ANYC_TLS_VERSION, &version);
    anyc_extra(stream, &ANYC_TLS_CIPHER, &cipher);
    anyc_extra(stream, &ANYC_TLS_ALPN_PROTOCOL, &protocol);
    printf("version:  %s\n", version);
    printf("cipher:   %s, %d bits\n", cipher.name, cipher.secret_bits);
    printf("protocol: %s\n", protocol != NULL ? protocol : "none was chosen");
}

/* What the server sent: its own certificate, that of who signed it, and so on. */
static void show_chain(anyc_byte_stream *stream)
{
    anyc_tls_der der;
    anyc_bytes text;

    for (size_t i = 0; anyc_tls_stream_peer_chain(stream, i, &der) == 0; i++) {
        printf("certificate %zu:\n", i);
        if (anyc_tls_certificate_describe(&der, &text) < 0)
            continue;
        for (char *line = strtok(text.data, "\n"); line != NULL; line = strtok(NULL, "\n"))
            printf("    %s\n", line);
        anyc_bytes_deinit(&text);
    }
}

/* A second connection offers the session of the first one. */
static void show_resumption(const struct inquiry *inquiry)
{
    anyc_byte_stream *stream;
    bool reused = false;

    if (connect_there(inquiry, &stream) < 0) {
        printf("resumed:  no second connection: %s\n", anyc_last_error()->message);
        return;
    }
    anyc_extra(stream, &ANYC_TLS_SESSION_REUSED, &reused);
    printf("resumed:  %s\n", reused ? "yes, by a second connection" : "no");
    anyc_aclose_forcefully(stream);
}

/* With TLS 1.3 a server gives its sessions behind the handshake; the closing handshake gets them. */
static void end_slowly(anyc_byte_stream *stream)
{
    anyc_cancel_scope scope;
    int rc = anyc_move_on_after(&scope, END_TIMEOUT, false);

    rc = rc < 0 ? rc : anyc_cancel_scope_exit(&scope, anyc_aclose(stream));
    (void)rc; /* nothing was said that could be cut */
}

static int tls_info(void *arg)
{
    struct inquiry *inquiry = arg;
    anyc_byte_stream *stream;
    int rc = connect_there(inquiry, &stream);

    if (rc < 0) {
        failed(rc);
        return NO_CONNECTION;
    }
    show_connection(stream);
    show_chain(stream);
    end_slowly(stream);
    show_resumption(inquiry);
    printf("verifies: %s\n", inquiry->problem[0] == '\0' ? "yes" : inquiry->problem);
    return inquiry->problem[0] == '\0' ? VERIFIES : DOES_NOT_VERIFY;
}

int main(int argc, char **argv)
{
    struct options options = {.timeout = TIMEOUT};
    struct inquiry inquiry = {.options = &options};
    anyc_tls_context_options wanted = {.verify_peer = note_problem, .verify_arg = &inquiry};
    int rc;

    if (!options_parse(argc, argv, &options) || options.argument_count < 2 ||
        !option_number(options.arguments[1], 65535, &inquiry.port))
        return usage("tls_info [--backend NAME] [--ca FILE] [--name NAME] [--timeout SECONDS] "
                     "HOST PORT [PROTOCOL]...");
    inquiry.host = options.arguments[0];
    wanted.ca.file = options.ca;
    if (options.argument_count > 2)
        wanted.alpn_protocols = (const char *const *)options.arguments + 2;
    rc = anyc_tls_context_create(&wanted, &inquiry.context);
    if (rc == 0) {
        rc = anyc_run_with(tls_info, &inquiry, &(anyc_run_options){.backend = options.backend});
        anyc_tls_context_destroy(inquiry.context);
    }
    if (rc < 0) {
        failed(rc);
        return NO_CONNECTION;
    }
    return rc;
}
