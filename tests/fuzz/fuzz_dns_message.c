/* SPDX-License-Identifier: MIT */
/*
 * fuzz_dns_message.c - reads answers of name servers with examples/dns_message.h: it ends, stays
 * within the message, and the texts stay within their room.
 */
#include "fuzz.h"

#include "examples/dns_message.h"

#include <stdlib.h>

/* The text ends within its room, and holds nothing that cannot be shown. */
static void check_text(const char *text, size_t size)
{
    size_t len = strnlen(text, size);

    if (len == size)
        abort();
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            abort();
    }
}

static void show(const struct dns_reader *reader, const struct dns_record *record)
{
    static char large[65536 * 4];
    char small[16];

    check_text(record->name, sizeof record->name);
    if (dns_show(reader, record, large, sizeof large) !=
        dns_show(reader, record, small, sizeof small))
        abort();
    check_text(large, sizeof large);
    check_text(small, sizeof small);
    if (strncmp(large, small, strlen(small)) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dns_record record;
    struct dns_reader reader = dns_read(data, size);
    uint8_t query[DNS_QUERY_SIZE];
    size_t query_len = dns_put_query(query, 0x1234, "www.test", DNS_A);
    size_t count = 0;

    while (dns_read_record(&reader, &record)) {
        if (record.data > size || record.data_len > size - record.data || ++count > 65535)
            abort();
        show(&reader, &record);
    }
    if (dns_is_answer(data, size, query, query_len) && size < query_len)
        abort();
    return 0;
}
