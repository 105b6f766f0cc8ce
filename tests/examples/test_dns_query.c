/* SPDX-License-Identifier: MIT */
/*
 * test_dns_query.c - examples/dns_query.c, asked by a small server in the test that says what each
 * test wants, right or wrong.
 */
#include <check.h>

#include <anyc/testing.h>

#include <stdio.h>
#include <string.h>

#include <netinet/in.h>
#include <unistd.h>

#include "examples/program.h"
#include "support/datagram_peer.h"
#include "support/peer.h"

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_MX = 15, TYPE_TXT = 16, TYPE_AAAA = 28 };
enum { TYPES = 4, HEADER = 12, MESSAGE = 600 };

/* A query that came, and the answer to it in the making. */
struct exchange {
    struct datagram_name client;
    size_t query_len;
    size_t len;
    int server;
    unsigned type;
    unsigned char query[MESSAGE];
    unsigned char answer[MESSAGE];
};

/* One run of the program with one server. */
struct dns {
    int server;
    struct program program;
    struct program_result result;
};

static struct dns *dns_start(const char *name, const char *timeout)
{
    static struct dns dns;
    static char port[16];

    dns.server = datagram_peer_udp(AF_INET, 0);
    snprintf(port, sizeof port, "%d", peer_port(dns.server));
    program_start(&dns.program, "dns_query", "--port", port, "--timeout", timeout, name,
                  "127.0.0.1", NULL);
    return &dns;
}

/* Wait for its end, and compare what it printed. */
static void dns_end(struct dns *dns, int code, const char *out, const char *err)
{
    program_wait(&dns->program, &dns->result);
    ck_assert_str_eq(dns->result.out, out);
    ck_assert_str_eq(dns->result.err, err);
    ck_assert_int_eq(dns->result.code, code);
    close(dns->server);
}

/* The next query, and an answer without records. */
static struct exchange dns_next(struct dns *dns)
{
    struct exchange exchange = {.server = dns->server};

    exchange.query_len =
        datagram_peer_receive(dns->server, exchange.query, MESSAGE, &exchange.client);
    ck_assert_uint_gt(exchange.query_len, HEADER + 5);
    ck_assert_mem_eq(exchange.query + 2, "\x01\0\0\1\0\0\0\0\0\0", 10);
    exchange.type = (unsigned)(exchange.query[exchange.query_len - 4] << 8 |
                               exchange.query[exchange.query_len - 3]);
    memcpy(exchange.answer, exchange.query, exchange.query_len);
    exchange.answer[2] |= 0x80;
    exchange.len = exchange.query_len;
    return exchange;
}

static void dns_add(struct exchange *exchange, const void *data, size_t len)
{
    memcpy(exchange->answer + exchange->len, data, len);
    exchange->len += len;
}

/* Add a record that holds for an hour; `name` as it stands in the message. */
static void dns_add_record(struct exchange *exchange, const void *name, size_t name_len,
                           unsigned type, const void *data, size_t len)
{
    const unsigned char fields[] = {0,
                                    (unsigned char)type,
                                    0,
                                    1,
                                    0,
                                    0,
                                    0x0e,
                                    0x10,
                                    (unsigned char)(len >> 8),
                                    (unsigned char)len};

    dns_add(exchange, name, name_len);
    dns_add(exchange, fields, sizeof fields);
    dns_add(exchange, data, len);
    exchange->answer[7]++;
}

/* The name of the question, by a pointer to it. */
#define OF_QUESTION "\xc0\x0c", 2

static void dns_reply(const struct exchange *exchange)
{
    datagram_peer_send(exchange->server, exchange->answer, exchange->len, &exchange->client);
}

/* Answer the other questions with nothing. */
static void dns_reply_nothing(struct dns *dns, int count)
{
    for (int i = 0; i < count; i++) {
        struct exchange exchange = dns_next(dns);

        dns_reply(&exchange);
    }
}

static void add_records(struct exchange *exchange)
{
    size_t mail = exchange->query_len + 12; /* where the data of the first record is */

    switch (exchange->type) {
    case TYPE_A:
        dns_add_record(exchange, OF_QUESTION, TYPE_CNAME, "\4real\xc0\x10", 7);
        dns_add_record(exchange, "\4real\xc0\x10", 7, TYPE_A, "\xc0\0\2\1", 4);
        dns_add_record(exchange, "\4real\xc0\x10", 7, TYPE_A, "\xc0\0\2\2", 4);
        break;
    case TYPE_AAAA:
        dns_add_record(exchange, OF_QUESTION, TYPE_CNAME, "\4real\xc0\x10", 7);
        dns_add_record(exchange, OF_QUESTION, TYPE_AAAA, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1",
                       16);
        break;
    case TYPE_MX: {
        unsigned char second[] = {0, 20, 1, 'b', 0xc0, (unsigned char)(mail + 2 + 2)};

        dns_add_record(exchange, OF_QUESTION, TYPE_MX, "\0\12\1a\4mail\4test\0", 15);
        dns_add_record(exchange, OF_QUESTION, TYPE_MX, second, sizeof second);
        break;
    }
    default:
        dns_add_record(exchange, OF_QUESTION, TYPE_TXT, "\5v=spf\0\4a\"\\\1", 12);
    }
}

