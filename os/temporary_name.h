/* SPDX-License-Identifier: MIT */
/*
 * temporary_name.h - where temporary files are made, and what they are called.
 *
 * The environment is read on the loop's thread, for another task may change it; the disk is looked
 * at in a worker thread.
 */
#ifndef ANYC_OS_TEMPORARY_NAME_H
#define ANYC_OS_TEMPORARY_NAME_H

#include "os/text_buffer.h"

struct temporary_name {
    const char *suffix;      /* borrowed; NULL: none */
    const char *prefix;      /* borrowed; NULL: "tmp" */
    struct text_buffer dirs; /* those in question, each with its '\0' */
    bool given;              /* there is one, which is to be used in any case */
};

/* Begin: 0, ANYC_EINVAL or ANYC_ENOMEM, which are told. */
int anyc__temporary_name_init(struct temporary_name *name, const char *suffix, const char *prefix,
                              const char *dir);
void anyc__temporary_name_deinit(struct temporary_name *name);

/* -- in a worker thread; all answer -errno -- */

/* The absolute path of the directory that is used. */
int anyc__temporary_name_dir(const struct temporary_name *name, struct text_buffer *out_path);

/* A new file, open for reading and writing: its descriptor. */
int anyc__temporary_name_file(const struct temporary_name *name, struct text_buffer *out_path);

/* A new directory: 0. */
int anyc__temporary_name_directory(const struct temporary_name *name, struct text_buffer *out_path);

/* A new file without a name: its descriptor. */
int anyc__temporary_name_none(const struct temporary_name *name);

#endif
