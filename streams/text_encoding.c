/* SPDX-License-Identifier: MIT */
/*
 * text_encoding.c - the names of encodings.
 *
 * POSIX leaves to the system which names iconv(3) knows and whether "UTF-16" reads or writes a
 * byte-order mark. So anyc has the marks in its own hands and asks iconv only for encodings with a
 * byte order in their names; it knows a few names that not every iconv has, and tries one that iconv
 * does not know without its underscores.
 */
#include "streams/text_encoding.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TEXT_NATIVE "LE"
#define TEXT_FIRST_MARK 0
#else
#define TEXT_NATIVE "BE"
#define TEXT_FIRST_MARK 1
#endif

/* A name, without its case and all but letters and digits. */
struct text_alias {
    const char *folded;
    const char *name;
    size_t unit;
    bool utf8;
    bool mark;
};

static const struct text_alias text_aliases[] = {
    {"utf8", "UTF-8", 1, true, false},
    {"utf8sig", "UTF-8", 1, true, true},
    {"utf16", "UTF-16" TEXT_NATIVE, 2, false, true},
    {"utf16le", "UTF-16LE", 2, false, false},
    {"utf16be", "UTF-16BE", 2, false, false},
    {"utf32", "UTF-32" TEXT_NATIVE, 4, false, true},
    {"utf32le", "UTF-32LE", 4, false, false},
    {"utf32be", "UTF-32BE", 4, false, false},
    {"latin1", "ISO-8859-1", 1, false, false},
    {"ascii", "US-ASCII", 1, false, false},
    {"usascii", "US-ASCII", 1, false, false},
    {"shiftjis", "SHIFT_JIS", 1, false, false},
    {"sjis", "SHIFT_JIS", 1, false, false},
    /* For the length of their units; glibc lets more than U+10FFFF pass in what it calls UCS-4. */
    {"ucs2", "UCS-2", 2, false, false},
    {"ucs2le", "UCS-2LE", 2, false, false},
    {"ucs2be", "UCS-2BE", 2, false, false},
    {"ucs4", "UTF-32BE", 4, false, false},
    {"ucs4be", "UTF-32BE", 4, false, false},
    {"ucs4le", "UTF-32LE", 4, false, false},
    {"csucs4", "UTF-32BE", 4, false, false},
    {"iso10646", "UTF-32BE", 4, false, false},
    {"1064611993", "UTF-32BE", 4, false, false},
    {"wchart", "UTF-32" TEXT_NATIVE, 4, false, false},
};

/* In the order for little-endian computers, and for the others. */
static const struct text_mark text_marks_utf8[] = {{{0xEF, 0xBB, 0xBF, 0}, 3, "UTF-8"},
                                                   {{0}, 0, NULL}};
static const struct text_mark text_marks_utf16[][3] = {
    {{{0xFF, 0xFE, 0, 0}, 2, "UTF-16LE"}, {{0xFE, 0xFF, 0, 0}, 2, "UTF-16BE"}, {{0}, 0, NULL}},
    {{{0xFE, 0xFF, 0, 0}, 2, "UTF-16BE"}, {{0xFF, 0xFE, 0, 0}, 2, "UTF-16LE"}, {{0}, 0, NULL}},
};
static const struct text_mark text_marks_utf32[][3] = {
    {{{0xFF, 0xFE, 0, 0}, 4, "UTF-32LE"}, {{0, 0, 0xFE, 0xFF}, 4, "UTF-32BE"}, {{0}, 0, NULL}},
    {{{0, 0, 0xFE, 0xFF}, 4, "UTF-32BE"}, {{0xFF, 0xFE, 0, 0}, 4, "UTF-32LE"}, {{0}, 0, NULL}},
};

