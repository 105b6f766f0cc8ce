/* SPDX-License-Identifier: MIT */
/*
 * text_utf8.h - UTF-8 as RFC 3629 and the Unicode standard (3.9, table 3-7) define it.
 *
 * iconv(3) is not asked: POSIX does not say how long a broken sequence is, which each error mode has
 * to know, and implementations differ in what they let pass (surrogates, more than U+10FFFF).
 */
#ifndef ANYC_STREAMS_TEXT_UTF8_H
#define ANYC_STREAMS_TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define UTF8_MAX 4 /* bytes of a character */

/* What stands at the front of some bytes. */
enum utf8_found {
    UTF8_CHARACTER,  /* whole and right */
    UTF8_BROKEN,     /* bytes that no character begins with: as many as could have been one */
    UTF8_INCOMPLETE, /* the beginning of a character, and then the end of the bytes */
};

/* The second byte's range for a first byte, and how many follow it; 0: it cannot be first. */
static inline size_t anyc__utf8_lead(uint8_t byte, uint8_t *out_low, uint8_t *out_high)
{
    *out_low = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    *out_high = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    if (byte >= 0xC2 && byte <= 0xDF)
        return 1;
    if (byte >= 0xE0 && byte <= 0xEF)
        return 2;
    return byte >= 0xF0 && byte <= 0xF4 ? 3 : 0;
}

/* Look at the front of `len` bytes, at least 1. */
static inline enum utf8_found anyc__utf8_next(const uint8_t *bytes, size_t len, size_t *out_len)
{
    uint8_t low;
    uint8_t high;
    size_t rest;

    *out_len = 1;
    if (bytes[0] < 0x80)
        return UTF8_CHARACTER;
    rest = anyc__utf8_lead(bytes[0], &low, &high);
    if (rest == 0)
        return UTF8_BROKEN;
    for (; *out_len <= rest; ++*out_len) {
        if (*out_len == len)
            return UTF8_INCOMPLETE;
        if (bytes[*out_len] < low || bytes[*out_len] > high)
            return UTF8_BROKEN;
        low = 0x80;
        high = 0xBF;
    }
    return UTF8_CHARACTER;
}

/* How many bytes at the front are whole, right characters. */
static inline size_t anyc__utf8_valid(const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    size_t n;
    uint64_t eight;

    while (at < len) {
        if (len - at >= sizeof eight) {
            memcpy(&eight, bytes + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        if (anyc__utf8_next(bytes + at, len - at, &n) != UTF8_CHARACTER)
            break;
        at += n;
    }
    return at;
}

/* The code point of a whole character. */
static inline uint32_t anyc__utf8_code(const uint8_t *bytes, size_t len)
{
    uint32_t code = len == 1 ? bytes[0] : bytes[0] & (0x7FU >> len);

    for (size_t i = 1; i < len; i++)
        code = code << 6 | (bytes[i] & 0x3FU);
    return code;
}

/* The longest part of at most `room` bytes that does not cut a character; `len` bytes of right
 * UTF-8. 0 if there is no room for the first one. */
static inline size_t anyc__utf8_fit(const uint8_t *bytes, size_t len, size_t room)
{
    if (len <= room)
        return len;
    while (room > 0 && (bytes[room] & 0xC0) == 0x80)
        room--;
    return room;
}

#endif
