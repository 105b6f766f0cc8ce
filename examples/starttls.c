/* SPDX-License-Identifier: MIT */
/*
 * starttls.c - hands a mail to a server by SMTP: begins in plain text, goes on in TLS (RFC 3207).
 *
 *     starttls [--backend NAME] [--ca FILE] [--name NAME] [--timeout SECONDS]
 *              HOST PORT FROM TO [FILE]
 *
 * The mail is in FILE, or comes from stdin. A TLS stream goes over any stream: here over the
 * buffered one that the lines of the plain part were read from. Two things could betray the mail:
 *
 * - Somebody between the two takes STARTTLS out of what the server offers. Without TLS nothing is
 *   sent, so that gains him nothing.
 * - Somebody puts lines of his own behind the server's answer to STARTTLS, to be taken for ones
 *   that came by TLS (CVE-2011-0411). So nothing may be in the buffer when TLS begins.
 */
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include <unistd.h>

#include <anyc/anyc.h>

#include "mail.h"
#include "options.h"

enum { LINE_ROOM = 1000, TIMEOUT = 60 /* seconds */ };

struct smtp {
    const struct options *options;
    const char *host;
    int port;
    anyc_tls_context *context;
    struct mail mail;

    anyc_buffered_stream *stream; /* plain, then TLS; NULL: not connected */
    bool offers_tls;
    char line[LINE_ROOM + 1]; /* the last one, without its end */
};

/* Functions here answer 0, an error of anyc, or this: the reason has been printed. */
enum { REFUSED = 1 };

static int refuse(const char *why, const char *line)
{
    fprintf(stderr, "%s%s\n", why, line);
    return REFUSED;
}

/* -- lines -- */

/* Reads an answer, "250-one line" after another up to "250 the last". */
static int expect(struct smtp *smtp, int code)
{
    ssize_t n;

    do {
        n = anyc_buffered_receive_until(smtp->stream, "\r\n", 2, LINE_ROOM, smtp->line, LINE_ROOM);
        if (n < 0)
            return (int)n;
        smtp->line[n] = '\0';
        printf("S: %s\n", smtp->line);
        if (strtol(smtp->line, NULL, 10) != code)
            return refuse("the server refuses: ", smtp->line);
        if (n >= 12 && strcasecmp(smtp->line + 4, "STARTTLS") == 0)
            smtp->offers_tls = true;
    } while (n > 3 && smtp->line[3] == '-');
    return 0;
}

/* Sends a line and reads the answer. */
static int command(struct smtp *smtp, int code, const char *format, ...)
{
    va_list args;
    int len;
    int rc;

    va_start(args, format);
    len = vsnprintf(smtp->line, LINE_ROOM, format, args);
    va_end(args);
    if (len + 2 > LINE_ROOM)
        return refuse("this is too long for SMTP: ", smtp->line);
    printf("C: %s\n", smtp->line);
    memcpy(smtp->line + len, "\r\n", 2);
    rc = anyc_send(&smtp->stream->stream, smtp->line, (size_t)len + 2);
    return rc < 0 ? rc : expect(smtp, code);
}

static int greet(struct smtp *smtp)
{
    char name[256] = "";

    smtp->offers_tls = false; /* what was said before does not count */
    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
        strcpy(name, "localhost");
    return command(smtp, 250, "EHLO %s", name);
}

/* -- TLS -- */

static int start_tls(struct smtp *smtp)
{
    anyc_tls_stream_wrap_options how = {.context = smtp->context, .hostname = smtp->options->name};
    anyc_byte_stream *tls;
    size_t early = 0;
    int rc;

    if (!smtp->offers_tls)
        return refuse("the server offers no TLS, and the mail is not for everybody", "");
    rc = command(smtp, 220, "STARTTLS");
    if (rc != 0)
        return rc;
    anyc_buffered_buffer(smtp->stream, &early);
    if (early > 0)
        return refuse("there is more behind the answer to STARTTLS: not from the server?", "");
    if (how.hostname == NULL)
        how.hostname = smtp->host;
    rc = anyc_tls_stream_wrap(&smtp->stream->stream, &how, &tls);
    if (rc < 0)
        return rc;
    smtp->stream = NULL; /* it is below `tls` now */
    rc = anyc_buffered_stream_create(tls, &smtp->stream);
    if (rc < 0)
        anyc_aclose_forcefully(tls);
    return rc;
}

