/* SPDX-License-Identifier: MIT */
/*
 * remove_tree.h - remove a directory with all that is in it.
 */
#ifndef ANYC_OS_REMOVE_TREE_H
#define ANYC_OS_REMOVE_TREE_H

/* In a worker thread. What cannot be removed stays, the rest goes; answers the first failure as
 * -errno, or 0, also if there is nothing at `path`. Links are removed, not followed. */
int anyc__remove_tree(const char *path);

#endif