/* False if the name cannot be one. */
static bool encoding_fold(const char *name, char folded[TEXT_NAME_MAX])
{
    size_t len = strlen(name);
    size_t n = 0;

    if (len == 0 || len >= TEXT_NAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];

        if (c == '/') /* "//IGNORE" and the like would change what an error is */
            return false;
        if (c < 0x80 && isalnum(c))
            folded[n++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    folded[n] = '\0';
    return n > 0; /* iconv takes an empty name for the locale's encoding */
}

int anyc__text_encoding_find(const char *name, struct text_encoding *out_encoding)
{
    const size_t count = sizeof text_aliases / sizeof text_aliases[0];
    char folded[TEXT_NAME_MAX];

    if (name == NULL)
        name = "UTF-8";
    if (!encoding_fold(name, folded))
        return anyc__fail(ANYC_EINVAL, 0, "unknown encoding '%.80s'", name);
    *out_encoding = (struct text_encoding){.unit = 1};
    for (size_t i = 0; i < count; i++) {
        const struct text_alias *alias = &text_aliases[i];

        if (strcmp(folded, alias->folded) == 0) {
            out_encoding->unit = alias->unit;
            out_encoding->utf8 = alias->utf8;
            out_encoding->mark = alias->mark;
            name = alias->name;
            break;
        }
    }
    memcpy(out_encoding->name, name, strlen(name) + 1);
    return 0;
}

const struct text_mark *anyc__text_encoding_marks(const struct text_encoding *encoding)
{
    if (encoding->unit == 1)
        return text_marks_utf8;
    return encoding->unit == 2 ? text_marks_utf16[TEXT_FIRST_MARK]
                               : text_marks_utf32[TEXT_FIRST_MARK];
}

/* The ways to write a name: as it is; with '-' for '_', as Python's euc_jp; folded, iso2022_jp. */
enum encoding_way { WAY_AS_IT_IS, WAY_DASHES, WAY_FOLDED, WAYS };

static void encoding_write(const char *name, enum encoding_way way, char out[TEXT_NAME_MAX])
{
    if (way == WAY_FOLDED && encoding_fold(name, out))
        return;
    memcpy(out, name, strlen(name) + 1);
    for (char *at = out; way == WAY_DASHES && *at != '\0'; at++) {
        if (*at == '_')
            *at = '-';
    }
}

int anyc__text_iconv_open(const char *to, const char *from, iconv_t *out_cd)
{
    const bool decodes = strcmp(to, "UTF-8") == 0;
    const char *other = decodes ? from : to;
    char name[TEXT_NAME_MAX];
    iconv_t cd = TEXT_NO_ICONV;

    errno = EINVAL;
    for (int way = WAY_AS_IT_IS; way < WAYS && cd == TEXT_NO_ICONV && errno == EINVAL; way++) {
        encoding_write(other, (enum encoding_way)way, name);
        cd = decodes ? iconv_open("UTF-8", name) : iconv_open(name, "UTF-8");
    }
    if (cd != TEXT_NO_ICONV) {
        *out_cd = cd;
        return 0;
    }
    if (errno == EINVAL)
        return anyc__fail(ANYC_EINVAL, EINVAL, "unknown encoding '%s'", other);
    return anyc__fail_errno(errno, "encoding '%s'", other);
}

int anyc__text_append(struct byte_buffer *buffer, const void *data, size_t len)
{
    int rc = anyc__byte_buffer_reserve(buffer, len);

    if (rc < 0)
        return anyc__fail_plain(rc);
    anyc__byte_buffer_append(buffer, data, len);
    return 0;
}

int anyc__text_append_escaped(struct byte_buffer *buffer, const uint8_t *bytes, size_t len)
{
    int rc = anyc__byte_buffer_reserve(buffer, 4 * len);
    char escape[5];

    if (rc < 0)
        return anyc__fail_plain(rc);
    for (size_t i = 0; i < len; i++) {
        snprintf(escape, sizeof escape, "\\x%02x", bytes[i]);
        anyc__byte_buffer_append(buffer, escape, 4);
    }
    return 0;
}

const char *anyc__text_bytes(const uint8_t *bytes, size_t len, char out[TEXT_BYTES_MAX])
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < len && i < 4; i++)
        at +=
            (size_t)snprintf(out + at, TEXT_BYTES_MAX - at, "%s0x%02x", i > 0 ? " " : "", bytes[i]);
    if (len > 4)
        snprintf(out + at, TEXT_BYTES_MAX - at, " ...");
    return out;
}
