/* SPDX-License-Identifier: MIT */
/*
 * search.c - search: prints the paths below DIR that match, as `find DIR -name PATTERN` does.
 *
 *   search --backend NAME DIR PATTERN
 */
#include <stdio.h>

#include <anyc/anyc.h>
#include <anyc/path.h>

#include "options.h"

static int search_print(anyc_path_iterator *found)
{
    const anyc_path *path;
    int rc = anyc_path_iterator_next(found, &path);

    for (; rc == 0; rc = anyc_path_iterator_next(found, &path))
        puts(anyc_path_str(path));
    return rc == ANYC_EOF ? 0 : rc;
}

static int search_main(void *arg)
{
    const struct options *options = arg;
    anyc_path_iterator *found;
    anyc_path *directory;
    int rc = anyc_path_create(options->arguments[0], NULL, &directory);

    if (rc < 0)
        return rc;
    rc = anyc_path_rglob(directory, options->arguments[1], NULL, &found);
    anyc_path_destroy(directory);
    if (rc < 0)
        return rc;
    rc = search_print(found);
    anyc_aclose(found);
    return rc;
}

int main(int argc, char **argv)
{
    struct options options = {.backend = NULL};

    if (!options_parse(argc, argv, &options) || options.argument_count != 2)
        return usage("search [--backend NAME] DIR PATTERN");
    return options_run(&options, search_main, &options);
}
