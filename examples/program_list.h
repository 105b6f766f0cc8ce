/* SPDX-License-Identifier: MIT */
/*
 * program_list.h - the configuration of the supervisor. A line for each program, its name and its
 * command line; words are parted by blanks, '...' and "..." keep blanks, # begins a comment:
 *
 *     web    ./server --port 8000
 *     clock  sh -c "while date; do sleep 1; done"
 */
#ifndef ANYC_EXAMPLES_PROGRAM_LIST_H
#define ANYC_EXAMPLES_PROGRAM_LIST_H

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line: words[0] is the name, the others are the command, and NULL. One block of memory. */
struct listed_program {
    char **words;
    struct listed_program *next;
};

static inline const char *listed_name(char *const *words)
{
    return words[0];
}

static inline const char *const *listed_command(char *const *words)
{
    return (const char *const *)words + 1;
}

static inline bool listed_same(char *const *one, char *const *other)
{
    while (*one != NULL && *other != NULL && strcmp(*one, *other) == 0) {
        one++;
        other++;
    }
    return *one == NULL && *other == NULL;
}

/* Copies a word to `to` and ends it; answers what follows it, or NULL if a quote has no end. */
static inline const char *listed_word(const char *text, char *to)
{
    while (*text != '\0' && !isspace((unsigned char)*text)) {
        char quote = *text;
        const char *end;

        if (quote != '\'' && quote != '"') {
            *to++ = *text++;
            continue;
        }
        end = strchr(text + 1, quote);
        if (end == NULL)
            return NULL;
        memcpy(to, text + 1, (size_t)(end - text - 1));
        to += end - text - 1;
        text = end + 1;
    }
    *to = '\0';
    return text;
}

/* The words of a line; NULL if a quote has no end, or without memory. */
static inline char **listed_words(const char *line)
{
    size_t most = strlen(line) / 2 + 2; /* with the NULL */
    char **words = malloc(most * sizeof *words + strlen(line) + 1);
    char *to = (char *)(words + most);
    size_t count = 0;

    while (words != NULL) {
        line += strspn(line, " \t\r\n");
        if (*line == '\0' || *line == '#') {
            words[count] = NULL;
            break;
        }
        words[count++] = to;
        line = listed_word(line, to);
        if (line == NULL) {
            free(words);
            return NULL;
        }
        to += strlen(to) + 1;
    }
    return words;
}

static inline void program_list_free(struct listed_program *list)
{
    while (list != NULL) {
        struct listed_program *next = list->next;

        free(list->words);
        free(list);
        list = next;
    }
}

static inline bool program_list_has(const struct listed_program *list, const char *name)
{
    for (; list != NULL; list = list->next) {
        if (strcmp(listed_name(list->words), name) == 0)
            return true;
    }
    return false;
}

/* Takes a line in. False: it is wrong. */
static inline bool program_list_add(struct listed_program **list, const char *line)
{
    struct listed_program *listed = calloc(1, sizeof *listed);
    bool ok;

    if (listed == NULL)
        return false;
    listed->words = listed_words(line);
    ok = listed->words != NULL;
    if (ok && listed->words[0] != NULL)
        ok = listed->words[1] != NULL && !program_list_has(*list, listed->words[0]);
    if (!ok || listed->words[0] == NULL) {
        program_list_free(listed);
        return ok;
    }
    listed->next = *list;
    *list = listed;
    return true;
}

/* Reads a file. False after a message; then there is no list. */
static inline bool program_list_read(const char *path, struct listed_program **out_list)
{
    FILE *file = fopen(path, "re");
    struct listed_program *list = NULL;
    char *line = NULL;
    size_t size = 0;
    bool ok = file != NULL;

    if (!ok)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    for (int number = 1; ok && getline(&line, &size, file) >= 0; number++) {
        ok = program_list_add(&list, line);
        if (!ok)
            fprintf(stderr, "%s:%d: not a new name and a command\n", path, number);
    }
    free(line);
    if (file != NULL)
        fclose(file);
    if (ok)
        *out_list = list;
    else
        program_list_free(list);
    return ok;
}

#endif
