/* SPDX-License-Identifier: MIT */
/*
 * path_scan_pattern.c - the parts of a pattern, and how a path leads from place to place in it.
 */
#include "os/path_scan_pattern.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/path_match.h"

#include <string.h>

struct scan_name anyc__scan_name(const char *text, size_t len)
{
    return (struct scan_name){text, len, len == 2 && text[0] == '.' && text[1] == '.'};
}

/* -- making -- */

static enum scan_part_kind part_kind(const char *text, size_t len, unsigned flags)
{
    if (len == 2 && memcmp(text, "**", 2) == 0)
        return PART_RECURSIVE;
    if (len == 2 && memcmp(text, "..", 2) == 0)
        return PART_PARENT;
    return anyc__path_part_is_wild(text, len) || (flags & SCAN_IGNORE_CASE) != 0 ? PART_WILD
                                                                                 : PART_PLAIN;
}

/* Adds the parts of a text, which must outlive the pattern. A "**" after another is left out. */
static void pattern_add_parts(struct scan_pattern *pattern, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "/");
        enum scan_part_kind kind = part_kind(text, len, pattern->flags);

        if (len > 0 && !(len == 1 && text[0] == '.') &&
            !(kind == PART_RECURSIVE && pattern->count > 0 &&
              pattern->parts[pattern->count - 1].kind == PART_RECURSIVE))
            pattern->parts[pattern->count++] = (struct scan_part){kind, text, len};
        pattern->dirs_only = text[len] == '/';
        text += len + (text[len] == '/');
    }
}

/* The text lies behind the parts in the same memory. */
int anyc__scan_pattern_init(struct scan_pattern *pattern, const char *prefix, const char *text,
                            unsigned flags)
{
    size_t prefix_len = strlen(prefix);
    size_t len = prefix_len + strlen(text);
    char *copy;

    *pattern = (struct scan_pattern){.flags = flags};
    pattern->parts = anyc__alloc((len + 1) * sizeof pattern->parts[0] + len + 1);
    if (pattern->parts == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    copy = (char *)(pattern->parts + len + 1);
    memcpy(copy, prefix, prefix_len);
    memcpy(copy + prefix_len, text, len - prefix_len);
    copy[len] = '\0';
    pattern_add_parts(pattern, copy);
    return pattern->count > 0 ? 0 : anyc__fail(ANYC_EINVAL, 0, "path: the pattern is empty");
}

void anyc__scan_pattern_deinit(struct scan_pattern *pattern)
{
    anyc__free(pattern->parts);
    pattern->parts = NULL;
}

/* -- places -- */

/* From each "**" the way goes on behind it too. */
static void pattern_close_places(const struct scan_pattern *pattern, unsigned char *places)
{
    for (size_t i = 0; i < pattern->count; i++) {
        if (places[i] != 0 && pattern->parts[i].kind == PART_RECURSIVE)
            places[i + 1] = 1;
    }
}

void anyc__scan_pattern_begin(const struct scan_pattern *pattern, unsigned char *out_places)
{
    memset(out_places, 0, pattern->count + 1);
    out_places[0] = 1;
    pattern_close_places(pattern, out_places);
}

static bool pattern_part_match(const struct scan_pattern *pattern, size_t index,
                               const struct scan_name *name)
{
    const struct scan_part *part = &pattern->parts[index];

    if (name->is_parent != (part->kind == PART_PARENT))
        return false;
    return name->is_parent || (part->len == 1 && part->text[0] == '*') ||
           anyc__path_part_match(part->text, part->len, name->text, name->len,
                                 (pattern->flags & SCAN_IGNORE_CASE) != 0);
}

void anyc__scan_pattern_lead(const struct scan_pattern *pattern, const unsigned char *from,
                             const struct scan_name *name, bool is_dir, bool entered,
                             unsigned char *out_places)
{
    memset(out_places, 0, pattern->count + 1);
    for (size_t i = 0; i < pattern->count; i++) {
        bool may_end = i + 1 == pattern->count && !pattern->dirs_only;

        if (from[i] == 0)
            continue;
        if (pattern->parts[i].kind != PART_RECURSIVE) {
            if ((is_dir || may_end) && pattern_part_match(pattern, i, name))
                out_places[i + 1] = 1;
        } else if (entered) {
            out_places[i] = 1;
        } else if (may_end && !name->is_parent) {
            out_places[i + 1] = 1;
        }
    }
    pattern_close_places(pattern, out_places);
}

bool anyc__scan_pattern_may_lead(const struct scan_pattern *pattern, const unsigned char *from,
                                 const struct scan_name *name)
{
    for (size_t i = 0; i < pattern->count; i++) {
        if (from[i] != 0 &&
            (pattern->parts[i].kind == PART_RECURSIVE || pattern_part_match(pattern, i, name)))
            return true;
    }
    return false;
}

bool anyc__scan_pattern_needs_target(const struct scan_pattern *pattern, const unsigned char *from,
                                     const struct scan_name *name)
{
    if ((pattern->flags & SCAN_FOLLOW) != 0)
        return true;
    for (size_t i = 0; i < pattern->count; i++) {
        if (from[i] != 0 && pattern->parts[i].kind != PART_RECURSIVE &&
            (i + 1 < pattern->count || pattern->dirs_only) && pattern_part_match(pattern, i, name))
            return true;
    }
    return false;
}

bool anyc__scan_pattern_goes_on(const struct scan_pattern *pattern, const unsigned char *places)
{
    return memchr(places, 1, pattern->count) != NULL;
}

bool anyc__scan_pattern_reads(const struct scan_pattern *pattern, const unsigned char *places)
{
    for (size_t i = 0; i < pattern->count; i++) {
        enum scan_part_kind kind = pattern->parts[i].kind;

        if (places[i] != 0 && (kind == PART_WILD || kind == PART_RECURSIVE))
            return true;
    }
    return false;
}

/* Is it the first of the places with this name? */
static bool pattern_is_first(const struct scan_pattern *pattern, const unsigned char *places,
                             size_t index)
{
    const struct scan_part *part = &pattern->parts[index];

    for (size_t i = 0; i < index; i++) {
        if (places[i] != 0 && pattern->parts[i].len == part->len &&
            memcmp(pattern->parts[i].text, part->text, part->len) == 0)
            return false;
    }
    return true;
}

bool anyc__scan_pattern_asks(const struct scan_pattern *pattern, const unsigned char *places,
                             size_t index, bool listed)
{
    enum scan_part_kind kind = pattern->parts[index].kind;

    return places[index] != 0 && (kind == PART_PARENT || (kind == PART_PLAIN && !listed)) &&
           pattern_is_first(pattern, places, index);
}