/* -- the mail -- */

/* Sends the lines, each with CR LF behind it, and with another dot before one at its start (RFC 5321
 * section 4.5.2). */
static int send_text(struct smtp *smtp)
{
    const char *at = smtp->mail.text;
    const char *end = at + smtp->mail.len;
    int rc = 0;

    while (rc == 0 && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *next = newline != NULL ? newline + 1 : end;
        size_t len = (size_t)((newline != NULL ? newline : end) - at);
        struct iovec pieces[] = {{".", *at == '.'}, {(char *)at, len}, {"\r\n", 2}};

        if (len > 0 && at[len - 1] == '\r')
            pieces[1].iov_len--;
        rc = anyc_sendv(&smtp->stream->stream, pieces, 3);
        at = next;
    }
    return rc;
}

static int send_mail(struct smtp *smtp)
{
    int rc = command(smtp, 250, "MAIL FROM:<%s>", smtp->mail.from);

    if (rc == 0)
        rc = command(smtp, 250, "RCPT TO:<%s>", smtp->mail.to);
    if (rc == 0)
        rc = command(smtp, 354, "DATA");
    if (rc == 0)
        rc = send_text(smtp);
    if (rc == 0)
        rc = command(smtp, 250, ".");
    return rc;
}

static int converse(struct smtp *smtp)
{
    int rc = expect(smtp, 220);

    if (rc == 0)
        rc = greet(smtp);
    if (rc == 0)
        rc = start_tls(smtp);
    if (rc == 0)
        rc = greet(smtp);
    if (rc == 0)
        rc = send_mail(smtp);
    return rc;
}

static int deliver(struct smtp *smtp)
{
    anyc_byte_stream *stream;
    int rc = anyc_connect_tcp(smtp->host, smtp->port, NULL, &stream);

    if (rc < 0)
        return rc;
    rc = anyc_buffered_stream_create(stream, &smtp->stream);
    if (rc < 0) {
        anyc_aclose(stream);
        return rc;
    }
    rc = converse(smtp);
    if (rc == 0) {
        (void)command(smtp, 221, "QUIT"); /* the server has the mail, however this ends */
        anyc_aclose(smtp->stream);
    } else if (smtp->stream != NULL) {
        anyc_aclose_forcefully(smtp->stream);
    }
    return rc;
}

static int starttls(void *arg)
{
    struct smtp *smtp = arg;
    double seconds = smtp->options->timeout;
    anyc_cancel_scope scope;

    anyc_fail_after(&scope, seconds > 0 ? seconds : INFINITY, false);
    return anyc_cancel_scope_exit(&scope, deliver(smtp));
}

static bool parse(int argc, char **argv, struct options *options, struct smtp *smtp)
{
    char **arguments;

    if (!options_parse(argc, argv, options))
        return false;
    arguments = options->arguments;
    if (options->argument_count < 4 || options->argument_count > 5 ||
        !option_number(arguments[1], 65535, &smtp->port) || !mail_is_address(arguments[2]) ||
        !mail_is_address(arguments[3]))
        return false;
    smtp->host = arguments[0];
    smtp->mail.from = arguments[2];
    smtp->mail.to = arguments[3];
    return true;
}

int main(int argc, char **argv)
{
    struct options options = {.timeout = TIMEOUT};
    struct smtp smtp = {.options = &options};
    anyc_tls_context_options trust = {.ca.file = NULL};
    int rc;

    if (!parse(argc, argv, &options, &smtp))
        return usage("starttls [--backend NAME] [--ca FILE] [--name NAME] [--timeout SECONDS] "
                     "HOST PORT FROM TO [FILE]");
    if (!mail_read(options.arguments[4], &smtp.mail))
        return EXIT_FAILURE;
    trust.ca.file = options.ca;
    rc = anyc_tls_context_create(&trust, &smtp.context);
    rc = rc < 0 ? failed(rc) : options_run(&options, starttls, &smtp);
    anyc_tls_context_destroy(smtp.context);
    free(smtp.mail.text);
    return rc;
}
