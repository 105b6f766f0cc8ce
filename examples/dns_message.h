/* SPDX-License-Identifier: MIT */
/*
 * dns_message.h - writes queries of the domain name system, and reads the answers: RFC 1035.
 *
 * An answer comes from anywhere: every length and every pointer in it is checked before it is used,
 * and each function ends whatever the message holds.
 */
#ifndef ANYC_EXAMPLES_DNS_MESSAGE_H
#define ANYC_EXAMPLES_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

enum { DNS_A = 1, DNS_CNAME = 5, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28, DNS_CLASS_IN = 1 };

/* In the flags of a message's header. */
enum { DNS_ANSWER = 0x8000, DNS_OPCODE = 0x7800, DNS_CUT = 0x0200, DNS_RECURSE = 0x0100 };
enum { DNS_RCODE = 0x000f, DNS_NO_SUCH_NAME = 3 };

enum {
    DNS_HEADER_SIZE = 12,
    DNS_LABEL_MAX = 63,
    DNS_NAME_MAX = 255,   /* bytes of a name in a message */
    DNS_JUMPS_MAX = 127,  /* more pointers than any name has labels */
    DNS_NAME_TEXT = 1024, /* room for a name as text: \DDD for each byte at worst */
    DNS_QUERY_SIZE = 12 + 255 + 4,
};

/* A message, and how far it was read. */
struct dns_reader {
    const uint8_t *message;
    size_t size;
    size_t at;
    unsigned answers_left;
    bool broken; /* it is not what RFC 1035 says */
};

/* One record of an answer. */
struct dns_record {
    char name[DNS_NAME_TEXT];
    uint16_t type;
    uint16_t in_class;
    uint32_t seconds; /* how long it holds */
    size_t data;      /* where its data begins in the message */
    size_t data_len;
};

/* Text that grows; what does not fit is left out. */
struct dns_text {
    char *out;
    size_t size;
    size_t len;
};

/* -- writing -- */

