/* SPDX-License-Identifier: MIT */
/*
 * path_match.c - patterns against names and whole paths. AnyIO: Path.match, Path.full_match.
 *
 * Both are scanned once, with one place to come back to: a star that failed to match is tried
 * again one character further on, and a star before it need not be, since the later one can match
 * whatever that would have left over. So the time is at most the product of the lengths.
 */
#include "os/path_match.h"

#include <anyc/error.h>

#include "core/error.h"
#include "os/path.h"

#include <stdint.h>
#include <string.h>
#include <wctype.h>

/* What a byte that is no UTF-8 counts as: Python's surrogate escapes. */
#define CHAR_ESCAPE 0xDC00u

/* -- characters -- */

/* How many bytes follow the first one of a character, and the least that it may stand for; -1: no
 * first byte. */
static int char_follow(unsigned char first, uint32_t *out_value, uint32_t *out_least)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    int follow = first < 0x80 ? 0 : first < 0xC2 ? -1 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;

    if (first > 0xF4)
        follow = -1;
    if (follow >= 0) {
        *out_value = follow == 0 ? first : first & (0x3Fu >> follow);
        *out_least = least[follow];
    }
    return follow;
}

/* The character at the start of a text that is not empty, and its length in bytes. */
static uint32_t char_decode(const char *text, size_t len, size_t *out_len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    uint32_t value = 0;
    uint32_t least = 0;
    int follow = char_follow(bytes[0], &value, &least);

    *out_len = 1;
    if (follow < 0 || (size_t)follow >= len)
        return CHAR_ESCAPE + bytes[0];
    for (int i = 1; i <= follow; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return CHAR_ESCAPE + bytes[0];
        value = value << 6 | (bytes[i] & 0x3Fu);
    }
    if (value < least || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
        return CHAR_ESCAPE + bytes[0];
    *out_len = (size_t)follow + 1;
    return value;
}

static uint32_t char_lower(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return (uint32_t)towlower((wint_t)c);
}

static uint32_t char_upper(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? c - 32 : c;
    return (uint32_t)towupper((wint_t)c);
}

/* A text that is read character by character. */
struct chars {
    const char *at;
    const char *end;
};

static uint32_t chars_next(struct chars *chars)
{
    size_t len;
    uint32_t c = char_decode(chars->at, (size_t)(chars->end - chars->at), &len);

    chars->at += len;
    return c;
}

/* -- sets -- */

/* The end of the set that begins behind a '[': its ']', or NULL. */
static const char *set_end(const char *at, const char *end)
{
    if (at < end && *at == '!')
        at++;
    if (at < end && *at == ']')
        at++;
    return at < end ? memchr(at, ']', (size_t)(end - at)) : NULL;
}

/* Is the character one of those between? A '-' with one on each side is a range. */
static bool set_has(struct chars set, uint32_t c)
{
    while (set.at < set.end) {
        uint32_t low = chars_next(&set);
        uint32_t high = low;

        if (set.end - set.at >= 2 && *set.at == '-') {
            set.at++;
            high = chars_next(&set);
        }
        if (c >= low && c <= high)
            return true;
    }
    return false;
}

static bool set_match(struct chars set, uint32_t c, bool ignore_case)
{
    bool negated = set.at < set.end && *set.at == '!';
    bool found;

    if (negated)
        set.at++;
    found = set_has(set, c);
    if (ignore_case)
        found = found || set_has(set, char_lower(c)) || set_has(set, char_upper(c));
    return found != negated;
}

/* -- one part -- */

/* Takes one item of the pattern, no star, and one character of the name. Do they match? */
static bool part_step(struct chars *pattern, struct chars *name, bool ignore_case)
{
    uint32_t c = chars_next(name);
    uint32_t p = chars_next(pattern);

    if (p == '?')
        return true;
    if (p == '[') {
        const char *end = set_end(pattern->at, pattern->end);

        if (end != NULL) {
            struct chars set = {pattern->at, end};

            pattern->at = end + 1;
            return set_match(set, c, ignore_case);
        }
    }
    return p == c || (ignore_case && char_lower(p) == char_lower(c));
}

bool anyc__path_part_match(const char *pattern_text, size_t pattern_len, const char *name_text,
                           size_t name_len, bool ignore_case)
{
    struct chars pattern = {pattern_text, pattern_text + pattern_len};
    struct chars name = {name_text, name_text + name_len};
    struct chars star = {NULL, NULL};  /* the pattern behind the last star */
    struct chars tried = {NULL, NULL}; /* what follows all that this star has matched */

    while (name.at < name.end) {
        if (pattern.at < pattern.end && *pattern.at == '*') {
            pattern.at++;
            star = pattern;
            tried = name;
        } else if (pattern.at < pattern.end && part_step(&pattern, &name, ignore_case)) {
            continue;
        } else if (star.at != NULL) {
            (void)chars_next(&tried);
            name = tried;
            pattern = star;
        } else {
            return false;
        }
    }
    while (pattern.at < pattern.end && *pattern.at == '*')
        pattern.at++;
    return pattern.at == pattern.end;
}

bool anyc__path_part_is_wild(const char *pattern, size_t pattern_len)
{
    return memchr(pattern, '*', pattern_len) != NULL || memchr(pattern, '?', pattern_len) != NULL ||
           memchr(pattern, '[', pattern_len) != NULL;
}

/* -- whole paths -- */

static int match_from_right(const anyc_path *path, const anyc_path *pattern, bool ignore_case)
{
    const char *name_end = path->text + path->len;
    const char *part_end = pattern->text + pattern->len;
    const char *name_start = path->text + anyc__path_root_len(path->text);
    const char *part_start = pattern->text + anyc__path_root_len(pattern->text);

    if (anyc__path_text_is_empty(path->text))
        name_end = name_start;
    while (part_end > part_start) {
        const char *part = part_end;
        const char *name = name_end;

        if (name_end <= name_start)
            return 0;
        while (part > part_start && part[-1] != '/')
            part--;
        while (name > name_start && name[-1] != '/')
            name--;
        if (!anyc__path_part_match(part, (size_t)(part_end - part), name, (size_t)(name_end - name),
                                   ignore_case))
            return 0;
        part_end = part - 1;
        name_end = name - 1;
    }
    if (!anyc_path_is_absolute(pattern))
        return 1;
    return name_end <= name_start && part_start - pattern->text == name_start - path->text;
}

int anyc_path_match(const anyc_path *path, const char *pattern,
                    const anyc_path_match_options *options)
{
    anyc_path *parsed = NULL;
    int rc = anyc_path_create(pattern, NULL, &parsed);

    if (rc < 0)
        return rc;
    if (anyc__path_text_is_empty(parsed->text))
        rc = anyc__fail(ANYC_EINVAL, 0, "path: the pattern is empty");
    else
        rc = match_from_right(path, parsed, options != NULL && options->ignore_case);
    anyc_path_destroy(parsed);
    return rc;
}

/* A text of parts between slashes; `at` is NULL behind the last one. */
struct parts {
    const char *at;
};

static size_t parts_len(const struct parts *parts)
{
    return strcspn(parts->at, "/");
}

static void parts_next(struct parts *parts)
{
    const char *end = parts->at + parts_len(parts);

    parts->at = *end == '/' ? end + 1 : NULL;
}

static bool parts_is(const struct parts *parts, const char *text)
{
    return parts_len(parts) == strlen(text) && memcmp(parts->at, text, strlen(text)) == 0;
}

static bool full_match_part(const struct parts *pattern, const struct parts *name, bool ignore_case)
{
    size_t name_len = parts_len(name);

    if (parts_is(pattern, "*"))
        return name_len > 0;
    return anyc__path_part_match(pattern->at, parts_len(pattern), name->at, name_len, ignore_case);
}

/* Leaves out the first part that a "**" is to match, or gives up: alone it may not be empty. */
static bool full_match_widen(struct parts *tried, bool is_first)
{
    bool was_empty = parts_len(tried) == 0;

    parts_next(tried);
    if (is_first && was_empty && tried->at != NULL)
        parts_next(tried);
    return tried->at != NULL;
}

/* As for one part, with "**" in place of the star and parts in place of characters. */
static int match_whole(const char *pattern_text, const char *name_text, bool ignore_case)
{
    struct parts pattern = {pattern_text};
    struct parts name = {name_text};
    struct parts stars = {NULL};
    struct parts tried = {NULL};
    const char *first = NULL; /* where the last "**" stands in the name */

    while (name.at != NULL) {
        if (pattern.at != NULL && parts_is(&pattern, "**")) {
            while (pattern.at != NULL && parts_is(&pattern, "**"))
                parts_next(&pattern);
            if (pattern.at == NULL)
                return 1;
            stars = pattern;
            tried = name;
            first = name.at;
        } else if (pattern.at != NULL && full_match_part(&pattern, &name, ignore_case)) {
            parts_next(&pattern);
            parts_next(&name);
        } else if (stars.at != NULL && full_match_widen(&tried, tried.at == first)) {
            name = tried;
            pattern = stars;
        } else {
            return 0;
        }
    }
    return pattern.at == NULL;
}

int anyc_path_full_match(const anyc_path *path, const char *pattern,
                         const anyc_path_match_options *options)
{
    anyc_path *parsed = NULL;
    int rc = anyc_path_create(pattern, NULL, &parsed);

    if (rc < 0)
        return rc;
    rc = match_whole(anyc__path_text_is_empty(parsed->text) ? "" : parsed->text,
                     anyc__path_text_is_empty(path->text) ? "" : path->text,
                     options != NULL && options->ignore_case);
    anyc_path_destroy(parsed);
    return rc;
}