ANYC_TEST_PLAIN(test_dns_query__shows_records_of_all_types)
{
    struct dns *dns = dns_start("www.test", "5");

    for (int i = 0; i < TYPES; i++) {
        struct exchange exchange = dns_next(dns);

        ck_assert_mem_eq(exchange.query + HEADER, "\3www\4test\0", 10);
        add_records(&exchange);
        dns_reply(&exchange);
    }
    dns_end(dns, 0,
            "www.test. 3600 CNAME real.test.\n"
            "real.test. 3600 A 192.0.2.1\n"
            "real.test. 3600 A 192.0.2.2\n"
            "www.test. 3600 AAAA 2001:db8::1\n"
            "www.test. 3600 MX 10 a.mail.test.\n"
            "www.test. 3600 MX 20 b.mail.test.\n"
            "www.test. 3600 TXT \"v=spf\" \"\" \"a\\\"\\\\\\001\"\n",
            "");
}

/* What is lost is asked for again, by the same question. */
ANYC_TEST_PLAIN(test_dns_query__asks_again)
{
    struct dns *dns = dns_start("test", "0.3");
    struct exchange first[TYPE_AAAA + 1] = {{.query_len = 0}};

    for (int answered = 0; answered < TYPES;) {
        struct exchange exchange = dns_next(dns);
        struct exchange *known = &first[exchange.type];

        if (known->query_len == 0) {
            *known = exchange;
            continue;
        }
        ck_assert_uint_eq(exchange.query_len, known->query_len);
        ck_assert_mem_eq(exchange.query, known->query, known->query_len);
        if (exchange.type == TYPE_A)
            dns_add_record(&exchange, OF_QUESTION, TYPE_A, "\xc0\0\2\1", 4);
        dns_reply(&exchange);
        answered++;
    }
    dns_end(dns, 0, "test. 3600 A 192.0.2.1\n", "");
}

ANYC_TEST_PLAIN(test_dns_query__gives_up_in_the_end)
{
    struct dns *dns = dns_start("test", "0.05");

    dns_end(dns, 1, "", "A: no answer\nAAAA: no answer\nMX: no answer\nTXT: no answer\n");
}

/* Nobody is there: that is told as silence is, after the same time. */
ANYC_TEST_PLAIN(test_dns_query__gives_up_when_it_is_refused)
{
    struct program program;
    static struct program_result result;
    char port[16];

    snprintf(port, sizeof port, "%d", anyc_testing_free_udp_port());
    program_start(&program, "dns_query", "--port", port, "--timeout", "0.02", "test", "127.0.0.1",
                  NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 1);
    ck_assert_str_eq(result.err, "A: no answer\nAAAA: no answer\nMX: no answer\nTXT: no answer\n");
}

/* Wrong answers, each with an address that must not be shown. */
static void reply_wrongly(const struct exchange *exchange)
{
    struct exchange wrong = *exchange;
    int stranger = datagram_peer_udp(AF_INET, 0);

    wrong.server = stranger; /* who was not asked */
    dns_reply(&wrong);
    close(stranger);
    wrong = *exchange;
    wrong.answer[1] ^= 1; /* another id */
    dns_reply(&wrong);
    wrong = *exchange;
    wrong.answer[2] &= 0x7f; /* a query */
    dns_reply(&wrong);
    wrong = *exchange;
    wrong.answer[2] |= 0x08; /* another operation */
    dns_reply(&wrong);
    wrong = *exchange;
    wrong.answer[HEADER + 1] ^= 1; /* another name */
    dns_reply(&wrong);
    wrong = *exchange;
    wrong.answer[5] = 2; /* two questions */
    dns_reply(&wrong);
    wrong = *exchange;
    wrong.len = exchange->query_len - 1; /* half a question */
    dns_reply(&wrong);
    wrong.len = 0;
    dns_reply(&wrong);
}

/* From a wrong source, with a wrong id, to another question: passed over. */
ANYC_TEST_PLAIN(test_dns_query__passes_over_wrong_answers)
{
    struct dns *dns = dns_start("test", "5");

    for (int i = 0; i < TYPES; i++) {
        struct exchange right = dns_next(dns);
        struct exchange wrong = right;

        if (right.type == TYPE_A) {
            dns_add_record(&wrong, OF_QUESTION, TYPE_A, "\xc0\0\2\x66", 4);
            reply_wrongly(&wrong);
            right.answer[HEADER + 1] ^= 0x20; /* capital letters are the same */
            dns_add_record(&right, OF_QUESTION, TYPE_A, "\xc0\0\2\1", 4);
        }
        dns_reply(&right);
    }
    dns_end(dns, 0, "Test. 3600 A 192.0.2.1\n", "");
}