static inline void dns_put_16(uint8_t *out, unsigned value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

/* "example.org" as labels. Its length, or 0 if it is no name. */
static inline size_t dns_put_name(uint8_t *out, const char *name)
{
    size_t len = 0;

    while (*name != '\0' && strcmp(name, ".") != 0) {
        size_t label = strcspn(name, ".");

        if (label == 0 || label > DNS_LABEL_MAX || len + label + 2 > DNS_NAME_MAX)
            return 0;
        out[len] = (uint8_t)label;
        memcpy(out + len + 1, name, label);
        len += label + 1;
        name += label;
        if (*name == '.')
            name++;
    }
    out[len] = 0; /* the root */
    return len + 1;
}

/* A query for one type of record, by a server that asks others if it must. `out` has DNS_QUERY_SIZE
 * bytes. Its length, or 0 if the name is none. */
static inline size_t dns_put_query(uint8_t *out, unsigned id, const char *name, unsigned type)
{
    size_t len;

    memset(out, 0, DNS_HEADER_SIZE);
    dns_put_16(out, id);
    dns_put_16(out + 2, DNS_RECURSE);
    dns_put_16(out + 4, 1); /* question */
    len = dns_put_name(out + DNS_HEADER_SIZE, name);
    if (len == 0)
        return 0;
    len += DNS_HEADER_SIZE;
    dns_put_16(out + len, type);
    dns_put_16(out + len + 2, DNS_CLASS_IN);
    return len + 4;
}

/* -- text -- */

static inline void dns_text_add(struct dns_text *text, const char *part)
{
    size_t len = strlen(part);

    if (text->len + len >= text->size)
        len = text->size - 1 - text->len;
    memcpy(text->out + text->len, part, len);
    text->len += len;
    text->out[text->len] = '\0';
}

/* Bytes as in RFC 1035 section 5.1: \. for what means something here, \DDD for what cannot be
 * shown. */
static inline void dns_text_add_bytes(struct dns_text *text, const uint8_t *bytes, size_t len,
                                      const char *special)
{
    char part[8];

    for (size_t i = 0; i < len; i++) {
        uint8_t byte = bytes[i];

        if (byte < 0x20 || byte > 0x7e)
            snprintf(part, sizeof part, "\\%03u", (unsigned)byte);
        else if (strchr(special, byte) != NULL)
            snprintf(part, sizeof part, "\\%c", byte);
        else
            snprintf(part, sizeof part, "%c", byte);
        dns_text_add(text, part);
    }
}

/* -- reading -- */

static inline unsigned dns_get_16(const uint8_t *at)
{
    return (unsigned)(at[0] << 8 | at[1]);
}

/* Reads the name at `at` as text; answers where it ends, or 0 if it is broken. A name may go on
 * somewhere before itself in the message: each pointer must go further back than the one before. */
static inline size_t dns_get_name(const uint8_t *message, size_t size, size_t at,
                                  struct dns_text *out_text)
{
    size_t back = at; /* pointers go to a place before this one */
    size_t end = 0;   /* of the name where it was found; 0: not known yet */
    size_t len = 1;   /* of the name in full */
    int jumps = 0;

    out_text->out[0] = '\0';
    while (at < size && message[at] != 0) {
        size_t label = message[at];

        if ((label & 0xc0) == 0xc0 && at + 1 < size && jumps < DNS_JUMPS_MAX) {
            end = end == 0 ? at + 2 : end;
            at = dns_get_16(message + at) & 0x3fff;
            if (at >= back)
                return 0;
            back = at;
            jumps++;
            continue;
        }
        len += label + 1;
        if (label > DNS_LABEL_MAX || at + 1 + label > size || len > DNS_NAME_MAX)
            return 0;
        dns_text_add_bytes(out_text, message + at + 1, label, ".\\");
        dns_text_add(out_text, ".");
        at += label + 1;
    }
    if (at >= size)
        return 0;
    if (out_text->len == 0)
        dns_text_add(out_text, ".");
    return end == 0 ? at + 1 : end;
}

/* Is this the answer to that query? Its id must be the same, and so must the question, but for
 * small and capital letters. */
static inline bool dns_is_answer(const uint8_t *message, size_t size, const uint8_t *query,
                                 size_t query_size)
{
    if (size < query_size || memcmp(message, query, 2) != 0)
        return false;
    if ((dns_get_16(message + 2) & (DNS_ANSWER | DNS_OPCODE)) != DNS_ANSWER)
        return false;
    if (dns_get_16(message + 4) != 1)
        return false;
    for (size_t i = DNS_HEADER_SIZE; i < query_size; i++) {
        uint8_t a = message[i];
        uint8_t b = query[i];

        if (a >= 'A' && a <= 'Z')
            a = (uint8_t)(a - 'A' + 'a');
        if (b >= 'A' && b <= 'Z')
            b = (uint8_t)(b - 'A' + 'a');
        if (a != b)
            return false;
    }
    return true;
}

/* Begin to read the answers of a message with one question. */
static inline struct dns_reader dns_read(const uint8_t *message, size_t size)
{
    struct dns_reader reader = {.message = message, .size = size};
    char name[DNS_NAME_TEXT];
    struct dns_text text = {name, sizeof name, 0};

    reader.broken = size < DNS_HEADER_SIZE || dns_get_16(message + 4) != 1;
    if (reader.broken)
        return reader;
    reader.answers_left = dns_get_16(message + 6);
    reader.at = dns_get_name(message, size, DNS_HEADER_SIZE, &text);
    reader.broken = reader.at == 0 || size - reader.at < 4;
    reader.at += 4; /* type and class */
    return reader;
}

/* The next record. False at the end, or when the message is broken. */
static inline bool dns_read_record(struct dns_reader *reader, struct dns_record *out)
{
    struct dns_text text = {out->name, sizeof out->name, 0};
    const uint8_t *fields;
    size_t at;

    if (reader->broken || reader->answers_left == 0)
        return false;
    reader->answers_left--;
    at = dns_get_name(reader->message, reader->size, reader->at, &text);
    reader->broken = at == 0 || reader->size - at < 10;
    if (reader->broken)
        return false;
    fields = reader->message + at;
    out->type = (uint16_t)dns_get_16(fields);
    out->in_class = (uint16_t)dns_get_16(fields + 2);
    out->seconds = (uint32_t)dns_get_16(fields + 4) << 16 | dns_get_16(fields + 6);
    out->data = at + 10;
    out->data_len = dns_get_16(fields + 8);
    reader->broken = reader->size - out->data < out->data_len;
    reader->at = out->data + out->data_len;
    return !reader->broken;
}

/* -- data of records -- */

/* A name that is all there is from `at` to the end of the data. */
static inline bool dns_show_name(const struct dns_reader *reader, const struct dns_record *record,
                                 size_t at, struct dns_text *text)
{
    char name[DNS_NAME_TEXT];
    struct dns_text found = {name, sizeof name, 0};
    size_t end = record->data + record->data_len;

    if (at >= end || dns_get_name(reader->message, reader->size, at, &found) != end)
        return false;
    dns_text_add(text, name);
    return true;
}

/* Strings, each with its length in front. */
static inline bool dns_show_strings(const struct dns_reader *reader,
                                    const struct dns_record *record, struct dns_text *text)
{
    size_t at = record->data;
    size_t end = record->data + record->data_len;

    while (at < end && end - at > reader->message[at]) {
        size_t len = reader->message[at];

        dns_text_add(text, at == record->data ? "\"" : " \"");
        dns_text_add_bytes(text, reader->message + at + 1, len, "\"\\");
        dns_text_add(text, "\"");
        at += len + 1;
    }
    return at == end;
}

static inline bool dns_show_address(const struct dns_reader *reader,
                                    const struct dns_record *record, int family,
                                    struct dns_text *text)
{
    char address[INET6_ADDRSTRLEN];

    if (record->data_len != (family == AF_INET6 ? 16 : 4))
        return false;
    inet_ntop(family, reader->message + record->data, address, sizeof address);
    dns_text_add(text, address);
    return true;
}

/* "A", "AAAA" ...; NULL for types that are not known here. */
static inline const char *dns_type_name(unsigned type)
{
    switch (type) {
    case DNS_A:
        return "A";
    case DNS_CNAME:
        return "CNAME";
    case DNS_MX:
        return "MX";
    case DNS_TXT:
        return "TXT";
    case DNS_AAAA:
        return "AAAA";
    default:
        return NULL;
    }
}

/* The data of a record as text, cut to fit. False if it is not as its type says. */
static inline bool dns_show(const struct dns_reader *reader, const struct dns_record *record,
                            char *out, size_t size)
{
    struct dns_text text = {out, size, 0};
    char part[32];

    out[0] = '\0';
    switch (record->type) {
    case DNS_A:
        return dns_show_address(reader, record, AF_INET, &text);
    case DNS_AAAA:
        return dns_show_address(reader, record, AF_INET6, &text);
    case DNS_CNAME:
        return dns_show_name(reader, record, record->data, &text);
    case DNS_MX:
        if (record->data_len < 3)
            return false;
        snprintf(part, sizeof part, "%u ", dns_get_16(reader->message + record->data));
        dns_text_add(&text, part);
        return dns_show_name(reader, record, record->data + 2, &text);
    case DNS_TXT:
        return dns_show_strings(reader, record, &text);
    default:
        snprintf(part, sizeof part, "%zu bytes", record->data_len);
        dns_text_add(&text, part);
        return true;
    }
}

#endif
