/* SPDX-License-Identifier: MIT */
/*
 * path_owner.c - names of users and groups, and homes. AnyIO: Path.owner, Path.group.
 */
#include "os/path_owner.h"

#include <anyc/error.h>

#include "os/path_call.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#define NAMES_ROOM 1024           /* bytes for an entry of users or groups at first */
#define NAMES_ROOM_MAX (1u << 24) /* a group with a million members has less */

/* Looks up an entry with so much room: 0 or an errno. The text is in the room; NULL: none. */
typedef int (*names_fn)(const void *key, char *room, size_t size, const char **out_text);

static int names_user(const void *key, char *room, size_t size, const char **out_text)
{
    const struct stat *stat = key;
    struct passwd entry;
    struct passwd *found = NULL;
    int rc = getpwuid_r(stat->st_uid, &entry, room, size, &found);

    *out_text = found == NULL ? NULL : found->pw_name;
    return rc;
}

static int names_group(const void *key, char *room, size_t size, const char **out_text)
{
    const struct stat *stat = key;
    struct group entry;
    struct group *found = NULL;
    int rc = getgrgid_r(stat->st_gid, &entry, room, size, &found);

    *out_text = found == NULL ? NULL : found->gr_name;
    return rc;
}

static int names_home(const void *key, char *room, size_t size, const char **out_text)
{
    struct passwd entry;
    struct passwd *found = NULL;
    int rc = key == NULL ? getpwuid_r(getuid(), &entry, room, size, &found)
                         : getpwnam_r(key, &entry, room, size, &found);

    *out_text = found == NULL ? NULL : found->pw_dir;
    return rc;
}

/* What getpwnam(3) lists for a name that is not there. */
static bool names_is_absent(int error)
{
    return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

/* Tries with more and more room. 0, ANYC_ENOTFOUND, ANYC_ENOMEM or -errno. */
static int names_ask(names_fn look_up, const void *key, struct text_buffer *out)
{
    struct text_buffer room = {0};
    const char *text = NULL;
    size_t size = NAMES_ROOM;
    int error = ERANGE;
    int rc;

    while (error == ERANGE && size <= NAMES_ROOM_MAX && anyc__text_reserve(&room, size)) {
        error = look_up(key, room.data, room.room, &text);
        size *= 2;
    }
    if (error == ERANGE)
        rc = size <= NAMES_ROOM_MAX ? ANYC_ENOMEM : -ERANGE;
    else if (text == NULL)
        rc = names_is_absent(error) ? ANYC_ENOTFOUND : -error;
    else
        rc = anyc__text_append_string(out, text) ? 0 : ANYC_ENOMEM;
    anyc__text_deinit(&room);
    return rc;
}

int anyc__path_home(const char *user, struct text_buffer *out)
{
    return names_ask(names_home, user, out);
}

/* The name of the file's user or group as the answer. */
static int owner_answer(const struct path_args *args, struct path_answer *answer, names_fn look_up)
{
    struct text_buffer name = {0};
    int rc = anyc__path_stat(args, answer);

    if (rc == 0)
        rc = names_ask(look_up, &answer->stat, &name);
    answer->text = name.data;
    return rc;
}

static int owner_fn(const struct path_args *args, struct path_answer *answer)
{
    return owner_answer(args, answer, names_user);
}

static int group_fn(const struct path_args *args, struct path_answer *answer)
{
    return owner_answer(args, answer, names_group);
}

int anyc_path_owner(const anyc_path *path, const anyc_path_follow_options *options, char **out_name)
{
    struct path_args args = anyc__path_stat_args(options);
    struct path_answer answer = {.text = NULL};
    int rc = anyc__path_ask(path, "owner of", owner_fn, &args, &answer);

    if (rc == 0)
        *out_name = answer.text;
    return rc;
}

int anyc_path_group(const anyc_path *path, const anyc_path_follow_options *options, char **out_name)
{
    struct path_args args = anyc__path_stat_args(options);
    struct path_answer answer = {.text = NULL};
    int rc = anyc__path_ask(path, "group of", group_fn, &args, &answer);

    if (rc == 0)
        *out_name = answer.text;
    return rc;
}