ANYC_TEST_PLAIN(test_dns_query__says_what_the_server_said)
{
    struct dns *dns = dns_start("test", "5");

    for (int i = 0; i < TYPES; i++) {
        struct exchange exchange = dns_next(dns);

        if (exchange.type == TYPE_A)
            exchange.answer[3] = 3;
        else if (exchange.type == TYPE_MX)
            exchange.answer[3] = 5;
        else if (exchange.type == TYPE_TXT)
            exchange.answer[2] |= 0x02;
        dns_reply(&exchange);
    }
    dns_end(dns, 1, "",
            "A: no such name (code 3)\nMX: the server refuses (code 5)\n"
            "TXT: there is more, which does not fit into a datagram\n");
}

/* An answer to the first question that breaks the rules, after one good record. */
static void broken_answer(void (*spoil)(struct exchange *exchange))
{
    struct dns *dns = dns_start("test", "5");

    for (int i = 0; i < TYPES; i++) {
        struct exchange exchange = dns_next(dns);

        if (exchange.type == TYPE_A) {
            dns_add_record(&exchange, OF_QUESTION, TYPE_A, "\xc0\0\2\1", 4);
            spoil(&exchange);
        }
        dns_reply(&exchange);
    }
    dns_end(dns, 1, "test. 3600 A 192.0.2.1\n", "A: the answer is broken\n");
}

static void add_at(struct exchange *exchange, size_t offset)
{
    const unsigned char pointer[] = {(unsigned char)(0xc0 | offset >> 8), (unsigned char)offset};

    dns_add_record(exchange, pointer, sizeof pointer, TYPE_A, "\xc0\0\2\2", 4);
}

static void point_to_itself(struct exchange *exchange)
{
    add_at(exchange, exchange->len);
}

static void point_forward(struct exchange *exchange)
{
    add_at(exchange, exchange->len + 2);
}

static void point_outside(struct exchange *exchange)
{
    add_at(exchange, 0x3fff);
}

/* A label, then a pointer to that label. */
static void point_in_a_ring(struct exchange *exchange)
{
    const unsigned char ring[] = {1, 'x', (unsigned char)(0xc0 | exchange->len >> 8),
                                  (unsigned char)exchange->len};

    dns_add_record(exchange, ring, sizeof ring, TYPE_A, "\xc0\0\2\2", 4);
}

static void promise_more(struct exchange *exchange)
{
    exchange->answer[7] = 200;
}

static void cut_the_data(struct exchange *exchange)
{
    dns_add_record(exchange, OF_QUESTION, TYPE_A, "\xc0\0\2\2", 4);
    exchange->len -= 2;
}

static void add_half_an_address(struct exchange *exchange)
{
    dns_add_record(exchange, OF_QUESTION, TYPE_A, "\xc0\0", 2);
}

static void add_an_odd_label(struct exchange *exchange)
{
    dns_add_record(exchange, "\x41wrong\0", 7, TYPE_A, "\xc0\0\2\2", 4);
}

/* The name in the data goes on behind the data. */
static void add_a_name_that_overlaps(struct exchange *exchange)
{
    dns_add_record(exchange, OF_QUESTION, TYPE_CNAME, "\4re", 3);
    dns_add(exchange, "al\0\0\0\0", 6);
}

ANYC_TEST_PLAIN(test_dns_query__survives_broken_answers)
{
    broken_answer(point_to_itself);
    broken_answer(point_forward);
    broken_answer(point_outside);
    broken_answer(point_in_a_ring);
    broken_answer(promise_more);
    broken_answer(cut_the_data);
    broken_answer(add_half_an_address);
    broken_answer(add_an_odd_label);
    broken_answer(add_a_name_that_overlaps);
}

/* One question is enough for an answer of bytes that cannot be shown. */
ANYC_TEST_PLAIN(test_dns_query__shows_odd_names)
{
    struct dns *dns = dns_start("test", "5");

    for (int i = 0; i < TYPES; i++) {
        struct exchange exchange = dns_next(dns);

        if (exchange.type == TYPE_A)
            dns_add_record(&exchange, "\5a.b\\\xff\0", 7, TYPE_A, "\xc0\0\2\1", 4);
        dns_reply(&exchange);
    }
    dns_end(dns, 0, "a\\.b\\\\\\255. 3600 A 192.0.2.1\n", "");
}

ANYC_TEST_PLAIN(test_dns_query__refuses_what_is_no_name)
{
    static const char *const bad[] = {
        "a..b", ".a", "0123456789012345678901234567890123456789012345678901234567890123.test"};
    static struct program_result result;
    struct program program;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        program_start(&program, "dns_query", bad[i], "127.0.0.1", NULL);
        program_wait(&program, &result);
        ck_assert_int_eq(result.code, 2);
    }
    program_start(&program, "dns_query", NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 2);
}

ANYC_TEST_PLAIN(test_dns_query__knows_names_with_an_end)
{
    struct dns *dns = dns_start("test.", "5");

    dns_reply_nothing(dns, TYPES);
    dns_end(dns, 0, "", "");
}
