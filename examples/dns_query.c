/* SPDX-License-Identifier: MIT */
/*
 * dns_query.c - asks a name server what it knows of a name: addresses, mail servers, texts.
 *
 *     dns_query [--backend NAME] [--port P] [--timeout SECONDS] NAME [SERVER]
 *
 * The questions go out at once, each from a task with a socket of its own. UDP may lose any of them
 * or their answers: whoever has none after --timeout asks again, three times in all. The sockets
 * are connected, so datagrams from elsewhere never arrive; those with a wrong id or question are
 * passed over. Without SERVER it is the first one of /etc/resolv.conf.
 */
#include <errno.h>
#include <math.h>

#include <sys/random.h>

#include <anyc/anyc.h>

#include "dns_message.h"
#include "options.h"

enum { ATTEMPTS = 3, MESSAGE_SIZE = 4096, LINE_SIZE = 4 * MESSAGE_SIZE };

/* One question, and what came of it. */
struct question {
    const struct lookup *lookup;
    unsigned type;
    uint8_t query[DNS_QUERY_SIZE];
    size_t query_len;
    uint8_t answer[MESSAGE_SIZE];
    size_t answer_len; /* 0: there is none */
    int rc;            /* then: why */
};

struct lookup {
    const char *name;
    const char *server;
    int port;
    double timeout; /* of an attempt, seconds */
    struct question questions[4];
};

static const unsigned question_types[] = {DNS_A, DNS_AAAA, DNS_MX, DNS_TXT};

/* Receive until the answer comes. A refusal says no more than silence does: the server may be about
 * to start. */
static int receive_answer(anyc_connected_udp_socket *socket, struct question *question)
{
    for (;;) {
        bool cut = false;
        ssize_t n = anyc_connected_udp_socket_receive(socket, question->answer,
                                                      sizeof question->answer, &cut);

        if (n < 0 && n != ANYC_EBROKEN)
            return (int)n;
        if (n > 0 && !cut &&
            dns_is_answer(question->answer, (size_t)n, question->query, question->query_len)) {
            question->answer_len = (size_t)n;
            return 0;
        }
    }
}

static int ask_once(anyc_connected_udp_socket *socket, struct question *question)
{
    anyc_cancel_scope scope;
    int rc;

    anyc_fail_after(&scope, question->lookup->timeout, false);
    rc = anyc_connected_udp_socket_send(socket, question->query, question->query_len);
    if (rc == 0 || rc == ANYC_EBROKEN)
        rc = receive_answer(socket, question);
    return anyc_cancel_scope_exit(&scope, rc);
}

/* The task of one question. What the others find does not hang on its failure. */
static int ask(void *arg)
{
    struct question *question = arg;
    const struct lookup *lookup = question->lookup;
    anyc_connected_udp_socket *socket;
    int rc;

    rc = anyc_create_connected_udp_socket(lookup->server, lookup->port, NULL, &socket);
    if (rc == 0) {
        rc = ANYC_ETIMEDOUT;
        for (int i = 0; rc == ANYC_ETIMEDOUT && i < ATTEMPTS; i++)
            rc = ask_once(socket, question);
        anyc_aclose(socket);
    }
    question->rc = rc;
    return anyc_is_cancelled(rc) ? rc : 0;
}

/* -- showing -- */

/* Aliases come with every answer: they are shown with the addresses only. */
static bool is_shown(const struct question *question, const struct dns_record *record)
{
    if (record->in_class != DNS_CLASS_IN)
        return false;
    return record->type == question->type || (record->type == DNS_CNAME && question->type == DNS_A);
}

/* Prints the records; false if the answer is broken. */
static bool show_records(const struct question *question)
{
    static char text[LINE_SIZE];
    static struct dns_record record;
    struct dns_reader reader = dns_read(question->answer, question->answer_len);

    while (dns_read_record(&reader, &record)) {
        if (!is_shown(question, &record))
            continue;
        if (!dns_show(&reader, &record, text, sizeof text))
            return false;
        printf("%s %u %s %s\n", record.name, (unsigned)record.seconds, dns_type_name(record.type),
               text);
    }
    return !reader.broken;
}

/* Prints what is known; false after a message if there is something wrong. */
static bool show(const struct question *question)
{
    const char *type = dns_type_name(question->type);
    unsigned flags;
    bool whole;

    if (question->answer_len == 0) {
        fprintf(stderr, "%s: %s\n", type,
                question->rc == ANYC_ETIMEDOUT ? "no answer" : anyc_strerror(question->rc));
        return false;
    }
    flags = dns_get_16(question->answer + 2);
    if ((flags & DNS_RCODE) != 0) {
        fprintf(stderr, "%s: %s (code %u)\n", type,
                (flags & DNS_RCODE) == DNS_NO_SUCH_NAME ? "no such name" : "the server refuses",
                flags & DNS_RCODE);
        return false;
    }
    whole = show_records(question);
    if (!whole)
        fprintf(stderr, "%s: the answer is broken\n", type);
    if ((flags & DNS_CUT) != 0)
        fprintf(stderr, "%s: there is more, which does not fit into a datagram\n", type);
    return whole;
}

/* -- main -- */

static int prepare(struct lookup *lookup, struct question *question, unsigned type)
{
    uint16_t id;

    if (getrandom(&id, sizeof id, 0) != sizeof id) /* nobody should guess it */
        return -errno;
    question->lookup = lookup;
    question->type = type;
    question->query_len = dns_put_query(question->query, id, lookup->name, type);
    return question->query_len > 0 ? 0 : ANYC_EINVAL;
}

static int dns_query(void *arg)
{
    struct lookup *lookup = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool good = true;
    int rc = 0;

    anyc_task_group_enter(&group);
    for (int i = 0; rc == 0 && i < 4; i++) {
        rc = prepare(lookup, &lookup->questions[i], question_types[i]);
        if (rc == 0)
            rc = anyc_task_group_start_soon(&group, ask, &lookup->questions[i], NULL);
    }
    rc = anyc_task_group_exit(&group, rc);
    for (int i = 0; rc == 0 && i < 4; i++)
        good = show(&lookup->questions[i]) && good;
    return rc < 0 ? rc : !good;
}

/* The first name server of the system's list. */
static const char *default_server(void)
{
    static char server[256];
    char line[512];
    FILE *file = fopen("/etc/resolv.conf", "r");

    while (file != NULL && server[0] == '\0' && fgets(line, sizeof line, file) != NULL)
        (void)sscanf(line, "nameserver %255s", server); /* another line leaves it empty */
    if (file != NULL)
        fclose(file);
    return server[0] == '\0' ? "127.0.0.1" : server;
}

int main(int argc, char **argv)
{
    static struct lookup lookup;
    struct options options = {.port = 53, .timeout = 2};
    uint8_t query[DNS_QUERY_SIZE];

    if (!options_parse(argc, argv, &options))
        return 2;
    if (options.argument_count < 1 || options.argument_count > 2 ||
        dns_put_query(query, 0, options.arguments[0], DNS_A) == 0)
        return usage("dns_query [--backend NAME] [--port P] [--timeout SECONDS] NAME [SERVER]");
    lookup.name = options.arguments[0];
    lookup.server = options.argument_count == 2 ? options.arguments[1] : default_server();
    lookup.port = options.port;
    lookup.timeout = options.timeout > 0 ? options.timeout : INFINITY;
    return options_run(&options, dns_query, &lookup);
}
